"""The MiniStack process of one instance: started, found again, stopped in an orderly way.

It saves its state only when it is asked to stop, hence the care below.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import streams
from failure import Failure
from settings import CREDENTIALS, HOST, REGION, Settings

START_SECONDS = 60
STOP_SECONDS = 60
POLL_SECONDS = 0.1
LOG_LINES_SHOWN = 15
PROGRAM = Path(__file__).with_name("ministack_mended.py")
# Small Linux images come without `ps`; macOS comes without /proc.
PROCESSES = Path("/proc")


class Emulator:
    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._directory = settings.directory
        self._pid_file = settings.directory / "ministack.pid"
        self.log_file = settings.directory / "ministack.log"
        self._child: subprocess.Popen[bytes] | None = None

    def running_pid(self) -> int | None:
        """The process id of this instance's MiniStack, if it runs."""
        record = self._record()
        return record["pid"] if record and self._lives(record["pid"]) else None

    def start(self) -> bool:
        """Make sure it runs and answers. Says whether it had to be started."""
        record = self._record()
        if record and self._lives(record["pid"]):
            if record == self._wanted_record(record["pid"]):
                self._wait_until_ready(record["pid"])
                return False
            # What is chosen at the start only can change by a start only.
            self.stop()
        if _port_answers(self._settings.port):
            raise Failure(
                f"port {self._settings.port} is taken by another program. Stop that, or choose another: "
                "STACK_PORT=4600 make dev"
            )
        pid = self._launch()
        self._wait_until_ready(pid)
        return True

    def stop(self) -> bool:
        """Ask it to save its state and end, and wait until it did. Says whether it ran."""
        pid = self.running_pid()
        if pid is None:
            self._pid_file.unlink(missing_ok=True)
            return False
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        while self._lives(pid):
            if time.monotonic() > deadline:
                os.kill(pid, signal.SIGKILL)
                self._pid_file.unlink(missing_ok=True)
                raise Failure(
                    f"MiniStack (process {pid}) did not stop within {STOP_SECONDS} s and was killed: "
                    "what was written since its start is lost"
                )
            time.sleep(POLL_SECONDS)
        self._pid_file.unlink(missing_ok=True)
        return True

    def wipe(self) -> None:
        """Remove the state of this instance, and nothing else that lives in its directory."""
        for name in ("state", "tmp", "artifacts"):
            shutil.rmtree(self._directory / name, ignore_errors=True)
        opted_out = self._directory / "opted-out-numbers"
        for path in (self._settings.env_file, self.log_file, self._pid_file, opted_out):
            path.unlink(missing_ok=True)

    def last_log_lines(self) -> str:
        try:
            lines = self.log_file.read_text(errors="replace").splitlines()
        except OSError:
            return ""
        return "\n".join(lines[-LOG_LINES_SHOWN:])

    def _record(self) -> dict[str, int] | None:
        try:
            record = json.loads(self._pid_file.read_text())
            return {name: int(record[name]) for name in ("pid", "port", "enforce_roles")}
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def _wanted_record(self, pid: int) -> dict[str, int]:
        return {"pid": pid, "port": self._settings.port, "enforce_roles": int(self._settings.enforce_roles)}

    def _launch(self) -> int:
        # Functions' packages are unpacked below TMPDIR at each start; what an earlier start left is of no use.
        shutil.rmtree(self._directory / "tmp", ignore_errors=True)
        for name in ("state", "tmp"):
            (self._directory / name).mkdir(parents=True, exist_ok=True)
        streams.forget_positions(self._directory / "state")
        with self.log_file.open("w") as log:
            self._child = subprocess.Popen(
                [sys.executable, str(PROGRAM)],
                cwd=self._directory,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                # Ctrl-C reaches every process of the terminal's group; MiniStack is to be stopped by us alone.
                start_new_session=True,
            )
        self._pid_file.write_text(json.dumps(self._wanted_record(self._child.pid)))
        return self._child.pid

    def _lives(self, pid: int) -> bool:
        if self._child and self._child.pid == pid:
            return self._child.poll() is None
        # The number may have gone to another process since.
        return "ministack" in _command_line(pid)

    def _environment(self) -> dict[str, str]:
        # The functions inherit this, so it is built from nothing: no credentials, profiles or proxies of the developer.
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "LC_ALL") if name in os.environ}
        return (
            kept
            | CREDENTIALS
            | {
                "AWS_ENDPOINT_URL": self._settings.endpoint,
                "AWS_REGION": REGION,
                "AWS_DEFAULT_REGION": REGION,
                "AWS_CONFIG_FILE": os.devnull,
                "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
                "AWS_EC2_METADATA_DISABLED": "true",
                "BIND_HOST": HOST,
                "GATEWAY_PORT": str(self._settings.port),
                "LAMBDA_EXECUTOR": "local",
                "LAMBDA_ASYNC_RETRY_BASE_SECONDS": "0.2",
                # As on AWS. Otherwise it follows from this machine's memory, and a small one refuses a rush.
                "LAMBDA_ACCOUNT_CONCURRENCY": "1000",
                # On: the functions sign as their roles, and a call that a role's policy does not allow is refused.
                # Off: any credentials may do anything, so that a stranger's AWS tools work at once.
                "AUTH": "true" if self._settings.enforce_roles else "false",
                "PERSIST_STATE": "1",
                "STATE_DIR": str(self._directory / "state"),
                "TMPDIR": str(self._directory / "tmp"),
                "OPTED_OUT_NUMBERS": str(self._directory / "opted-out-numbers"),
                "ALLOWED_CALLS": str(self._directory / "allowed-calls"),
                "PYTHONDONTWRITEBYTECODE": "1",
                # Listeners beside the one port, of services that nothing here uses.
                "IOT_MTLS_ENABLED": "0",
                "SFTP_ENABLED": "0",
            }
        )

    def _wait_until_ready(self, pid: int) -> None:
        deadline = time.monotonic() + START_SECONDS
        while True:
            if not self._lives(pid):
                self._pid_file.unlink(missing_ok=True)
                raise Failure(f"MiniStack ended while it started. The end of {self.log_file}:\n{self.last_log_lines()}")
            if _is_ready(self._settings.endpoint):
                return
            if time.monotonic() > deadline:
                raise Failure(
                    f"MiniStack was not ready within {START_SECONDS} s. The end of {self.log_file}:\n"
                    f"{self.last_log_lines()}"
                )
            time.sleep(POLL_SECONDS)


def _command_line(pid: int) -> str:
    if PROCESSES.is_dir():
        try:
            return (PROCESSES / str(pid) / "cmdline").read_text(errors="replace")
        except OSError:
            return ""
    listed = subprocess.run(["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return listed.stdout


def _port_answers(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.settimeout(1)
        return probe.connect_ex((HOST, port)) == 0


def _is_ready(endpoint: str) -> bool:
    try:
        with urllib.request.urlopen(f"{endpoint}/_ministack/ready", timeout=2) as answer:
            return answer.status == 200
    except (urllib.error.URLError, OSError):
        return False
