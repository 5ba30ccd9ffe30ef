"""Runs after all the others: none of what they typed stands where no personal data may be, and nothing is left over."""

from __future__ import annotations

import json

import pytest
from cloud import DeadLetters, client


@pytest.fixture(scope="module", autouse=True)
def everything_is_done(pipeline):
    pipeline.wait_until_quiet()


@pytest.fixture(scope="module")
def log_lines(stack):
    """Every line of every log group, by group."""
    logs = client(stack, "logs")
    groups = [
        group["logGroupName"]
        for page in logs.get_paginator("describe_log_groups").paginate()
        for group in page["logGroups"]
    ]
    return {group: list(_lines(logs, group)) for group in groups}


def _lines(logs, group):
    for page in logs.get_paginator("describe_log_streams").paginate(logGroupName=group):
        for stream in page["logStreams"]:
            position = {}
            while True:
                answer = logs.get_log_events(
                    logGroupName=group, logStreamName=stream["logStreamName"], startFromHead=True, **position
                )
                yield from (event["message"] for event in answer["events"])
                if answer["nextForwardToken"] == position.get("nextToken"):
                    break
                position = {"nextToken": answer["nextForwardToken"]}


@pytest.fixture(scope="module")
def dead_letters(stack):
    sqs = client(stack, "sqs")
    names = [name for name in stack if name.endswith("_DEAD_LETTER_QUEUE_URL")]
    assert len(names) == 3
    return {name: DeadLetters(sqs, stack[name]).bodies() for name in names}


def test_the_search_finds_what_is_there(api, owner, slug, canaries, pipeline):
    submission = canaries.submission(referrerPhone=canaries.phone())
    api.captured(slug, submission)
    pipeline.wait_until_quiet()
    for value in submission.values():
        assert canaries.found_in(json.dumps({"seen": value.upper()})), value
    assert canaries.found_in(json.dumps(api.people(owner)))
    assert not canaries.found_in("quokka")


@pytest.mark.parametrize(
    "function", ["PublicCapture", "EventRelay", "PipelineEntry", "ReferralsApi", "TokenClaims"]
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


def test_no_event_holds_personal_data(tap, canaries):
    messages = tap.heard()
    assert messages
    for message in messages:
        assert canaries.found_in(json.dumps(message, ensure_ascii=False)) == []


def test_the_outbox_is_empty(pipeline):
    # Neither something unsent nor something set aside; so it holds no personal data either.
    assert pipeline.outbox() == []


def test_no_dead_letter_is_left(dead_letters, canaries):
    for name, bodies in dead_letters.items():
        for body in bodies:
            assert canaries.found_in(body) == [], name
        assert bodies == [], name
