"""`make package`: the functions as they run on Lambda, a zip for each, whatever this machine's own glibc is.

Zig brings a C compiler, a linker and the names in every glibc; cargo-zigbuild tells cargo to use them.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "infra" / "local"))

import glibc  # noqa: E402
import manifest  # noqa: E402
import packages  # noqa: E402
from failure import Failure  # noqa: E402
from settings import FUNCTIONS  # noqa: E402

TARGETS = {"x86_64": "x86_64-unknown-linux-gnu", "arm64": "aarch64-unknown-linux-gnu"}
# Neither the debug build nor the bench's is disturbed.
BUILT = ROOT / "target" / "package"
CACHE = manifest.DIRECTORY / "cache"
MEGABYTE = 1_000_000


def package(architecture: str) -> manifest.Manifest:
    target = TARGETS[architecture]
    _has_target(target)
    # Before the build: what is changed during it is not in it for certain.
    sources = manifest.sources()
    _build(target)
    directory = manifest.DIRECTORY / architecture
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    found = {}
    for name in FUNCTIONS:
        binary = BUILT / target / "release" / name
        wants = glibc.check(binary, architecture)
        zipped = directory / f"{name}.zip"
        packages.make_zip(binary, zipped, packages.SMALLEST)
        found[name] = manifest.Package(
            manifest.digest_of(zipped), zipped.stat().st_size, ".".join(map(str, wants.glibc))
        )
    made = manifest.Manifest(architecture, _said("rustc", "--version"), sources, found)
    made.write(directory)
    return made


def _build(target: str) -> None:
    command = [
        "cargo-zigbuild", "zigbuild", "--release", "--locked",
        "--target", f"{target}.{'.'.join(map(str, glibc.NEWEST_GLIBC))}",
    ]  # fmt: skip
    command += [word for name in FUNCTIONS for word in ("--package", name)]
    print(f"$ {' '.join(command)}", flush=True)
    if subprocess.run(command, cwd=ROOT, env=_environment(), check=False).returncode != 0:
        raise Failure("the release build failed")


def _environment() -> dict[str, str]:
    """Nothing of this machine gets into a binary: the same sources are the same package, wherever they lie."""
    # `make` inside of `make` hands its job server down, which cargo would take part in.
    inherited = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MFLAGS", "RUSTFLAGS")}
    home = os.environ.get("CARGO_HOME") or str(Path.home() / ".cargo")
    flags = [f"--remap-path-prefix={place}={name}" for place, name in ((home, "/cargo"), (ROOT, "/project"))]
    return {
        **inherited,
        # cargo-zigbuild and Zig's Python are found there.
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]),
        "CARGO_TARGET_DIR": str(BUILT),
        "CARGO_ENCODED_RUSTFLAGS": "\x1f".join(flags),
        "CARGO_ZIGBUILD_CACHE_DIR": str(CACHE / "zigbuild"),
        "ZIG_GLOBAL_CACHE_DIR": str(CACHE / "zig"),
        "ZIG_LOCAL_CACHE_DIR": str(CACHE / "zig"),
    }


def _has_target(target: str) -> None:
    """The standard library for Lambda's machine is there, or is fetched with rustup."""
    libraries = Path(_said("rustc", "--print", "sysroot")) / "lib" / "rustlib" / target / "lib"
    if any(libraries.glob("libstd-*.rlib")):
        return
    if shutil.which("rustup") is None:
        raise Failure(
            f"Rust's standard library for {target} is missing, and there is no rustup to fetch it. Install Rust with "
            f"rustup (https://rustup.rs), or your distribution's package of that library"
        )
    print(f"$ rustup target add {target}", flush=True)
    if subprocess.run(["rustup", "target", "add", target], cwd=ROOT, check=False).returncode != 0:
        raise Failure(f"Rust's standard library for {target} could not be fetched: rustup target add {target}")


def _said(*command: str) -> str:
    try:
        return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError) as error:
        raise Failure(f"`{' '.join(command)}` failed: {getattr(error, 'stderr', None) or error}") from error


def here() -> str:
    return "arm64" if platform.machine().lower() in ("arm64", "aarch64") else "x86_64"


def summary(made: manifest.Manifest) -> str:
    lines = [
        f"  {name:<18} {entry.bytes / MEGABYTE:6.2f} MB   glibc {entry.glibc:<5}  sha256 {entry.sha256[:16]}"
        for name, entry in made.packages.items()
    ]
    total = sum(entry.bytes for entry in made.packages.values())
    return "\n".join([*lines, f"  {'all':<18} {total / MEGABYTE:6.2f} MB"])


def main() -> int:
    parser = argparse.ArgumentParser(description="Packages the functions for Lambda.")
    parser.add_argument("architecture", nargs="?", default=here(), help=f"one of {', '.join(TARGETS)}")
    architecture = parser.parse_args().architecture
    try:
        if architecture not in TARGETS:
            raise Failure(f"ARCH must be one of {', '.join(TARGETS)}, not {architecture!r}")
        made = package(architecture)
    except Failure as failure:
        print(f"error: {failure}", file=sys.stderr)
        return 1
    directory = (manifest.DIRECTORY / architecture).relative_to(ROOT)
    print(f"{summary(made)}\nPackaged for {architecture} into {directory}, with {manifest.NAME}.", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
