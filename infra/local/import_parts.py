"""A file of referrals in parts that one request takes. Records stay whole, byte for byte; their lines stay known."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from failure import Failure

# What one request takes.
MAX_BYTES = 3_000_000
MAX_ROWS = 5_000
# Of the cells of one row.
MAX_ROW_BYTES = 32_768

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
# What stands where text could not be read.
REPLACEMENT = "\ufffd".encode()
LINE_END = rb"(?:\r\n|\r|\n|\Z)"
# A cell in quotes may hold line ends, and says a quote twice. Elsewhere a quote is a character like any other.
CELL = rb'(?:"(?:[^"]++|"")*+"|(?!")[^,\r\n]*+)'
RECORD = re.compile(CELL + rb"(?:," + CELL + rb")*+" + LINE_END)
LINE = re.compile(rb"[^\r\n]*+" + LINE_END)
CELLS = re.compile(rb"(" + CELL + rb")(?:,|" + LINE_END + rb")")


class Format(Enum):
    CSV = "text/csv"
    JSON_LINES = "application/x-ndjson"

    @property
    def media_type(self) -> str:
        return self.value


def format_of(path: Path) -> Format:
    formats = {".csv": Format.CSV, ".jsonl": Format.JSON_LINES, ".ndjson": Format.JSON_LINES}
    found = formats.get(path.suffix.lower())
    if found is None:
        raise Failure(f"{path.name}: the name has to end in .csv, .jsonl or .ndjson, to say what it is")
    return found


@dataclass(frozen=True)
class Part:
    body: bytes
    rows: int
    # Lines of the header, which each part begins with.
    header_lines: int
    # Lines between the header and the first row of this part, that other parts have.
    lines_before: int

    def line_in_file(self, line: int) -> int:
        """Where the file has what the part has in this line."""
        return line if line <= self.header_lines else line + self.lines_before


@dataclass(frozen=True)
class _Record:
    content: bytes
    line: int


def split(content: bytes, form: Format, max_bytes: int = MAX_BYTES, max_rows: int = MAX_ROWS) -> list[Part]:
    """The parts in the order of the file: one, which is the file to the byte, where it is small enough."""
    _check_encoding(content)
    header, records = _records(content, form)
    if len(content) <= max_bytes and len(records) <= max_rows:
        return [Part(content, len(records), 0, 0)]
    if not records:
        raise Failure("line 1: no_rows")
    header_lines = _lines(header)
    parts = []
    for taken in _groups(records, max_bytes - len(header), max_rows):
        # What the API would refuse of a part is found before any of them is there.
        _check_rows(taken, form)
        body = header + b"".join(record.content for record in taken)
        parts.append(Part(body, len(taken), header_lines, taken[0].line - header_lines - 1))
    return parts


def _groups(records: list[_Record], max_bytes: int, max_rows: int) -> Iterator[list[_Record]]:
    taken: list[_Record] = []
    size = 0
    for record in records:
        if len(record.content) > max_bytes:
            raise Failure(f"line {record.line}: row_too_large. Is a quote missing before it?")
        if taken and (len(taken) == max_rows or size + len(record.content) > max_bytes):
            yield taken
            taken, size = [], 0
        taken.append(record)
        size += len(record.content)
    yield taken


def _check_rows(records: list[_Record], form: Format) -> None:
    loose = None
    count = 0
    for record in records:
        if len(record.content) > MAX_ROW_BYTES and _cell_bytes(record, form) > MAX_ROW_BYTES:
            raise Failure(f"line {record.line}: row_too_large. Is a quote missing before it?")
        if form is Format.CSV and b'"' in record.content:
            quotes = sum(cell.count(b'"') for cell in CELLS.findall(record.content) if not cell.startswith(b'"'))
            loose = record.line if loose is None and quotes else loose
            count += quotes
    if count % 2:
        raise Failure(f"line {loose}: unbalanced_quotes. A quote in the row that begins there stands alone")


def _cell_bytes(record: _Record, form: Format) -> int:
    text = record.content.decode("utf-8-sig").strip("\r\n")
    csv.field_size_limit(len(text))
    try:
        cells = next(csv.reader(io.StringIO(text, newline=""))) if form is Format.CSV else json.loads(text).values()
    except (AttributeError, ValueError):
        # No object: an error of the row.
        return 0
    return sum(len(str(cell).encode()) for cell in cells)


def _records(content: bytes, form: Format) -> tuple[bytes, list[_Record]]:
    """The header with what stands before it, and the records with the empty lines before them."""
    start = len(BYTE_ORDER_MARK) if content.startswith(BYTE_ORDER_MARK) else 0
    pattern = RECORD if form is Format.CSV else LINE
    found = list(_whole(content, start, pattern))
    if form is Format.CSV and found:
        header = content[:start] + found[0].content
        return header, found[1:]
    # The mark stays with the first record.
    return b"", [_Record(content[:start] + found[0].content, 1), *found[1:]] if found else []


def _whole(content: bytes, start: int, pattern: re.Pattern[bytes]) -> Iterator[_Record]:
    place, line, empty, first = start, 1, b"", 1
    while place < len(content):
        match = pattern.match(content, place)
        if match is None:
            raise Failure(f"line {line}: unbalanced_quotes. A quote of the row that begins there is never closed")
        record, place = match.group(), match.end()
        first = first if empty else line
        line += _lines(record)
        if record.strip(b"\r\n"):
            yield _Record(empty + record, first)
            empty = b""
        else:
            # It is no row, but the lines behind it count on.
            empty += record


def _check_encoding(content: bytes) -> None:
    try:
        content.decode()
    except UnicodeDecodeError as error:
        wrong = error.start
    else:
        wrong = content.find(REPLACEMENT)
    if wrong >= 0:
        raise Failure(f"line {_lines(content[:wrong]) + 1}: not_utf8. Save the file as UTF-8")


def _lines(content: bytes) -> int:
    """Line ends, each of the three kinds one."""
    return content.count(b"\n") + content.count(b"\r") - content.count(b"\r\n")
