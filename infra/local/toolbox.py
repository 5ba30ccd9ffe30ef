"""What the other commands stand on: prerequisites said in a line each, and locked virtual environments.

Runs under whatever `python3` is there, before anything is installed: standard library only, and old syntax.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OLDEST_PYTHON = (3, 11)
ENVIRONMENTS = {
    "local": "infra/local/requirements.txt",
    "browser": "infra/browser/requirements.txt",
    "checks": "infra/checks/requirements.txt",
    "deploy": "infra/deploy/requirements.txt",
}
TOOLS = ROOT / ".local" / "tools"
CARGO_DENY = "0.20.2"
CARGO_FUZZ = "0.13.2"
CARGO_MUTANTS = "27.1.0"


def prerequisites() -> None:
    missing = []
    if sys.version_info < OLDEST_PYTHON:
        missing.append(
            "Python 3.11 or newer is needed, this is %d.%d. Name another one: make PYTHON=python3.12 ..."
            % sys.version_info[:2]
        )
    # Debian ships Python without them.
    elif not (importlib.util.find_spec("ensurepip") and importlib.util.find_spec("venv")):
        missing.append("Python's venv module is missing. On Debian and Ubuntu: apt install python3-venv")
    if shutil.which("cargo") is None:
        missing.append("cargo is missing. Install Rust with rustup (https://rustup.rs)")
    if shutil.which("cc") is None:
        missing.append("A C compiler (cc) is missing. On Debian and Ubuntu: apt install build-essential")
    if missing:
        raise SystemExit("\n".join("error: " + line for line in missing))


def environment(name: str) -> None:
    """Install the locked packages, unless exactly these are there."""
    lock = ROOT / ENVIRONMENTS[name]
    directory = ROOT / ".venv" / name
    marker = directory / "installed"
    python = directory / "bin" / "python"
    wanted = hashlib.sha256(lock.read_bytes() + sys.version.encode()).hexdigest()
    if python.exists() and marker.exists() and marker.read_text() == wanted:
        return
    print("Installing %s into .venv/%s ..." % (ENVIRONMENTS[name], name), flush=True)
    shutil.rmtree(str(directory), ignore_errors=True)
    _run([sys.executable, "-m", "venv", str(directory)])
    # Every package is named by the lock with its hashes, and none may run code of its own to be installed.
    pip = [str(python), "-m", "pip", "--quiet", "--disable-pip-version-check"]
    _run([*pip, "install", "--require-hashes", "--no-deps", "--only-binary", ":all:", "--requirement", str(lock)])
    _run([*pip, "check"])
    marker.write_text(wanted)


def cargo_tool(name: str, version: str) -> Path:
    """Build a tool of cargo's into .local/tools, unless that version is there."""
    tool = TOOLS / "bin" / name
    # Not each tool says its version alone; cargo knows what it has installed.
    listing = ["cargo", "install", "--list", "--root", str(TOOLS)]
    listed = subprocess.run(listing, stdout=subprocess.PIPE, check=False).stdout.decode().splitlines()
    if tool.exists() and "%s v%s:" % (name, version) in listed:
        return tool
    print("Building %s %s into .local/tools, once ..." % (name, version), flush=True)
    _run(["cargo", "install", "--quiet", "--locked", "--debug", "--root", str(TOOLS), name + "@" + version])
    return tool


def _run(command: list[str]) -> None:
    # `make` inside of `make` hands its job server down, which these tools have no use for.
    clean = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MFLAGS", "PYTHONPATH")}
    if subprocess.run(command, env=clean, check=False).returncode != 0:
        raise SystemExit("error: failed: " + " ".join(command))


def main() -> None:
    parser = argparse.ArgumentParser(description="Prerequisites and tools of this project.")
    parser.add_argument("environments", nargs="*", choices=[[], *ENVIRONMENTS], help="virtual environments to prepare")
    parser.add_argument("--cargo-deny", action="store_true", help="also build cargo-deny")
    arguments = parser.parse_args()
    prerequisites()
    for name in arguments.environments:
        environment(name)
    if arguments.cargo_deny:
        cargo_tool("cargo-deny", CARGO_DENY)


if __name__ == "__main__":
    main()
