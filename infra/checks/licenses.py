"""The page of what ships in the functions: each package with its version and licence, as cargo resolves it.

`make licenses` writes it, `make check` compares it. Asks no network: cargo has the packages that it builds from.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "infra" / "docs" / "LICENSES.md"
TARGETS = ("x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu")
# One line for each package: name and version, licence, where it is kept.
FORMAT = "{p}|{l}|{r}"
LINE = re.compile(r"(?P<name>\S+) v(?P<version>\S+)(?P<path> \(/.*\))?\|(?P<licence>[^|]*)\|(?P<home>.*)")
# What the build itself adds, which no manifest names.
ADDED = """Beside them, each function holds parts of Rust's standard library (MIT OR Apache-2.0) and, as packaged, of
Zig's build of LLVM's libunwind and of its compiler runtime (Apache-2.0 WITH LLVM-exception; Zig's own parts MIT). glibc
is not in it: Lambda has its own."""


def functions() -> list[str]:
    return sorted(path.parent.name for path in (ROOT / "functions").glob("*/Cargo.toml"))


def listed() -> str:
    # Without what only builds or tests them, and without macros, which run in the compiler.
    command = ["cargo", "tree", "--locked", "--edges", "normal,no-proc-macro", "--prefix", "none", "--format", FORMAT]
    command += [word for target in TARGETS for word in ("--target", target)]
    command += [word for name in functions() for word in ("--package", name)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"error: cargo tree failed: {done.stderr.strip()}")
    return done.stdout


def packages(tree: str) -> list[tuple[str, str, str, str]]:
    """Name, version, licence, home of each package of others, once."""
    found = set()
    for line in tree.splitlines():
        # Seen before, and not shown again with what it needs.
        entry = LINE.fullmatch(line.removesuffix(" (*)"))
        if not line.strip():
            continue
        if entry is None:
            raise SystemExit(f"error: cargo tree said something unexpected: {line}")
        if entry["path"]:
            continue
        if not entry["licence"]:
            raise SystemExit(f"error: {entry['name']} {entry['version']} does not say its licence")
        found.add((entry["name"], entry["version"], entry["licence"], entry["home"]))
    return sorted(found)


def page(found: list[tuple[str, str, str, str]]) -> str:
    licences = Counter(licence for _, _, licence, _ in found)
    rows = "\n".join(
        f"| {f'[{name}]({home})' if home else name} | {version} | {licence} |" for name, version, licence, home in found
    )
    sums = "\n".join(f"| {licence} | {count} |" for licence, count in sorted(licences.items()))
    return f"""# Licences

Written by `make licenses`, checked by `make check`. Our own code is MIT licensed. These {len(found)} packages of others
are compiled into one or more of the functions; each carries its licence's text in its own archive. `cargo deny` refuses
what is not on the list in `deny.toml`.

{ADDED}

| Licence | Packages |
| --- | --- |
{sums}

| Package | Version | Licence |
| --- | --- | --- |
{rows}
"""


def main() -> int:
    parser = argparse.ArgumentParser(description="Writes the page of licences, or checks that it is current.")
    parser.add_argument("--check", action="store_true", help="write nothing")
    is_check = parser.parse_args().check
    wanted = page(packages(listed()))
    if not is_check:
        PAGE.write_text(wanted)
    elif not PAGE.is_file() or PAGE.read_text() != wanted:
        print(f"{PAGE.relative_to(ROOT)} is not current. Write it anew: make licenses", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
