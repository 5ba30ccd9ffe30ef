"""`make fuzz`: looks for bytes of which what shared/fuzz says does not hold, for each target as long as for any other.

It begins with the committed corpus and leaves that alone: what it finds stays in .local/fuzz, where the next run goes
on from it. `--keep` puts into the committed corpus what reaches something new.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import toolbox
from failure import Failure

ROOT = Path(__file__).resolve().parents[2]
FUZZ = ROOT / "shared" / "fuzz"
STATE = ROOT / ".local" / "fuzz"
# A toolchain that is missing is for somebody to install, and not for rustup by itself.
NIGHTLY = {**os.environ, "RUSTUP_TOOLCHAIN": "nightly", "RUSTUP_AUTO_INSTALL": "0"}
DEFAULT_MINUTES = 10.0
# Longer than the longest file of the corpus: what goes wrong needs no more.
MAX_BYTES = 16_384
LIMITS = [f"-max_len={MAX_BYTES}", "-timeout=10", "-rss_limit_mb=2048"]


@dataclass(frozen=True)
class Found:
    executions: int
    coverage: int
    corpus: int
    crash: Path | None


def targets() -> list[str]:
    return sorted(path.stem for path in (FUZZ / "fuzz_targets").glob("*.rs"))


def require_nightly() -> str:
    """The machine that nightly builds for."""
    try:
        said = subprocess.run(["rustc", "-vV"], env=NIGHTLY, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        said = None
    host = re.search(r"^release: .*nightly.*$", said.stdout, re.MULTILINE) if said and said.returncode == 0 else None
    if said is None or host is None:
        raise Failure(
            "a nightly toolchain is missing: the fuzzer's instrumentation needs one. Install it with "
            "`rustup toolchain install nightly --profile minimal`. `make test` goes through the corpus without it"
        )
    return re.findall(r"^host: (\S+)$", said.stdout, re.MULTILINE)[0]


def build(host: str, names: list[str]) -> Path:
    """The folder of the built targets."""
    manifest = ["--manifest-path", str(FUZZ / "Cargo.toml")]
    if _run(["cargo", "tree", "--locked", "--quiet", "--depth", "0", *manifest], quiet=True) != 0:
        raise Failure("shared/fuzz/Cargo.lock does not fit its Cargo.toml: the test shared/tests/corpus.rs says where")
    tool = toolbox.cargo_tool("cargo-fuzz", toolbox.CARGO_FUZZ)
    # Address sanitizer finds what unsafe code does wrong. Ours has none, and without it targets build and run faster.
    options = ["--sanitizer", "none", "--fuzz-dir", str(FUZZ), "--target-dir", str(STATE / "target")]
    if _run([str(tool), "build", *options, *(names if len(names) == 1 else [])]) != 0:
        raise Failure("the targets could not be built")
    return STATE / "target" / host / "release"


def _run(command: list[str], quiet: bool = False) -> int:
    output = subprocess.DEVNULL if quiet else None
    return subprocess.run(command, cwd=ROOT, env=NIGHTLY, stdout=output, stderr=output, check=False).returncode


def search(binary: Path, seconds: int, seed: int) -> Found:
    name = binary.name
    finds, crashes, log = STATE / "corpus" / name, STATE / "crashes" / name, STATE / f"{name}.log"
    for folder in (finds, crashes):
        folder.mkdir(parents=True, exist_ok=True)
    options = [f"-max_total_time={seconds}", f"-seed={seed}", "-print_final_stats=1", f"-artifact_prefix={crashes}/"]
    # What is new goes into the folder that is named first.
    command = [str(binary), str(finds), str(FUZZ / "corpus" / name), *options, *LIMITS]
    with log.open("wb") as output:
        code = subprocess.run(command, cwd=ROOT, stdout=output, stderr=output, check=False).returncode
    text = log.read_text(errors="replace")
    written = re.findall(r"Test unit written to (.+)", text)
    if code != 0 and not written:
        raise Failure(f"{name} could not run: {log} says why")
    return Found(
        executions=_last(r"stat::number_of_executed_units: +(\d+)", text) or _last(r"^#(\d+)\t", text),
        coverage=_last(r" cov: (\d+)", text),
        corpus=_last(r" corp: (\d+)", text),
        # What was only slow is written down, too.
        crash=Path(written[-1]) if code != 0 else None,
    )


def _last(pattern: str, text: str) -> int:
    numbers = re.findall(pattern, text, re.MULTILINE)
    return int(numbers[-1]) if numbers else 0


def keep(binary: Path) -> None:
    """The fewest finds that reach what nothing committed reaches, as `cargo fuzz cmin` would choose them."""
    folders = [str(FUZZ / "corpus" / binary.name), str(STATE / "corpus" / binary.name)]
    # To have gone there more often is nothing new: that alone would make thousands of files.
    options = ["-set_cover_merge=1", "-use_counters=0", "-max_len=2048"]
    if _run([str(binary), *options, *folders], quiet=True) != 0:
        raise Failure(f"the corpus of {binary.name} could not be merged")


def main() -> int:
    parser = argparse.ArgumentParser(description="Fuzzes the parsers.")
    parser.add_argument("--minutes", type=float, default=DEFAULT_MINUTES, help="for all targets together")
    parser.add_argument("--target", choices=targets(), help="one target only")
    parser.add_argument("--seed", type=int, default=random.randrange(1, 2**31))  # noqa: S311
    parser.add_argument("--keep", action="store_true", help="add to the committed corpus what reaches something new")
    arguments = parser.parse_args()
    names = [arguments.target] if arguments.target else targets()
    seconds = max(1, round(arguments.minutes * 60 / len(names)))
    toolbox.prerequisites()
    crashes = []
    try:
        binaries = build(require_nightly(), names)
        print(f"seed {arguments.seed}, {seconds} s for each target, logs in .local/fuzz")
        print(f"{'target':<12} {'time':>8} {'executions':>12} {'coverage':>9} {'corpus':>7}  crashes")
        for name in names:
            begun = time.monotonic()
            found = search(binaries / name, seconds, arguments.seed)
            took = f"{time.monotonic() - begun:.0f} s"
            numbers = f"{found.executions:>12,} {found.coverage:>9,} {found.corpus:>7,}"
            print(f"{name:<12} {took:>8} {numbers}  {0 if found.crash is None else 1}", flush=True)
            if found.crash:
                crashes.append((binaries / name, found.crash))
            elif arguments.keep:
                keep(binaries / name)
    except Failure as failure:
        print(f"error: {failure}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("error: interrupted; what was found is in .local/fuzz", file=sys.stderr)
        return 130
    for binary, crash in crashes:
        print(f"error: {binary.name} does not stand {crash.relative_to(ROOT)}", file=sys.stderr)
        again = f"{binary.relative_to(ROOT)} {crash.relative_to(ROOT)}"
        print(f"  why:       .local/fuzz/{binary.name}.log", file=sys.stderr)
        print(f"  again:     {again}", file=sys.stderr)
        print(f"  smaller:   {again} -minimize_crash=1 -runs=100000", file=sys.stderr)
        print(f"  for good:  copy it to shared/fuzz/corpus/{binary.name}, where `make test` reads it", file=sys.stderr)
    return 1 if crashes else 0


if __name__ == "__main__":
    sys.exit(main())
