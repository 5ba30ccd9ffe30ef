"""`make import`: uploads a file of another system's referrals, in parts that the API takes, and follows its rows.

Nothing of the file's content is shown: its rows are named by their lines.
"""

from __future__ import annotations

import argparse
import os
import re
import signal
import sys
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any
from urllib.parse import urlencode

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

import import_parts
import remote
import settings as configuration
from failure import Failure
from import_parts import Format, Part
from remote import Api, Refusal, Remote

PATH = "/api/reputation/imports"
HINTS = {403: "owners and admins may import", 404: "there is no such import at this address"}
ROWS_PAGE = 500
OUTCOMES = ("created", "unchanged", "failed")
POLL_SECONDS = 1.0
# Where nobody sees a bar, so often a line says how far it is.
TELL_SECONDS = 10.0
# What a worker that died had in hand is taken up again after some minutes.
STUCK_SECONDS = 1200


@dataclass
class Upload:
    """A part that the API has taken in."""

    part: Part
    id: str
    rows: dict[str, int]
    is_done: bool = False
    # Line of the file, and what is wrong with the row.
    failed: list[tuple[int, str]] = field(default_factory=list)


@dataclass
class Outcome:
    is_dry: bool
    total: Counter[str] = field(default_factory=Counter)
    failed: list[tuple[int, str]] = field(default_factory=list)
    # What is wrong with the file or came between, and how many of its rows were not uploaded because of it.
    refused: list[str] = field(default_factory=list)
    left_out: int = 0
    # Imports that were not followed to their end, and those whose failed rows were not all read.
    unfinished: list[str] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        return not (self.total["failed"] or self.refused)


class Screen:
    """A bar where somebody sees it, lines elsewhere; on standard error either way."""

    def __init__(self, rows: int) -> None:
        console = Console(stderr=True)
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self.progress = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        self._bar = self.progress.add_task("rows", total=rows)
        self._total = rows
        self._told = time.monotonic()

    def say(self, text: str) -> None:
        self.progress.console.print(text, style="dim", highlight=False, markup=False, soft_wrap=True)

    def show(self, done: int) -> None:
        self.progress.update(self._bar, completed=done)
        if self.progress.disable and time.monotonic() - self._told >= TELL_SECONDS:
            self._told = time.monotonic()
            self.say(f"{done:,} of {self._total:,} rows are done")


class Importer:
    def __init__(self, remote: Remote, form: Format, screen: Screen, *, is_dry: bool) -> None:
        self._remote = remote
        self._form = form
        self._screen = screen
        self._is_dry = is_dry
        self._uploads: list[Upload] = []

    def run(self, parts: list[Part]) -> Outcome:
        outcome = Outcome(self._is_dry)
        try:
            outcome.refused = self._upload_all(parts)
            self._follow()
        except Failure as failure:
            if not self._uploads:
                raise
            # What is known by now is told all the same.
            if str(failure) not in outcome.refused:
                outcome.refused.append(str(failure))
        outcome.left_out = sum(part.rows for part in parts[len(self._uploads) :])
        for upload in self._uploads:
            outcome.total.update({name: upload.rows[name] for name in ("total", "done", *OUTCOMES)})
            outcome.failed += upload.failed
            if not upload.is_done:
                outcome.unfinished.append(upload.id)
            if len(upload.failed) < upload.rows["failed"]:
                outcome.unread.append(upload.id)
        return outcome

    def _upload_all(self, parts: list[Part]) -> list[str]:
        """What is wrong with the first part that is refused; nothing goes up behind it."""
        for number, part in enumerate(parts, start=1):
            try:
                self._upload(part)
            except Refusal as refusal:
                # What is wrong here may be wrong in the next part too, and a mended file is imported as a whole anyway.
                return _told(refusal, part)
            if len(parts) > 1:
                self._screen.say(f"part {number} of {len(parts)} is uploaded")
            self._look()
        return []

    def _upload(self, part: Part) -> None:
        # The same name for every attempt: one whose answer was lost is answered again, and not done again.
        headers = {"Content-Type": self._form.media_type, "Idempotency-Key": f"import-{uuid.uuid4()}"}
        target = f"{PATH}?dryRun=true" if self._is_dry else PATH
        view = _body(self._remote.ask("POST", target, part.body, headers, status=202))
        self._uploads.append(Upload(part, view["id"], view["rows"]))

    def _look(self) -> None:
        for upload in self._uploads:
            if not upload.is_done:
                view = self._get(f"{PATH}/{upload.id}")
                upload.rows, upload.is_done = view["rows"], view["status"] == "COMPLETED"
                if upload.is_done:
                    # Now, and not in the end: a token may expire before that.
                    self._read_failed(upload)
        self._screen.show(self._done())

    def _get(self, target: str) -> dict[str, Any]:
        return _body(self._remote.ask("GET", target))

    def _done(self) -> int:
        return sum(upload.rows["done"] for upload in self._uploads)

    def _follow(self) -> None:
        done, moved = self._done(), time.monotonic()
        while any(not upload.is_done for upload in self._uploads):
            if time.monotonic() - moved > STUCK_SECONDS:
                minutes = STUCK_SECONDS // 60
                for upload in self._uploads:
                    if not upload.is_done:
                        self._read_failed(upload)
                raise Failure(f"no row was done for {minutes} minutes: see import-worker's alarms, then run it again")
            time.sleep(POLL_SECONDS)
            self._look()
            if self._done() != done:
                done, moved = self._done(), time.monotonic()

    def _read_failed(self, upload: Upload) -> None:
        cursor = "" if upload.rows["failed"] else None
        while cursor is not None:
            query = {"outcome": "FAILED", "limit": ROWS_PAGE} | ({"cursor": cursor} if cursor else {})
            page = self._get(f"{PATH}/{upload.id}/rows?{urlencode(query)}")
            for row in page["rows"]:
                errors = [
                    f"{error['column']} {error['code']}" if error.get("column") else error["code"]
                    for error in row["errors"]
                ]
                upload.failed.append((upload.part.line_in_file(row["line"]), ", ".join(errors)))
            cursor = page["nextCursor"]


def _body(answer: Any) -> dict[str, Any]:
    try:
        return dict(answer.json())
    except ValueError as error:
        raise Failure("the answer is no JSON: is this the API's address?") from error


def _told(refusal: Refusal, part: Part) -> list[str]:
    """What is wrong with the file, a line for each."""
    told = []
    for pointer, code in refusal.errors:
        place = re.fullmatch(r"/(lines|columns)/(\w+)", pointer or "")
        if place is None:
            return [str(refusal)]
        kind, name = place.groups()
        told.append(f"line {part.line_in_file(int(name))}: {code}" if kind == "lines" else f"column {name}: {code}")
    return told or [str(refusal)]


def report(outcome: Outcome) -> Iterator[str]:
    for line, errors in outcome.failed:
        yield f"line {line}: {errors}"
    total = outcome.total
    counts = ", ".join(f"{total[name]:,} {name}" for name in OUTCOMES)
    waiting = total["total"] - total["done"]
    yield f"{total['total']:,} rows: {counts}" + (f", {waiting:,} not done yet" if waiting else "")
    if total["unchanged"]:
        yield "Unchanged are rows that were here before."
    if outcome.is_dry:
        yield "Nothing was written: this was a dry run, and `created` are rows that would be."
    elif total["failed"]:
        yield "Mend the failed rows and import the file again: the others stay as they are."


def complaints(outcome: Outcome) -> Iterator[str]:
    yield from outcome.refused
    if outcome.unread:
        unread = outcome.total["failed"] - len(outcome.failed)
        yield f"{unread:,} failed rows are not listed: the rest is in the report of {', '.join(outcome.unread)}"
    if outcome.unfinished:
        again = "" if outcome.is_dry else "; run it again later, and what is done then counts as unchanged"
        yield f"what was uploaded goes on by itself as {', '.join(outcome.unfinished)}{again}"
    if outcome.left_out:
        yield f"{outcome.left_out:,} rows were not uploaded"


def run(api: Api, path: Path, *, is_dry: bool, max_rows: int, max_bytes: int) -> Outcome:
    form = import_parts.format_of(path)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise Failure(f"{path} cannot be read: {error.strerror}") from error
    parts = import_parts.split(content, form, max_bytes, max_rows)
    screen = Screen(sum(part.rows for part in parts))
    with remote.connected(api, screen.say, HINTS, watches=True) as conversation, screen.progress:
        return Importer(conversation, form, screen, is_dry=is_dry).run(parts)


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Imports a file of referrals and says what became of its rows.")
    parser.add_argument("file", help="a file whose name ends in .csv, .jsonl or .ndjson")
    parser.add_argument("--dry-run", action="store_true", help="check every row and write nothing")
    for name, most in (("--max-rows", import_parts.MAX_ROWS), ("--max-bytes", import_parts.MAX_BYTES)):
        parser.add_argument(name, type=int, default=most, help=f"of one request; the API takes {most:,}")
    return parser.parse_args()


def main() -> int:
    arguments = _arguments()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    try:
        if not arguments.file:
            raise Failure("name the file to import: make import FILE=referrals.csv")
        api = remote.find_api(configuration.from_environment(), os.environ, "make import FILE=referrals.csv")
        outcome = run(
            api,
            Path(arguments.file),
            is_dry=arguments.dry_run,
            max_rows=arguments.max_rows,
            max_bytes=arguments.max_bytes,
        )
    except Failure as failure:
        print(f"error: {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        text = "interrupted. What was uploaded goes on being imported; run it again, and that counts as unchanged"
        print(f"error: {text}", file=sys.stderr)
        return 130
    if outcome.total["total"]:
        print(*report(outcome), sep="\n")
    for line in complaints(outcome):
        print(f"error: {line}", file=sys.stderr)
    return 0 if outcome.is_clean else 1


if __name__ == "__main__":
    sys.exit(main())
