"""Function packages: each binary as a zip with `bootstrap` inside, made again only when the binary changed."""

from __future__ import annotations

import hashlib
import os
import shutil
import zipfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from failure import Failure
from settings import ADMIN_TOOL, FUNCTIONS, Settings

HASH_LENGTH = 20
BUILDS = "builds/"
# The packages live on this machine only, and debug binaries are large: quick beats small.
COMPRESSION_LEVEL = 1
# What is uploaded to AWS is uploaded once, and fetched at every cold start.
SMALLEST = 9


@dataclass(frozen=True)
class Build:
    """One build's packages. The prefix carries the hash of them all, as the template asks."""

    prefix: str
    packages: dict[str, Path]


def make(settings: Settings) -> Build:
    missing = [name for name in (*FUNCTIONS, ADMIN_TOOL) if not settings.binary(name).is_file()]
    if missing:
        raise Failure(f"{', '.join(missing)} not found in {settings.bin_directory}. Build first: make build")
    store = settings.directory / "artifacts"
    store.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor() as pool:
        packages = dict(zip(FUNCTIONS, pool.map(lambda name: _package(settings, store, name), FUNCTIONS), strict=True))
    # The packages are named by content, so their names say it all.
    digest = hashlib.sha256("\n".join(path.name for path in packages.values()).encode()).hexdigest()
    _forget_old(store, set(packages.values()))
    return Build(prefix=f"{BUILDS}{digest[:HASH_LENGTH]}", packages=packages)


def make_bucket(s3: Any, bucket: str) -> None:
    if bucket not in {entry["Name"] for entry in s3.list_buckets()["Buckets"]}:
        s3.create_bucket(Bucket=bucket)


def upload(s3: Any, bucket: str, build: Build) -> None:
    keys = {f"{build.prefix}/{name}.zip": path for name, path in build.packages.items()}
    there = s3.list_objects_v2(Bucket=bucket, Prefix=f"{build.prefix}/")
    present = {entry["Key"] for entry in there.get("Contents", [])}
    for key, path in keys.items():
        if key not in present:
            with path.open("rb") as body:
                s3.put_object(Bucket=bucket, Key=key, Body=body)


def forget_other_uploads(s3: Any, bucket: str, build: Build) -> None:
    """Old builds are held in the emulator's memory, and each is large."""
    for entry in s3.list_objects_v2(Bucket=bucket, Prefix=BUILDS).get("Contents", []):
        if not entry["Key"].startswith(f"{build.prefix}/"):
            s3.delete_object(Bucket=bucket, Key=entry["Key"])


def _package(settings: Settings, store: Path, name: str) -> Path:
    binary = settings.binary(name)
    with binary.open("rb") as source:
        digest = hashlib.file_digest(source, "sha256").hexdigest()
    package = store / f"{name}-{digest[:HASH_LENGTH]}.zip"
    if not package.exists():
        unfinished = package.with_suffix(f".{os.getpid()}.part")
        make_zip(binary, unfinished, COMPRESSION_LEVEL)
        unfinished.replace(package)
    return package


def make_zip(binary: Path, package: Path, level: int) -> None:
    # A fixed date and mode: the same binary is the same package, whoever makes it and when.
    entry = zipfile.ZipInfo("bootstrap", date_time=(1980, 1, 1, 0, 0, 0))
    entry.create_system = 3
    entry.external_attr = 0o100755 << 16
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.file_size = binary.stat().st_size
    with zipfile.ZipFile(package, "w", compresslevel=level) as archive:
        entry._compresslevel = level  # noqa: SLF001 - ZipFile.open() takes the level from nowhere else
        with binary.open("rb") as source, archive.open(entry, "w") as target:
            shutil.copyfileobj(source, target, 1 << 20)


def _forget_old(store: Path, wanted: set[Path]) -> None:
    for path in store.iterdir():
        if path.suffix == ".zip" and path not in wanted:
            path.unlink(missing_ok=True)
