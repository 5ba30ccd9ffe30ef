"""What `make package` made, written down beside it, and whether that is still what is to be deployed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import packages
from failure import Failure
from settings import FUNCTIONS, ROOT

DIRECTORY = ROOT / ".local" / "package"
NAME = "manifest.json"
# Whatever a function is built from, in this project.
SOURCES = ("Cargo.toml", "Cargo.lock", "rust-toolchain.toml", ".cargo/config.toml", "shared", "functions")
# Their tests and what fuzzing found, which nobody builds a function from.
NOT_SOURCES = ("shared/tests", "shared/fuzz")


@dataclass(frozen=True)
class Package:
    sha256: str
    bytes: int
    glibc: str


@dataclass(frozen=True)
class Manifest:
    architecture: str
    compiler: str
    sources: str
    packages: dict[str, Package]

    def write(self, directory: Path) -> None:
        (directory / NAME).write_text(json.dumps(asdict(self), indent=2) + "\n")

    def build(self, directory: Path) -> packages.Build:
        """As it is uploaded: under a prefix that carries the hash of it all."""
        lines = "\n".join(f"{name} {entry.sha256}" for name, entry in sorted(self.packages.items()))
        digest = hashlib.sha256(lines.encode()).hexdigest()[: packages.HASH_LENGTH]
        return packages.Build(f"{packages.BUILDS}{digest}", {name: directory / f"{name}.zip" for name in self.packages})


def digest_of(path: Path) -> str:
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def sources(root: Path = ROOT) -> str:
    """The hash of what the functions are built from, names included."""
    digest = hashlib.sha256()
    for path in sorted(_files(root)):
        digest.update(f"{path.relative_to(root).as_posix()} {digest_of(path)}\n".encode())
    return digest.hexdigest()


def _files(root: Path) -> Iterator[Path]:
    left_out = [root / name for name in NOT_SOURCES]
    for name in SOURCES:
        place = root / name
        if place.is_file():
            yield place
            continue
        for path in place.rglob("*"):
            if path.is_file() and not any(path.is_relative_to(other) for other in left_out):
                yield path


def read(directory: Path) -> Manifest:
    again = f"make package ARCH={directory.name}"
    try:
        content = json.loads((directory / NAME).read_text())
        entries = {name: Package(**entry) for name, entry in content.pop("packages").items()}
        return Manifest(**content, packages=entries)
    except FileNotFoundError as error:
        raise Failure(f"nothing was packaged for {directory.name} yet: {again}") from error
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise Failure(f"{directory / NAME} cannot be read. Make it again: {again}") from error


def verified(directory: Path, root: Path = ROOT) -> Manifest:
    """The manifest, once it is certain that it speaks of these packages and they of these sources."""
    manifest = read(directory)
    again = f"make package ARCH={directory.name}"
    if set(manifest.packages) != set(FUNCTIONS) or manifest.architecture != directory.name:
        raise Failure(f"{directory / NAME} does not have the functions of this project. Make it again: {again}")
    for name, entry in manifest.packages.items():
        package = directory / f"{name}.zip"
        if not package.is_file() or digest_of(package) != entry.sha256:
            raise Failure(f"{package} is not what the manifest says. Make it again: {again}")
    if manifest.sources != sources(root):
        raise Failure(f"the sources have changed since they were packaged. Make the packages again: {again}")
    return manifest
