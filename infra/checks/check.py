"""`make check`: every check that runs no test. All of them run; the ones that fail say everything they have to say."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CHECKS = ROOT / ".venv" / "checks" / "bin"
CARGO_DENY = ROOT / ".local" / "tools" / "bin" / "cargo-deny"
RUFF = [str(CHECKS / "ruff"), "--config", "infra/checks/ruff.toml"]
PYTHON_CODE = "infra"


def _succeeds(code: int, _output: str) -> bool:
    return code == 0


def _finds_no_package(code: int, output: str) -> bool:
    # Cargo's way to say that a package is not in the tree is to fail.
    return code != 0 and "did not match any packages" in output


@dataclass(frozen=True)
class Check:
    name: str
    command: list[str]
    environment: dict[str, str]
    holds: Callable[[int, str], bool] = _succeeds
    is_lint: bool = False


ALL = [
    Check("rustfmt", ["cargo", "fmt", "--all", "--check"], {}),
    Check(
        "clippy",
        ["cargo", "clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"],
        {},
        is_lint=True,
    ),
    Check("rustdoc", ["cargo", "doc", "--workspace", "--no-deps", "--locked"], {"RUSTDOCFLAGS": "-D warnings"}),
    # The old TLS stack comes with it, and costs every cold start and every binary.
    Check("no hyper 0.14", ["cargo", "tree", "--locked", "-i", "hyper@0.14"], {}, _finds_no_package),
    Check("dependencies", [str(CARGO_DENY), "check", "licenses", "bans", "sources"], {}),
    Check("licences page", [sys.executable, "infra/checks/licenses.py", "--check"], {}),
    Check("cfn-lint", [str(CHECKS / "cfn-lint"), "template.yaml"], {}, is_lint=True),
    Check(
        "sam validate",
        [str(CHECKS / "sam"), "validate", "--lint", "--template-file", "template.yaml"],
        {"SAM_CLI_TELEMETRY": "0", "AWS_DEFAULT_REGION": "us-east-1"},
        is_lint=True,
    ),
    Check("ruff check", [*RUFF, "check", "--no-cache", "--quiet", PYTHON_CODE], {}, is_lint=True),
    Check("ruff format", [*RUFF, "format", "--no-cache", "--quiet", "--diff", PYTHON_CODE], {}),
]


def run(check: Check) -> bool:
    begun = time.monotonic()
    print(f"{check.name:<16}", end="", flush=True)
    done = subprocess.run(
        check.command,
        cwd=ROOT,
        env={**os.environ, **check.environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    holds = check.holds(done.returncode, done.stdout)
    print(f"{'ok' if holds else 'FAILED':<8}{time.monotonic() - begun:6.1f} s", flush=True)
    if not holds:
        print(f"$ {' '.join(check.command)}\n{done.stdout}", flush=True)
    return holds


def main() -> int:
    parser = argparse.ArgumentParser(description="Checks that run no test.")
    parser.add_argument("--lint", action="store_true", help="the linters only")
    lint_only = parser.parse_args().lint
    failed = [check.name for check in ALL if (check.is_lint or not lint_only) and not run(check)]
    if failed:
        print(f"error: {len(failed)} of the checks failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
