"""The local stack's commands: up, down, reset, dev, logs and env-path.

Runs in the project's own virtual environment (`make` makes it). What an instance is, settings.py says.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import signal
import sys
import time
from collections.abc import Iterator
from types import FrameType

import requests

import aws
import demo
import demo_site
import deployment
import envfile
import mends
import packages
import settings as configuration
import streams
from emulator import Emulator
from failure import Failure
from settings import CREDENTIALS, REGION, Settings

ANSWER_SECONDS = 30
POLL_SECONDS = 0.5
LOGGED_SECONDS = 600


def up(settings: Settings) -> None:
    """Everything running and loaded, and dev.env written; whatever was there already is kept."""
    begun = time.monotonic()
    emulator = Emulator(settings)
    with _alone(settings):
        build = packages.make(settings)
        started = emulator.start()
        stack = deployment.deploy(settings, build)
        mends.apply(settings, stack.outputs["ApiId"])
        if started:
            streams.replay_pending(settings, stack.outputs)
        demo.load(settings, stack.outputs["TableName"])
        tokens = demo.tokens(settings, stack.outputs)
        values = _environment(settings, stack.outputs, tokens)
        values["DEMO_SITE_URL"] = demo_site.publish(settings, values["API_URL"], values["AGENT_SLUG"])
        _wait_until_answering(values)
        envfile.write(settings.env_file, values)
    did = "started" if started else "was running already"
    did += ", deployed" if stack.changed else ", nothing to deploy"
    print(f"The local stack is ready ({did}; {time.monotonic() - begun:.1f} s).", flush=True)


def down(settings: Settings) -> None:
    with _alone(settings):
        stopped = Emulator(settings).stop()
    print("Stopped; the state is kept." if stopped else "The local stack was not running.", flush=True)


def reset(settings: Settings) -> None:
    with _alone(settings):
        emulator = Emulator(settings)
        emulator.stop()
        emulator.wipe()
    print(f"Stopped, and the state in {_shown(settings.directory)} is gone.", flush=True)


def dev(settings: Settings) -> None:
    """Up, and then in the foreground until Ctrl-C, which stops it in an orderly way."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    emulator = Emulator(settings)
    attached = emulator.running_pid() is not None
    try:
        up(settings)
        _introduce(settings, attached)
        while emulator.running_pid() is not None:
            time.sleep(POLL_SECONDS)
        print("The local stack was stopped from elsewhere.", flush=True)
    except KeyboardInterrupt:
        # A second Ctrl-C while the state is being saved would lose it.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        print("\nStopping ...", flush=True)
        down(settings)


def logs(settings: Settings) -> None:
    """The functions' log lines of the last minutes, in order."""
    client = aws.client(settings, "logs")
    since = int((time.time() - LOGGED_SECONDS) * 1000)
    lines: list[tuple[int, str, str]] = []
    for group in client.describe_log_groups()["logGroups"]:
        name = group["logGroupName"]
        for event in client.filter_log_events(logGroupName=name, startTime=since).get("events", []):
            lines.append((event["timestamp"], name, event["message"].rstrip()))
    for _, name, message in sorted(lines, key=lambda line: line[0]):
        print(f"{name.rsplit('/', 1)[-1]}: {message}")


def env_path(settings: Settings) -> None:
    print(settings.env_file)


def _environment(settings: Settings, outputs: dict[str, str], tokens: dict[str, str]) -> dict[str, str]:
    sqs = aws.client(settings, "sqs")

    def queue(output: str) -> str:
        # A stack made on another port remembers that port in its outputs.
        return sqs.get_queue_url(QueueName=outputs[output].rsplit("/", 1)[-1])["QueueUrl"]

    # The stage without a name serves at the root, so `$API_URL/api/...` is the whole path.
    api_url = f"{settings.endpoint}/_aws/execute-api/{outputs['ApiId']}"
    return {
        "API_URL": api_url,
        "FORM_URL": f"{api_url}/r/{demo.SLUGS['AGENT_SLUG']}",
        **demo.SLUGS,
        **tokens,
        "AWS_ENDPOINT_URL": settings.endpoint,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        **CREDENTIALS,
        "EVENT_BUS": outputs["EventBusName"],
        "TABLE_NAME": outputs["TableName"],
        "OUTBOX_TABLE_NAME": outputs["OutboxTableName"],
        "MAIL_INBOX_URL": f"{settings.endpoint}/_ministack/ses/messages",
        "SMS_INBOX_URL": f"{settings.endpoint}/_ministack/sns/sms-messages",
        **{envfile.name_of(output): queue(output) for output in outputs if output.endswith("QueueUrl")},
        **{envfile.name_of(output): outputs[output] for output in outputs if output.endswith("MappingId")},
        "STACK_NAME": settings.stack_name,
    }


def _wait_until_answering(values: dict[str, str]) -> None:
    """Ready means that a signed-in request gets an answer from the function, not only from the gateway."""
    if "TOKEN" not in values:
        return
    url = f"{values['API_URL']}/api/reputation/referrals"
    headers = {"Authorization": f"Bearer {values['TOKEN']}"}
    deadline = time.monotonic() + ANSWER_SECONDS
    while True:
        answer = requests.get(url, headers=headers, timeout=20)
        if answer.status_code < 500 and answer.status_code != 401:
            return
        if time.monotonic() > deadline:
            raise Failure(f"GET {url} answers {answer.status_code} (make dev-logs says more): {answer.text[:300]}")
        time.sleep(POLL_SECONDS)


def _introduce(settings: Settings, attached: bool) -> None:
    values = envfile.read(settings.env_file)
    note = " It ran in the background before; this terminal has it now." if attached else ""
    print(
        f"""
  API        {values["API_URL"]}
  form       {values["FORM_URL"]}
  widget     {values["DEMO_SITE_URL"]}
  mail       {values["MAIL_INBOX_URL"]}
  SMS        {values["SMS_INBOX_URL"]}
  settings   {_shown(settings.env_file)}

Paste this into another terminal, in the project's directory:

  . {_shown(settings.env_file)}
  curl -i "$API_URL/api/public/referral/$AGENT_SLUG" -H "Content-Type: application/json" -d '{{
    "referrerName": "Pat Jones",
    "referrerEmail": "pat@example.com",
    "referredName": "Sam Lee",
    "referredEmail": "sam@example.com",
    "notes": "Sam is selling their condo this spring."
  }}'

Ctrl-C stops it and keeps the state.{note}""",
        flush=True,
    )


def _shown(path: configuration.Path) -> str:
    """Relative to the project where it can be, with the leading dot that `.` needs to find a file."""
    return f"./{path.relative_to(configuration.ROOT)}" if path.is_relative_to(configuration.ROOT) else str(path)


@contextlib.contextmanager
def _alone(settings: Settings) -> Iterator[None]:
    """Two commands on one instance take turns."""
    settings.directory.mkdir(parents=True, exist_ok=True)
    with (settings.directory / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("Another command works on this stack; waiting for it ...", flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def main() -> int:
    commands = {"up": up, "down": down, "reset": reset, "dev": dev, "logs": logs, "env-path": env_path}
    parser = argparse.ArgumentParser(description="The local stack: MiniStack with template.yaml and demo data.")
    parser.add_argument("command", choices=commands)
    command = commands[parser.parse_args().command]
    try:
        command(configuration.from_environment())
    except Failure as failure:
        print(f"error: {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
