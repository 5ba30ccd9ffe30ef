"""`make soak`: the long forms of the tests that meet chance, on the functions as they are deployed.

Each prints its seeds and counts; everything it says is in .local/soak. `--part` runs one of them, `--seed` begins with
another seed.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from failure import Failure
from settings import FUNCTIONS

ROOT = Path(__file__).resolve().parents[2]
LOGS = ROOT / ".local" / "soak"
RELEASE = ROOT / "target" / "release"
HARNESS, API, CAPTURE = "referrals-harness", "referrals-api", "public-capture"
# Built as the bench's tool is: quick enough not to be what is waited for.
PROFILE = "tool"


@dataclass(frozen=True)
class Part:
    """A test of a package, and what makes it long."""

    package: str
    target: tuple[str, ...]
    filter: str
    settings: dict[str, str]
    # What is told the seed.
    seed: str | None = None
    # The lines that say what was done.
    says: str = r"^\S+: .*\d"


PARTS = {
    "model": Part(
        API,
        ("--bin", API),
        "the_service_does_what_the_contract_says",
        {"MODEL_SEQUENCES": "10000", "MODEL_SEED": "1"},
        "MODEL_SEED",
        r"^MODEL_SEED|sequences$|^ +\d+ ",
    ),
    "crash-matrix": Part(
        HARNESS,
        ("--test", "crash_matrix"),
        "",
        {"CRASH_MATRIX": "full"},
        says=r"^crash matrix:|^function |^\S+ .* (Once|Persistent) ",
    ),
    "kills": Part(HARNESS, ("--test", "kills"), "", {"KILLS": "50"}, "KILLS_SEED", r"^kills|kills at"),
    "storm": Part(
        HARNESS,
        ("--test", "storm"),
        "",
        {"STORM": "20000", "STORM_KILLS": "500", "STORM_RESTARTS": "20"},
        "STORM_SEED",
    ),
    "replay": Part(HARNESS, ("--test", "replay"), "", {"REPLAY": "1000"}, "REPLAY_FROM"),
    "seeded": Part(HARNESS, ("--test", "seeded"), "", {"SEEDED": "200"}, "SEEDED_FROM"),
    "imports": Part(HARNESS, ("--test", "imports"), "", {"IMPORT_ROWS": "10000", "KILLS": "20"}, "KILLS_SEED"),
    "hostile": Part(CAPTURE, ("--bin", CAPTURE), "hostile", {"HOSTILE_EVENTS": "20000"}, "HOSTILE_SEED"),
}


def build() -> None:
    command = ["cargo", "build", "--locked", "--release"]
    command += [word for name in FUNCTIONS for word in ("--package", name)]
    print(f"$ {' '.join(command)}", flush=True)
    if subprocess.run(command, cwd=ROOT, check=False).returncode != 0:
        raise Failure("the release build failed")


def run(name: str, seed: int | None) -> bool:
    part = PARTS[name]
    command = ["cargo", "test", "--locked", "--profile", PROFILE, "--package", part.package, *part.target, "--"]
    command += [part.filter] if part.filter else []
    settings = dict(part.settings)
    if seed is not None and part.seed:
        settings[part.seed] = str(seed)
    print(f"\n== {name}: {' '.join(f'{key}={value}' for key, value in settings.items())}", flush=True)
    environment = {**os.environ, **settings, "FUNCTIONS_DIRECTORY": str(RELEASE), "RUST_BACKTRACE": "0"}
    log, begun = LOGS / f"{name}.log", time.monotonic()
    with log.open("wb") as output:
        done = subprocess.run(
            [*command, "--nocapture"], cwd=ROOT, env=environment, stdout=output, stderr=output, check=False
        )
    text = log.read_text(errors="replace")
    print("\n".join(line for line in text.splitlines() if re.search(part.says, line)))
    # A filter that fits nothing would pass.
    passed = done.returncode == 0 and re.search(r"test result: ok\. [1-9]", text) is not None
    outcome = "passed" if passed else f"FAILED: {log.relative_to(ROOT)} says why"
    print(f"{name}: {outcome}, {time.monotonic() - begun:.0f} s", flush=True)
    return passed


def main() -> int:
    parser = argparse.ArgumentParser(description="Runs the long forms of the tests.")
    parser.add_argument("--part", choices=PARTS, help="one of them only")
    parser.add_argument("--seed", type=int, help="begin with this seed")
    arguments = parser.parse_args()
    LOGS.mkdir(parents=True, exist_ok=True)
    try:
        build()
    except Failure as failure:
        print(f"error: {failure}", file=sys.stderr)
        return 2
    failed = [name for name in ([arguments.part] if arguments.part else PARTS) if not run(name, arguments.seed)]
    if failed:
        print(f"error: {', '.join(failed)} failed", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
