"""The browser of the tests: Chromium where there is one, else Debian's, installed where that is allowed.

As a program it sees to it that there is one. Runs under whatever `python3` is there: standard library only.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence

NAMES = ("chromium", "chromium-browser", "google-chrome")
# With the fonts: without any, a page is boxes.
PACKAGES = ("chromium", "fonts-dejavu-core", "fonts-liberation")
OTHERWISE = "install Chromium, or name one: CHROMIUM=/path/to/chrome make test-browser"


class Missing(Exception):
    """There is no browser. Its text says what to do, in one line."""


def find(environment: Mapping[str, str] = os.environ) -> str:
    path = environment.get("PATH", "")
    named = environment.get("CHROMIUM")
    if named:
        found = shutil.which(named, path=path)
        if found is None:
            raise Missing(f"CHROMIUM names {named}, which is no program")
        return found
    for name in NAMES:
        if found := shutil.which(name, path=path):
            return found
    raise Missing(f"Chromium is missing: {OTHERWISE}")


def find_or_install(environment: Mapping[str, str] = os.environ, *, is_root: bool | None = None) -> str:
    try:
        return find(environment)
    except Missing:
        if environment.get("CHROMIUM"):
            raise
    _install(environment, is_root=os.geteuid() == 0 if is_root is None else is_root)
    return find(environment)


def _install(environment: Mapping[str, str], *, is_root: bool) -> None:
    path = environment.get("PATH", "")
    if shutil.which("apt-get", path=path) is None:
        raise Missing(f"Chromium is missing, and there is no apt-get to install it with: {OTHERWISE}")
    privileged: list[str] = []
    if not is_root:
        # Never a question for a password in the middle of a build.
        privileged = ["sudo", "-n"]
        if shutil.which("sudo", path=path) is None or _run([*privileged, "true"], environment).returncode != 0:
            raise Missing("Chromium is missing. On Debian: sudo apt-get install chromium fonts-liberation")
    print(f"Installing {', '.join(PACKAGES)} ...", flush=True)
    for step in (["update"], ["install", "--yes", "--no-install-recommends", *PACKAGES]):
        quietly = {**environment, "DEBIAN_FRONTEND": "noninteractive"}
        done = _run([*privileged, "apt-get", "-qq", *step], quietly)
        if done.returncode != 0:
            said = " ".join(done.stdout.split())[-300:]
            raise Missing(f"Chromium is missing, and apt-get {step[0]} failed: {said}")


def _run(command: Sequence[str], environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, env=dict(environment), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )


def main() -> int:
    try:
        find_or_install()
    except Missing as missing:
        print(f"error: {missing}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
