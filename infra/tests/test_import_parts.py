"""Parts of a file to be imported: whole records, nothing lost, and each line known as the file's."""

from __future__ import annotations

import csv
import io
import itertools
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import import_parts
from failure import Failure
from import_parts import BYTE_ORDER_MARK, Format, format_of, split

HEADER = b"externalId,notes\r\n"
# What a splitter can stumble over.
CELLS = st.text(alphabet='ab,"\n\r é=\t', max_size=8)
ROWS = st.lists(st.tuples(CELLS, CELLS, CELLS), min_size=1, max_size=12)
SIZES = st.integers(min_value=1, max_value=6)


def written(rows, terminator, *, is_quoted=False):
    """The records of a file, its header first. Python's own writer leaves a bare carriage return without quotes."""

    def cell(text):
        return '"' + text.replace('"', '""') + '"' if is_quoted or set(text) & set(',"\r\n') else text

    return [(",".join(map(cell, row)) + terminator).encode() for row in [("one", "two", "three"), *rows]]


def lines(content):
    return len(content.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")) - 1


def read(body):
    """The cells of a part, without its header."""
    return [tuple(row) for row in csv.reader(io.StringIO(body.decode("utf-8-sig"), newline=""), strict=True)][1:]


@given(
    rows=ROWS,
    max_rows=SIZES,
    terminator=st.sampled_from(["\r\n", "\n", "\r"]),
    mark=st.sampled_from([b"", BYTE_ORDER_MARK]),
    flags=st.tuples(st.booleans(), st.booleans()),
)
def test_the_parts_hold_every_row_once_and_know_its_line(rows, max_rows, terminator, mark, flags):
    is_quoted, is_ended = flags
    records = written(rows, terminator, is_quoted=is_quoted)
    content = mark + b"".join(records)
    content = content if is_ended else content.removesuffix(terminator.encode())
    parts = split(content, Format.CSV, max_rows=max_rows)
    assert [row for part in parts for row in read(part.body)] == rows
    assert [part.rows for part in parts] == [len(rows[at : at + max_rows]) for at in range(0, len(rows), max_rows)]
    assert all(part.body.startswith(mark + records[0].rstrip(b"\r\n")) for part in parts)

    # Of each row: its line in its part, and where the file has it.
    begins, line = [], 1
    for record in records:
        begins.append(line)
        line += lines(record)
    told = []
    for number, part in enumerate(parts):
        line = 1 + lines(records[0])
        for record in records[1 + number * max_rows : 1 + (number + 1) * max_rows]:
            told.append(part.line_in_file(line))
            line += lines(record)
        assert part.line_in_file(1) == 1
    assert told == begins[1:]


@given(rows=ROWS, room=st.integers(min_value=0, max_value=80))
def test_no_part_is_larger_than_it_may_be(rows, room):
    records = written(rows, "\r\n")
    most = len(records[0]) + max(map(len, records[1:])) + room
    parts = split(b"".join(records), Format.CSV, max_bytes=most)
    assert max(len(part.body) for part in parts) <= most
    assert [row for part in parts for row in read(part.body)] == rows
    # None could have had the first row of the next one too.
    for part, following in itertools.pairwise(parts):
        first = written(read(following.body)[:1], "\r\n")[1]
        assert len(part.body) + len(first) > most


@given(
    rows=st.lists(st.dictionaries(st.sampled_from(["externalId", "notes"]), CELLS, min_size=1), min_size=1, max_size=9),
    max_rows=SIZES,
    empty=st.sampled_from([b"", b"\n", b"\r\n\n"]),
    mark=st.sampled_from([b"", BYTE_ORDER_MARK]),
)
def test_json_lines_are_split_at_their_lines(rows, max_rows, empty, mark):
    records = [json.dumps(row, ensure_ascii=False).encode() + b"\n" + empty for row in rows]
    parts = split(mark + b"".join(records), Format.JSON_LINES, max_rows=max_rows)
    read_back = [
        json.loads(line) for part in parts for line in part.body.decode("utf-8-sig").split("\n") if line.strip()
    ]
    assert read_back == rows
    for number, part in enumerate(parts):
        # The empty lines before a part's first row went to the row.
        skipped = len(part.body) - len(part.body.removeprefix(mark).lstrip(b"\r\n")) if len(parts) > 1 else 0
        line = number * max_rows * (1 + empty.count(b"\n")) + 1
        assert part.line_in_file(1 + part.body[: skipped + len(mark)].count(b"\n")) == line


def test_a_small_file_is_left_as_it_is():
    content = BYTE_ORDER_MARK + HEADER + b"\n\n" + b"a,b\r\n" * 5_000 + b"\n"
    (part,) = split(content, Format.CSV)
    assert (part.body, part.rows) == (content, 5_000)
    assert [part.line_in_file(line) for line in (1, 2, 7)] == [1, 2, 7]


def test_a_large_one_is_not():
    parts = split(HEADER + b"a,b\r\n" * 5_001, Format.CSV)
    assert [(part.rows, part.line_in_file(2)) for part in parts] == [(5_000, 2), (1, 5_002)]
    wide = b"a," + b"x" * 30_000 + b"\n"
    parts = split(HEADER + wide * 101, Format.CSV)
    assert [part.rows for part in parts] == [99, 2]
    assert max(len(part.body) for part in parts) <= import_parts.MAX_BYTES


def test_empty_lines_are_no_rows_and_count_as_lines():
    content = b"\n\n" + HEADER + b"\na,1\n\n\nb,2\n\n"
    first, second = split(content, Format.CSV, max_rows=1)
    assert (first.body, second.body) == (b"\n\n" + HEADER + b"\na,1\n", b"\n\n" + HEADER + b"\n\nb,2\n")
    # Where the reader finds the row, behind the header and its empty lines.
    assert (first.line_in_file(5), second.line_in_file(6)) == (5, 8)


def test_a_quote_in_the_middle_is_a_character_where_it_does_not_stand_alone():
    rows = [b'a,"x"\n', b'b,a 5" pipe and a 6" one\n', b'c",7"\n', b'd,8"\n', b'e,9"\n']
    parts = split(HEADER + b"".join(rows[:3]), Format.CSV, max_rows=1)
    assert [part.body.removeprefix(HEADER) for part in parts] == rows[:3]
    parts = split(HEADER + b"".join(rows), Format.CSV, max_rows=5)
    assert len(parts) == 1
    with pytest.raises(Failure, match="line 5: unbalanced_quotes"):
        split(HEADER + b"".join(rows), Format.CSV, max_rows=1)


def test_a_row_may_be_so_large_and_no_larger():
    for row, form in [
        (b'a,"' + b'""' * 32_767 + b'"\n', Format.CSV),
        (b'{"a":"' + b"\\n" * 32_768 + b'"}\n', Format.JSON_LINES),
    ]:
        content = HEADER + row if form is Format.CSV else row + row
        assert len(split(content + row, form, max_rows=1)) >= 2
        longer = row.replace(b'""', b'""""', 1).replace(b"\\n", b"\\n\\n", 1)
        with pytest.raises(Failure, match="row_too_large"):
            split(content + longer, form, max_rows=1)


@pytest.mark.parametrize(
    ("content", "form", "said"),
    [
        (HEADER + b'a,"x\nb,y\n', Format.CSV, "line 2: unbalanced_quotes"),
        (HEADER + b'"a\n",x\nb,"y""\n', Format.CSV, "line 4: unbalanced_quotes"),
        (HEADER + b'a,"x"y\n', Format.CSV, "line 2: unbalanced_quotes"),
        (HEADER + b"a,x\nb,\xe9\n", Format.CSV, "line 3: not_utf8"),
        (HEADER + b"a,x\rb,\xe9\r", Format.CSV, "line 3: not_utf8"),
        (HEADER + "a,x\nb,caf\ufffd\n".encode(), Format.CSV, "line 3: not_utf8"),
        ("externalId\n1\n".encode("utf-16"), Format.CSV, "line 1: not_utf8"),
        (b'{"notes":"\xff"}\n', Format.JSON_LINES, "line 1: not_utf8"),
        (HEADER + b'a,"x\ny"\nb,"' + b"y" * 3_000_000 + b'"\n', Format.CSV, "line 4: row_too_large"),
        (b"x" * 3_000_001, Format.CSV, "line 1: no_rows"),
    ],
)
def test_what_cannot_be_split_is_told_with_its_line(content, form, said):
    with pytest.raises(Failure) as failure:
        split(content, form)
    assert str(failure.value).startswith(said)


@given(content=st.binary(max_size=60), form=st.sampled_from(Format), max_rows=SIZES)
def test_whatever_it_is_it_is_split_or_refused(content, form, max_rows):
    try:
        parts = split(content, form, max_rows=max_rows)
    except Failure:
        return
    assert all(part.rows <= max_rows for part in parts)
    if form is Format.JSON_LINES:
        assert b"".join(part.body for part in parts).rstrip(b"\r\n") == content.rstrip(b"\r\n")


def test_the_name_says_what_it_is():
    found = [format_of(Path(name)) for name in ("a.csv", "A.CSV", "b.jsonl", "c.ndjson")]
    assert found == [Format.CSV, Format.CSV, Format.JSON_LINES, Format.JSON_LINES]
    for name in ("a.xlsx", "csv", "a.csv.gz", "a"):
        with pytest.raises(Failure, match="has to end in"):
            format_of(Path(name))
