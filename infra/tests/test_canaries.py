"""Runs after all the others: none of what they typed stands where no personal data may be, and nothing is left over."""

from __future__ import annotations

import json
import time

import pytest
from cloud import DeadLetters, client

# In one answer.
MOST_LINES = 10_000
DAY_MILLIS = 86_400_000


@pytest.fixture(scope="module")
def last_request(api, slug, canaries, pipeline):
    """The id of one more request, with which everything is done."""
    submission = canaries.submission(referrerPhone=canaries.phone())
    answer = api.capture(slug, submission)
    assert answer.status_code == 201
    pipeline.wait_until_quiet()
    return answer.headers["x-request-id"]


@pytest.fixture(scope="module")
def log_lines(stack, last_request):
    """Every line of every log group, by group."""
    assert last_request
    logs = client(stack, "logs")
    groups = [
        group["logGroupName"]
        for page in logs.get_paginator("describe_log_groups").paginate()
        for group in page["logGroups"]
    ]
    now = int(time.time() * 1000) + 1
    return {group: list(_lines(logs, group, now - DAY_MILLIS, now)) for group in groups}


def _lines(logs, group, start, end):
    """What was logged from `start` until before `end`.

    The emulator gives so many lines and no way to the next ones: then each half is asked for by itself. (By stream,
    of which there is one an invocation, it is a hundred times as many calls.)
    """
    events = logs.filter_log_events(logGroupName=group, startTime=start, endTime=end)["events"]
    if len(events) < MOST_LINES:
        yield from (event["message"] for event in events)
        return
    assert end - start > 1, "more lines in a millisecond than one answer holds"
    middle = (start + end) // 2
    yield from _lines(logs, group, start, middle)
    yield from _lines(logs, group, middle, end)


@pytest.fixture(scope="module")
def dead_letters(stack, last_request):
    assert last_request
    sqs = client(stack, "sqs")
    names = [name for name in stack if name.endswith("_DEAD_LETTER_QUEUE_URL")]
    assert len(names) >= 4
    return {name: DeadLetters(sqs, stack[name]).bodies() for name in names}


def test_the_search_finds_what_is_there(api, owner, canaries, last_request):
    assert last_request
    submission = canaries.submission(referrerPhone=canaries.phone())
    for value in submission.values():
        assert canaries.found_in(f"seen: {value.upper()}."), value
    assert canaries.found_in(json.dumps(api.people(owner)))
    assert not canaries.found_in("quokka")


def test_the_logs_are_read_to_their_end(log_lines, last_request):
    (lines,) = [lines for group, lines in log_lines.items() if "PublicCaptureLogGroup" in group]
    assert any(last_request in line for line in lines)


@pytest.mark.parametrize(
    "function",
    [
        "PublicCapture",
        "EventRelay",
        "OutboxSweeper",
        "PipelineEntry",
        "DealWon",
        "ImportWorker",
        "Messenger",
        "ReferralsApi",
        "TokenClaims",
        "Unsubscribe",
    ],
)
def test_every_function_writes_a_log(log_lines, function):
    (group,) = [name for name in log_lines if f"{function}LogGroup" in name]
    assert any(line.startswith("{") for line in log_lines[group])


def test_no_log_line_holds_personal_data(log_lines, canaries):
    for group, lines in log_lines.items():
        for line in lines:
            assert canaries.found_in(line) == [], f"{group}: {line}"


def test_no_log_line_holds_a_token(log_lines, stack):
    secrets = [stack[name].rsplit(".", 1)[-1] for name in ("TOKEN", "MEMBER_TOKEN", "OTHER_TOKEN")]
    for group, lines in log_lines.items():
        assert not [line for line in lines if any(secret in line for secret in secrets)], group


def test_no_function_fell_over(log_lines):
    for group, lines in log_lines.items():
        for line in lines:
            assert "panicked" not in line and "Task timed out" not in line, f"{group}: {line}"


def test_no_event_holds_personal_data(tap, canaries, last_request):
    assert last_request
    messages = tap.heard()
    assert messages
    for message in messages:
        assert canaries.found_in(json.dumps(message, ensure_ascii=False)) == []


def test_the_outbox_is_empty(pipeline, last_request):
    assert last_request
    # Neither something unsent nor something set aside; so it holds no personal data either.
    assert pipeline.outbox() == []


def test_no_dead_letter_is_left(dead_letters, canaries):
    for name, bodies in dead_letters.items():
        for body in bodies:
            assert canaries.found_in(body) == [], name
        assert bodies == [], name
