"""The import command: parts are uploaded once each, whatever passes in between, and each row's line is the file's."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import pytest
from pages import Answer, Dropped, Held, serving
from waiting import eventually

BEARER = "a.b.c"
IMPORTS = "/api/reputation/imports"
CSV = "referrals.csv"
HEADER = b"sourceSystem,externalId,notes\r\n"
ROWS = [b'crm,1,"two\r\nlines"\r\n', b"crm,2,\r\n", b"crm,3,\r\n", b"crm,4,\r\n", b"crm,5,\r\n"]
FILE = HEADER + b"".join(ROWS)
PARTS = HEADER + b"".join(ROWS[:4])


def answer(status, body, **headers):
    return Answer(status, json.dumps(body).encode(), {"Content-Type": "application/json"} | headers)


def view(number, status="COMPLETED", code=200, **rows):
    rows = {"created": 0, "unchanged": 0, "failed": 0} | rows
    rows["done"] = sum(rows.values())
    return answer(code, {"id": f"imp_{number}", "status": status, "rows": {"total": 2} | rows})


def taken(number):
    return view(number, "RUNNING", code=202)


def done(number, **rows):
    return view(number, **rows)


def failed(*rows, cursor=None):
    told = [
        {"line": line, "outcome": "FAILED", "referralId": None, "errors": [{"column": column, "code": code}]}
        for line, column, code in rows
    ]
    return answer(200, {"rows": told, "nextCursor": cursor})


def refused(status, code, *errors, **headers):
    problem = {"status": status, "code": code, "errors": [{"pointer": at, "code": what} for at, what in errors]}
    return answer(status, problem, **headers)


class Command:
    """`make import` without make."""

    def __init__(self, root, directory):
        self._script = root / "infra" / "local" / "import_file.py"
        self._directory = directory

    def start(self, url, content=FILE, *arguments, name=CSV):
        path = self._directory / name
        path.write_bytes(content)
        command = [sys.executable, str(self._script), *arguments, str(path)]
        environment = os.environ | {"API": url, "TOKEN": BEARER}
        return subprocess.Popen(command, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def run(self, answers, content=FILE, *arguments, **options):
        """Exit code, the lines on either output, and what the API was asked."""
        with serving(answers) as script:
            process = self.start(script.url, content, *arguments, **options)
            out, err = process.communicate(timeout=60)
        assert "Traceback" not in err
        # Without a terminal there is nothing but text, and never the token or what a row says.
        assert not [text for text in ("\x1b", "\r", BEARER, "two") if text in out + err]
        assert script.answers == []
        return process.returncode, out.splitlines(), err.splitlines(), script


@pytest.fixture
def command(root, tmp_path):
    return Command(root, tmp_path)


def test_a_small_file_is_one_request_and_goes_as_it_is(command):
    code, out, err, script = command.run([taken(1), view(1, "RUNNING", created=1), done(1, created=2)])
    assert (code, out, err) == (0, ["2 rows: 2 created, 0 unchanged, 0 failed"], [])
    assert script.targets == [IMPORTS, f"{IMPORTS}/imp_1", f"{IMPORTS}/imp_1"]
    _, headers = script.asked[0]
    assert (headers["Content-Type"], headers["Authorization"]) == ("text/csv", f"Bearer {BEARER}")
    assert script.bodies == [FILE]


def test_a_large_one_is_split_and_failed_rows_have_the_lines_of_the_file(command):
    answers = [
        *(taken(1), view(1, "RUNNING")),
        *(taken(2), done(1, created=1, failed=1), failed((4, "receivedAt", "invalid_time")), done(2, unchanged=2)),
        *(taken(3), done(3, failed=2)),
        failed((2, None, "wrong_field_count"), cursor="more"),
        failed((2, "status", "unknown_status")),
    ]
    code, out, err, script = command.run(answers, FILE, "--max-rows", "2")
    assert (code, out) == (
        1,
        [
            "line 4: receivedAt invalid_time",
            "line 7: wrong_field_count",
            "line 7: status unknown_status",
            "6 rows: 1 created, 2 unchanged, 3 failed",
            "Unchanged are rows that were here before.",
            "Mend the failed rows and import the file again: the others stay as they are.",
        ],
    )
    assert err == [f"part {number} of 3 is uploaded" for number in (1, 2, 3)]
    assert script.bodies == [HEADER + b"".join(ROWS[at : at + 2]) for at in (0, 2, 4)]
    names = [headers["Idempotency-Key"] for target, headers in script.asked if target == IMPORTS]
    assert len(set(names)) == 3
    first, third = (f"{IMPORTS}/imp_{number}/rows?outcome=FAILED&limit=500" for number in (1, 3))
    # As soon as a part is done, because nobody knows for how long the token is good.
    assert [target for target in script.targets if "/rows" in target] == [first, third, f"{third}&cursor=more"]
    assert script.targets.index(first) < len(script.targets) - 3


BUSY = refused(503, "unavailable", **{"Retry-After": "0"})
LIMITED = Answer(429, b'{"message":"Too Many Requests"}', {"Retry-After": "1"})


def test_an_upload_is_tried_again_under_its_name(command):
    code, out, err, script = command.run([BUSY, LIMITED, Dropped(), taken(1), Dropped(), done(1, created=2)])
    assert (code, out) == (0, ["2 rows: 2 created, 0 unchanged, 0 failed"])
    uploads = [headers["Idempotency-Key"] for target, headers in script.asked if target == IMPORTS]
    assert (len(uploads), len(set(uploads)), script.bodies) == (4, 1, [FILE] * 4)
    assert "the API answered 429 Too Many Requests; trying again in 1 s" in err


BROKEN = refused(500, "internal", **{"Retry-After": "0"})
EXPIRED = Answer(401, b'{"message":"Unauthorized"}')
NOT_VALID = (
    "error: the API answered 401 Unauthorized: "
    "the access token is not valid or has expired (locally, make dev-up writes fresh ones)"
)
AGAIN = "; run it again later, and what is done then counts as unchanged"


def test_whoever_looks_on_looks_again(command):
    answers = [taken(1), *[BROKEN] * 5, done(1, created=1, failed=1), BROKEN, failed((2, "status", "unknown_status"))]
    code, out, err, _ = command.run(answers)
    assert (code, out[0], out[1]) == (1, "line 2: status unknown_status", "2 rows: 1 created, 0 unchanged, 1 failed")
    assert err == ["the API answered 500 internal; trying again in 0 s"] * 6


@pytest.mark.parametrize(
    ("last", "said"),
    [([EXPIRED], NOT_VALID), ([BROKEN] * 6, "error: the API answered 500 internal, 6 times in a row")],
)
def test_what_is_known_is_told_when_an_import_can_be_followed_no_longer(command, last, said):
    part = [taken(1), done(1, created=1, failed=1), failed((4, "receivedAt", "invalid_time"))]
    code, out, err, _ = command.run([*part, taken(2), view(2, "RUNNING", created=1), *last], PARTS, "--max-rows=2")
    assert (code, out) == (
        1,
        [
            "line 4: receivedAt invalid_time",
            "4 rows: 2 created, 0 unchanged, 1 failed, 1 not done yet",
            "Mend the failed rows and import the file again: the others stay as they are.",
        ],
    )
    assert err[-2:] == [said, f"error: what was uploaded goes on by itself as imp_2{AGAIN}"]


def test_a_part_that_cannot_be_uploaded_hides_nothing_of_the_others(command):
    answers = [taken(1), view(1, "RUNNING", created=1), EXPIRED, EXPIRED]
    code, out, err, _ = command.run(answers, FILE, "--max-rows", "2")
    assert (code, out) == (1, ["2 rows: 1 created, 0 unchanged, 0 failed, 1 not done yet"])
    assert err == [
        "part 1 of 3 is uploaded",
        NOT_VALID,
        f"error: what was uploaded goes on by itself as imp_1{AGAIN}",
        "error: 3 rows were not uploaded",
    ]
    code, out, err, _ = command.run([taken(1), done(1, created=2), *[BUSY] * 6], FILE, "--max-rows", "2")
    assert (code, out) == (1, ["2 rows: 2 created, 0 unchanged, 0 failed"])
    assert err[-2:] == [
        "error: the API answered 503 unavailable, 6 times in a row",
        "error: 3 rows were not uploaded",
    ]


def test_a_report_that_cannot_be_read_is_named(command):
    answers = [taken(1), done(1, failed=2), failed((2, "status", "unknown_status"), cursor="more"), EXPIRED]
    code, out, err, _ = command.run(answers)
    assert (code, out[:2]) == (1, ["line 2: status unknown_status", "2 rows: 0 created, 0 unchanged, 2 failed"])
    assert err == [NOT_VALID, "error: 1 failed rows are not listed: the rest is in the report of imp_1"]


def test_a_dry_run_that_is_not_followed_is_not_to_be_mistaken(command):
    code, out, err, _ = command.run([taken(1), EXPIRED], FILE, "--dry-run")
    assert (code, out[0]) == (1, "2 rows: 0 created, 0 unchanged, 0 failed, 2 not done yet")
    assert err == [NOT_VALID, "error: what was uploaded goes on by itself as imp_1"]


def test_a_dry_run_says_so(command):
    code, out, _, script = command.run([taken(1), done(1, created=2)], FILE, "--dry-run")
    assert (code, out[0]) == (0, "2 rows: 2 created, 0 unchanged, 0 failed")
    assert "dry run" in out[1]
    assert script.targets[0] == f"{IMPORTS}?dryRun=true"


def test_json_lines_say_what_they_are(command):
    lines = b'{"externalId":"1"}\n\n{"externalId":"2"}\n{"externalId":"3"}\n'
    answers = [taken(1), done(1, created=2), taken(2), done(2, failed=1), failed((1, None, "malformed_json"))]
    _, out, _, script = command.run(answers, lines, "--max-rows", "2", name="referrals.jsonl")
    assert out[0] == "line 4: malformed_json"
    assert {headers["Content-Type"] for target, headers in script.asked if target == IMPORTS} == {
        "application/x-ndjson"
    }


def test_what_is_wrong_with_a_part_is_told_with_the_lines_of_the_file(command):
    problem = refused(422, "invalid_file", ("/lines/1", "unknown_column"), ("/lines/3", "row_too_large"))
    answers = [taken(1), done(1, created=2), problem]
    code, out, err, _ = command.run(answers, FILE, "--max-rows", "2")
    assert (code, out) == (1, ["2 rows: 2 created, 0 unchanged, 0 failed"])
    assert err[1:] == [
        "error: line 1: unknown_column",
        "error: line 6: row_too_large",
        "error: 3 rows were not uploaded",
    ]


@pytest.mark.parametrize(
    ("answers", "content", "said"),
    [
        ([refused(422, "invalid_file", ("/columns/receivedAt", "required"))], FILE, "column receivedAt: required"),
        ([refused(500, "internal")], FILE, "the API answered 500 internal"),
        ([refused(413, "body_too_large")], FILE, "the API answered 413 body_too_large"),
        ([refused(403, "forbidden")], FILE, "the API answered 403 forbidden: owners and admins may import"),
        ([Answer(401, b'{"message":"Unauthorized"}')], FILE, "401 Unauthorized: the access token is not valid"),
        ([Answer(404, b"<html>")], FILE, "404: there is no such import at this address"),
        ([BUSY] * 6, FILE, "the API answered 503 unavailable, 6 times in a row"),
        ([Answer(202, b"<html>")], FILE, "the answer is no JSON"),
        ([], HEADER + b"\xff", "line 2: not_utf8"),
        ([], HEADER + b'"x\n', "line 2: unbalanced_quotes"),
    ],
)
def test_a_failure_is_a_line(command, answers, content, said):
    code, out, err, _ = command.run(answers, content)
    assert (code, out) == (1, [])
    assert any(line.startswith("error: ") and said in line for line in err), err


def test_a_file_has_to_be_named_and_there(command, tmp_path):
    assert "has to end in" in command.run([], FILE, name="referrals.xlsx")[2][0]
    with serving([]) as script:
        process = command.start(script.url, FILE, str(tmp_path / "other.csv"))
        assert process.communicate(timeout=30)[1]
        assert process.returncode


@pytest.fixture
def as_from_a_terminal():
    """A job in the background ignores the interrupt, and whatever it starts would too."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("as_from_a_terminal")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_says_how_to_go_on(command, number):
    with serving([taken(1), Held()]) as script:
        process = command.start(script.url)
        eventually(lambda: len(script.asked) == 2, 30, "the import is followed")
        process.send_signal(number)
        _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert err.startswith("error: interrupted. What was uploaded goes on being imported; run it again")
