"""`make test-flow`: the tests that need the deployed template, on an instance of their own that they always take down.

`make test-browser` are those of them that a browser makes, `make fuzz-api` is the long form of one. The instance starts
from nothing, and beside the developer's: another directory, another port.
"""

from __future__ import annotations

import argparse
import os
import secrets
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping

import envfile
import settings as configuration
import stack
from failure import Failure
from settings import ROOT, Settings

TESTS = "infra/tests"
BROWSER_TESTS = "infra/browser"
# The stack has no use for a browser, so what drives one is an environment of its own.
BROWSER_PYTHON = ROOT / ".venv" / "browser" / "bin" / "python"
PYTEST = ["-m", "pytest", "-q", "-p", "no:cacheprovider"]
FUZZ_TEST = f"{TESTS}/test_openapi.py"
# Of each operation, and in each phase that makes up requests.
FUZZ_EXAMPLES = 100


def _free_port() -> int:
    """Any port that nobody has: the instance starts from nothing, so it needs no port of its own."""
    with socket.socket() as probe:
        probe.bind((configuration.HOST, 0))
        return int(probe.getsockname()[1])


INSTANCE = {
    "STACK_DIR": ".local/test",
    "STACK_PORT": os.environ.get("TEST_STACK_PORT") or str(_free_port()),
    # Redelivery at the pace of a test.
    "QUEUE_VISIBILITY_SECONDS": "2",
    "IMPORT_QUEUE_VISIBILITY_SECONDS": "20",
    "IMPORT_ROWS_PER_SECOND": "1000",
    # The flows come from one address and mostly to one slug. The tests of the limits set their own.
    "CAPTURE_IP_PER_MINUTE": "100000",
    "CAPTURE_IP_PER_HOUR": "100000",
    "CAPTURE_SLUG_PER_MINUTE": "100000",
    "CAPTURE_SLUG_PER_DAY": "100000",
    # Everything that could be logged is looked through for personal data.
    "LOG_LEVEL": "trace",
    # The functions' roles are part of what is tested.
    "ENFORCE_ROLES": "true",
}
# What people see of it is another run, which may be under way beside the flows.
BROWSER_INSTANCE = {**INSTANCE, "STACK_DIR": ".local/browser", "LOG_LEVEL": "info"}


def run(settings: Settings, environment: Mapping[str, str], tests: Callable[[Mapping[str, str]], bool]) -> bool:
    stack.reset(settings)
    try:
        stack.up(settings)
        return tests({**environment, **envfile.read(settings.env_file)})
    finally:
        stack.down(settings)


def _everything(environment: Mapping[str, str]) -> bool:
    # Both, whatever the first says.
    return all([_store_contract(environment), _flows(environment)])


def _store_contract(environment: Mapping[str, str]) -> bool:
    # The whole workspace, as `make test-rust` builds it: one package alone would be built with other features, anew.
    command = ["cargo", "test", "--workspace", "--test", "store_contract", "--locked"]
    return _passes(command, {**environment, "CONTRACT_ENDPOINT": environment["AWS_ENDPOINT_URL"]})


def _flows(environment: Mapping[str, str]) -> bool:
    return _passes([sys.executable, *PYTEST, TESTS], environment)


def _browser(environment: Mapping[str, str]) -> bool:
    """TESTS narrows them down, as in `make test-browser TESTS=infra/browser/test_faults.py`."""
    return _passes([str(BROWSER_PYTHON), *PYTEST, *(environment.get("TESTS") or BROWSER_TESTS).split()], environment)


def _fuzz(environment: Mapping[str, str]) -> bool:
    """Another seed each time, unless one is given: what was found before is found again with its seed."""
    seed = environment.get("SEED") or str(secrets.randbelow(1_000_000_000))
    examples = environment.get("EXAMPLES") or str(FUZZ_EXAMPLES)
    print(f"To repeat it: make fuzz-api SEED={seed} EXAMPLES={examples}", flush=True)
    return _passes(
        [sys.executable, *PYTEST, "-s", FUZZ_TEST], {**environment, "FUZZ_SEED": seed, "FUZZ_EXAMPLES": examples}
    )


def _passes(command: list[str], environment: Mapping[str, str]) -> bool:
    print(f"$ {' '.join(command)}", flush=True)
    return subprocess.run(command, cwd=ROOT, env=dict(environment), check=False).returncode == 0


def main() -> int:
    parser = argparse.ArgumentParser(description="The tests on the deployed template, on an instance of their own.")
    only = parser.add_mutually_exclusive_group()
    only.add_argument("--fuzz", action="store_true", help="only the long run of Schemathesis over the API")
    only.add_argument("--browser", action="store_true", help="only the tests in a browser")
    chosen = parser.parse_args()
    tests = _fuzz if chosen.fuzz else _browser if chosen.browser else _everything
    instance = BROWSER_INSTANCE if chosen.browser else INSTANCE
    environment = {**os.environ, **instance}
    # Parameters that a developer set for the running stack are not the tests' business.
    for name in configuration.PARAMETERS.keys() - instance.keys():
        environment.pop(name, None)
    try:
        settings = configuration.from_environment(environment)
        passed = run(settings, environment, tests)
    except Failure as failure:
        print(f"error: {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    if not passed:
        print(f"error: tests failed; MiniStack's log is {settings.directory / 'ministack.log'}", file=sys.stderr)
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
