"""`make bench`: measures the release build, judges it by the budgets, and writes RESULTS.md and COSTS.md.

Measuring is Rust's (`referrals-bench`), and the lag's (lag.py); here is what is done with the figures.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "infra" / "local"))

import budgets  # noqa: E402
import costs  # noqa: E402
import lag  # noqa: E402
import packages  # noqa: E402
import report  # noqa: E402
from failure import Failure  # noqa: E402
from settings import ADMIN_TOOL, FUNCTIONS  # noqa: E402

HERE = ROOT / "infra" / "bench"
RELEASE = ROOT / "target" / "release"
FIGURES = ROOT / ".local" / "bench" / "figures.json"
TOOLS = ROOT / "target" / "tool"
FLOOR = "bench-floor"
TOOL = "referrals-bench"
# Of the zip format.
SMALLEST = 9


def build() -> None:
    # What is deployed is built by itself: together with the tool it would be built with the tool's features too.
    for profile, built in (("release", [*FUNCTIONS, FLOOR, ADMIN_TOOL]), ("tool", [TOOL])):
        command = ["cargo", "build", "--locked", "--profile", profile]
        command += [word for package in built for word in ("--package", package)]
        print(f"$ {' '.join(command)}", flush=True)
        if subprocess.run(command, cwd=ROOT, check=False).returncode != 0:
            raise Failure("the release build failed")


def measure(only: str | None, large: int) -> dict[str, Any]:
    FIGURES.parent.mkdir(parents=True, exist_ok=True)
    command = [str(TOOLS / TOOL), "--out", str(FIGURES), "--large", str(large)]
    if only:
        command += ["--function", only]
    print(f"$ {' '.join(command)}", flush=True)
    environment = {**os.environ, "FUNCTIONS_DIRECTORY": str(RELEASE)}
    if subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode != 0:
        raise Failure("the measuring failed")
    figures = json.loads(FIGURES.read_text())
    for function in figures["functions"]:
        function["zip_bytes"] = _zip_bytes(function["name"])
    if not only:
        figures["lag"] = lag.measure()
    figures["template"] = template()
    figures["machine"] = machine()
    FIGURES.write_text(json.dumps(figures, indent=2) + "\n")
    return figures


def machine() -> dict[str, str]:
    """What somebody needs to know who compares."""
    processor = next(
        (line.split(":", 1)[1].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")),
        platform.machine(),
    )
    memory = next(int(line.split()[1]) for line in _lines("/proc/meminfo") if line.startswith("MemTotal:"))
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "commit": _output("git", "describe", "--always", "--dirty"),
        "processor": f"{os.cpu_count()} x {processor}, {platform.machine()}",
        "memory": f"{memory / 1024 / 1024:.0f} GiB",
        "system": f"Linux {platform.release()}",
        "compiler": _output("rustc", "--version"),
    }


def template() -> dict[str, int]:
    """What is paid for whether or not somebody comes."""
    kinds = [line.strip() for line in _lines(str(ROOT / "template.yaml")) if line.strip().startswith("Type: AWS::")]
    # Each feeds a function from a queue, but the one of the outbox's stream, which is not paid for.
    mappings = kinds.count("Type: AWS::Lambda::EventSourceMapping")
    return {
        "queues": mappings - 1,
        "alarms": kinds.count("Type: AWS::CloudWatch::Alarm"),
        "secrets": kinds.count("Type: AWS::SecretsManager::Secret"),
        "metrics": kinds.count("Type: AWS::Logs::MetricFilter"),
    }


def _lines(path: str) -> list[str]:
    return Path(path).read_text().splitlines()


def _output(*command: str) -> str:
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()


def _zip_bytes(name: str) -> int:
    """As it is uploaded: small beats quick."""
    with tempfile.TemporaryDirectory() as folder:
        package = Path(folder) / f"{name}.zip"
        packages.make_zip(RELEASE / name, package, level=SMALLEST)
        return package.stat().st_size


def main() -> int:
    parser = argparse.ArgumentParser(description="Measures the release build and judges it by the budgets.")
    parser.add_argument("--function", help="only what this function costs; nothing is written")
    parser.add_argument("--large", type=int, default=100_000, help="referrals in the large ledger")
    chosen = parser.parse_args()
    try:
        build()
        figures = measure(chosen.function, chosen.large)
    except Failure as failure:
        print(f"error: {failure}", file=sys.stderr)
        return 1
    judged = budgets.judge(figures)
    print(report.summary(figures, judged))
    if not chosen.function:
        (HERE / "RESULTS.md").write_text(report.page(figures, judged))
        prices = json.loads((HERE / "prices.json").read_text())
        (ROOT / "infra" / "docs" / "COSTS.md").write_text(costs.page(figures, prices))
    missed = [verdict for verdict in judged if not verdict.is_met]
    for verdict in missed:
        print(f"error: missed budget: {verdict}", file=sys.stderr)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
