"""The export command: pages become one file, whatever passes in between, and it is there whole or not at all."""

from __future__ import annotations

import csv
import json
import os
import signal
import stat
import subprocess
import sys

import pytest
from pages import Answer, Dropped, Held, serving
from waiting import eventually

import remote

BEARER = "a.b.c"
HEADER = b"externalId,referredName,notes\r\n"
LIST = "/api/reputation/referrals"


def page(number, following=None, rows=2, header=HEADER):
    lines = b"".join(b'ref_%d_%d,Sam Lee,"two\r\nlines, and ""more"""\r\n' % (number, row) for row in range(rows))
    link = {"Link": f'<{LIST}.csv?cursor={following}>; rel="next"'} if following else {}
    return Answer(200, header + lines, {"Content-Type": "text/csv; charset=utf-8"} | link)


def problem(status, code, **headers):
    body = json.dumps({"type": "about:blank", "title": "No.", "status": status, "code": code}).encode()
    return Answer(status, body, {"Content-Type": "application/problem+json"} | headers)


BUSY = problem(503, "unavailable", **{"Retry-After": "0"})
LIMITED = Answer(429, b'{"message":"Too Many Requests"}', {"Content-Type": "application/json", "Retry-After": "1"})


class Command:
    """`make export` without make."""

    def __init__(self, root, directory):
        self._script = root / "infra" / "local" / "export.py"
        self.target = directory / "referrals.csv"
        self._directory = directory

    def start(self, *arguments, **variables):
        environment = {name: value for name, value in os.environ.items() if name not in ("API", "TOKEN")}
        command = [sys.executable, str(self._script), *arguments]
        return subprocess.Popen(
            command, env=environment | variables, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )

    def run(self, url, *arguments, token=BEARER):
        """Exit code, and what it said on both."""
        process = self.start(*arguments, str(self.target), API=url, TOKEN=token)
        out, err = process.communicate(timeout=60)
        return process.returncode, out, err

    def exports(self, url, *arguments, **options):
        """The rows of the file, of an export that has to succeed."""
        code, out, err = self.run(url, *arguments, **options)
        assert code == 0, err
        assert self.left_behind() == [self.target.name]
        with self.target.open(newline="", encoding="utf-8-sig") as file:
            rows = list(csv.DictReader(file))
        assert f"{len(rows):,} referrals are in " in out
        return rows

    def fails(self, url, *arguments, **options):
        """The one line that it says, of an export that has to fail."""
        before = self.target.read_bytes() if self.target.exists() else None
        code, out, err = self.run(url, *arguments, **options)
        assert (code, out) == (1, "")
        assert (self.target.read_bytes() if self.target.exists() else None) == before
        assert self.left_behind() == ([] if before is None else [self.target.name])
        assert "Traceback" not in err
        assert BEARER not in err
        (line,) = [line for line in err.splitlines() if line.startswith("error: ")]
        assert err.endswith(f"{line}\n")
        return line

    def left_behind(self):
        return sorted(path.name for path in self._directory.iterdir())


@pytest.fixture
def command(root, tmp_path):
    return Command(root, tmp_path)


def ids(rows):
    return [row["externalId"] for row in rows]


def test_pages_become_one_file(command):
    with serving([page(1, "two"), page(2, "three"), page(3, rows=1)]) as script:
        rows = command.exports(script.url)
    assert ids(rows) == ["ref_1_0", "ref_1_1", "ref_2_0", "ref_2_1", "ref_3_0"]
    assert rows[0]["notes"] == 'two\r\nlines, and "more"'
    assert command.target.read_bytes().count(HEADER) == 1
    assert script.targets == [f"{LIST}.csv", f"{LIST}.csv?cursor=two", f"{LIST}.csv?cursor=three"]
    assert {headers["Authorization"] for _, headers in script.asked} == {f"Bearer {BEARER}"}
    assert stat.S_IMODE(command.target.stat().st_mode) == 0o600


def test_no_referral_is_a_file_with_the_names_of_the_columns(command):
    with serving([page(1, rows=0)]) as script:
        assert command.exports(script.url) == []
    assert command.target.read_bytes() == HEADER


def test_a_page_may_begin_with_a_mark_and_end_without_a_line_end(command):
    header = b"\xef\xbb\xbfexternalId\r\n"
    link = {"Link": f'<{LIST}.csv?cursor=two>; rel="next"', "Content-Type": "text/csv"}
    with serving(
        [Answer(200, header + b"a", link), Answer(200, header + b"b", {"Content-Type": "text/csv"})]
    ) as script:
        assert ids(command.exports(script.url)) == ["a", "b"]
    assert command.target.read_bytes() == header + b"a\r\nb\r\n"


def test_filters_are_passed_on(command):
    with serving([page(1)]) as script:
        command.exports(script.url, "--filter", "status=CONVERTED&channel=MANUAL")
    assert script.targets == [f"{LIST}.csv?status=CONVERTED&channel=MANUAL"]


def test_what_was_there_is_replaced(command):
    command.target.write_text("of last month")
    with serving([page(1)]) as script:
        assert ids(command.exports(script.url)) == ["ref_1_0", "ref_1_1"]


# --- what passes -----------------------------------------------------------------------------------------------------

PASSING = {
    "busy": BUSY,
    "limited": LIMITED,
    "gateway": Answer(504, b'{"message":"Endpoint request timed out"}', {"Content-Type": "application/json"}),
    "dropped": Dropped(),
    "cut": Answer(200, HEADER + b"ref_2_0,Sam Lee,\r\n", {"Content-Type": "text/csv"}, cut=9),
}


@pytest.mark.parametrize("passing", PASSING.values(), ids=PASSING.keys())
@pytest.mark.parametrize("place", [0, 1])
def test_a_page_that_failed_is_asked_for_again(command, passing, place):
    answers = [page(1, "two"), page(2)]
    answers.insert(place, passing)
    with serving(answers) as script:
        assert ids(command.exports(script.url)) == ["ref_1_0", "ref_1_1", "ref_2_0", "ref_2_1"]
    assert len(script.targets) == 3
    assert script.targets[place] == script.targets[place + 1]


def test_it_waits_as_long_as_it_is_told(command):
    with serving([LIMITED, page(1)]) as script:
        code, _, err = command.run(script.url)
    assert code == 0
    assert "the API answered 429 Too Many Requests; trying again in 1 s" in err


def test_it_does_not_try_for_ever(command):
    with serving([page(1, "two")] + [BUSY] * remote.ATTEMPTS) as script:
        line = command.fails(script.url)
    assert line == f"error: the API answered 503 unavailable, {remote.ATTEMPTS} times in a row"
    assert len(script.targets) == 1 + remote.ATTEMPTS


def test_it_does_not_wait_for_ever(command):
    with serving([problem(429, "too_many_requests", **{"Retry-After": "3600"})]) as script:
        assert "3600 s of patience" in command.fails(script.url)


# --- what does not ---------------------------------------------------------------------------------------------------

CSV = {"Content-Type": "text/csv"}
FATAL = {
    "expired cursor": (
        problem(400, "invalid_cursor"),
        "400 invalid_cursor: the list that was begun is no longer valid",
    ),
    "token": (Answer(401, b'{"message":"Unauthorized"}'), "401 Unauthorized: the access token is not valid"),
    "suspended": (problem(403, "account_suspended"), "403 account_suspended: the access token does not allow"),
    "no such list": (problem(404, "not_found"), "404 not_found: there is no such list"),
    "fault": (problem(500, "internal"), "500 internal"),
    "no JSON": (Answer(500, b"<html>"), "answered 500"),
    "JSON, but no object": (Answer(500, b"[1]"), "answered 500"),
    "redirect": (Answer(302, b"", {"Location": "https://elsewhere.example/"}), "answered 302"),
    "another page": (Answer(200, b"<html>", {"Content-Type": "text/html"}), "text/html instead of text/csv"),
    "other columns": (page(2, header=b"another\r\n"), "columns changed"),
    "nothing": (Answer(200, b"", CSV), "without the line of column names"),
    "no UTF-8": (Answer(200, HEADER + b"\xff\r\n", CSV), "no CSV"),
    "open quote": (Answer(200, HEADER + b'"a\r\n', CSV), "no CSV"),
    "the same page again": (page(2, "two"), "would never end"),
    "a page elsewhere": (
        Answer(200, HEADER, CSV | {"Link": '<https://elsewhere.example/x>; rel="next"'}),
        "none of its own",
    ),
    "a page elsewhere without scheme": (
        Answer(200, HEADER, CSV | {"Link": f'<//elsewhere.example{LIST}.csv?cursor=x>; rel="next"'}),
        "none of its own",
    ),
}


@pytest.mark.parametrize("is_there", [False, True])
@pytest.mark.parametrize("case", FATAL.values(), ids=FATAL.keys())
def test_a_failure_is_a_line_and_leaves_everything_as_it_was(command, case, is_there):
    answer, said = case
    if is_there:
        command.target.write_text("of last month")
    with serving([page(1, "two"), answer]) as script:
        assert said in command.fails(script.url)


def test_an_unknown_filter_is_named(command):
    body = {"status": 400, "code": "invalid_query", "errors": [{"pointer": "?status", "code": "invalid"}]}
    refusal = Answer(400, json.dumps(body).encode(), {"Content-Type": "application/problem+json"})
    with serving([refusal]) as script:
        line = command.fails(script.url, "--filter", "status=WON")
    assert line == "error: the API answered 400 invalid_query: ?status invalid"


@pytest.fixture
def as_from_a_terminal():
    """A job in the background ignores the interrupt, and whatever it starts would too."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("as_from_a_terminal")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_export_leaves_nothing(command, number):
    with serving([page(1, "two"), Held()]) as script:
        process = command.start(str(command.target), API=script.url, TOKEN=BEARER)
        eventually(lambda: len(script.asked) == 2, 30, "the second page is asked for")
        assert any(name.endswith(".part") for name in command.left_behind())
        process.send_signal(number)
        _, err = process.communicate(timeout=30)
    assert (process.returncode, err.splitlines()[-1]) == (130, "error: interrupted, nothing was written")
    assert command.left_behind() == []


def test_where_nothing_answers_it_says_so_at_once(command):
    with serving([]) as script:
        gone = script.url
    assert command.fails(gone) == f"error: nothing answers at {gone}"


def test_a_token_goes_nowhere_in_the_clear(command):
    assert "must be https" in command.fails("http://api.example.com")
    assert "must be an address" in command.fails("api.example.com")
    assert "must be an access token" in command.fails("http://127.0.0.1:9", token="a.b.c\nx")
    process = command.start(str(command.target), API="https://api.example.com")
    assert "API needs a TOKEN of its own" in process.communicate(timeout=30)[1]


def test_a_file_has_to_be_named_and_writable(command, tmp_path):
    with serving([]) as script:
        for name, said in [
            ("", "name the file"),
            (str(tmp_path), "is a directory"),
            (f"{tmp_path}/a/b", "a cannot be"),
        ]:
            process = command.start(name, API=script.url, TOKEN=BEARER)
            assert said in process.communicate(timeout=30)[1]
            assert process.returncode == 1
    assert script.asked == []


# --- the stack -------------------------------------------------------------------------------------------------------


def test_the_export_of_the_stack_is_its_list(stack, api, owner, pipeline, command):
    pipeline.wait_until_quiet()
    rows = command.exports(stack["API_URL"], token=owner)
    assert sorted(row["referredName"] for row in rows) == sorted(row["referredName"] for row in api.referrals(owner))
    lost = command.exports(stack["API_URL"], "--filter", "status=LOST", token=owner)
    assert {row["status"] for row in lost} <= {"LOST"}
    assert len(lost) == len(api.referrals(owner, status="LOST"))


def test_without_an_api_it_is_the_running_stack_s(stack, api, owner, pipeline, command):
    pipeline.wait_until_quiet()
    process = command.start(str(command.target))
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert f"{len(api.referrals(owner)):,} referrals are in" in out
