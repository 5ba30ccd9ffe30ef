"""`make export`: all referrals that a token may see, as one CSV file.

The file is there whole or not at all: it is written beside the target, and takes its name when it is complete. It holds
names and addresses, so only its owner may read it.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import BinaryIO

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

import csv_pages
import remote
import settings as configuration
from failure import Failure
from remote import Api


def export(api: Api, filters: str, target: Path, progress: Progress) -> int:
    """Writes the file, and says how many referrals it holds."""

    def say(text: str) -> None:
        progress.console.print(text, style="dim", highlight=False, soft_wrap=True)

    header, count = None, 0
    # Nobody knows the number before the last page.
    bar = progress.add_task("referrals", total=None, count=0)
    with _whole(target) as file:
        for page in csv_pages.read(api, filters, say):
            if header is None:
                header = page.header
                file.write(header)
            elif header != page.header:
                raise Failure("the API's columns changed meanwhile. Run the export again")
            file.write(page.rows)
            count += page.count
            progress.update(bar, count=count)
    progress.update(bar, total=1, completed=1)
    return count


@contextlib.contextmanager
def _whole(target: Path) -> Iterator[BinaryIO]:
    """A file that becomes the target in the end, and is gone when anything came between."""
    if target.is_dir():
        raise Failure(f"{target} is a directory: name a file")
    try:
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent)
    except OSError as error:
        raise Failure(f"{target.parent} cannot be written to: {error.strerror}") from error
    unfinished = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(target)
    except OSError as error:
        raise Failure(f"{target} cannot be written: {error.strerror}") from error
    finally:
        unfinished.unlink(missing_ok=True)


def _progress() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[count]:,}"), TimeElapsedColumn())
    return Progress(*columns, console=Console(stderr=True), transient=True)


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def main() -> int:
    parser = argparse.ArgumentParser(description="All referrals as one CSV file.")
    parser.add_argument("file", help="what to write; a file of that name is replaced when the export is complete")
    parser.add_argument("--filter", default="", help="query parameters of the list, like status=CONVERTED")
    arguments = parser.parse_args()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    try:
        if not arguments.file:
            raise Failure("name the file to write: make export FILE=referrals.csv")
        api = remote.find_api(configuration.from_environment(), os.environ, "make export FILE=referrals.csv")
        with _progress() as progress:
            count = export(api, arguments.filter.removeprefix("?"), Path(arguments.file), progress)
    except Failure as failure:
        print(f"error: {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("error: interrupted, nothing was written", file=sys.stderr)
        return 130
    print(f"{count:,} referrals are in {arguments.file}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
