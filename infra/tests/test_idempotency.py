"""A client that names its request may send it again: it is done once, and answered alike to the byte."""

from __future__ import annotations

import json
import uuid

import pytest
from api import JSON, problem
from cloud import ENTERED, RECEIVED
from together import at_once

POSTS = 20
REUSED = (422, "idempotency_key_reused", {})


@pytest.fixture
def named():
    """Headers with a name that no request has had."""
    return JSON | {"Idempotency-Key": f"form-{uuid.uuid4()}"}


@pytest.fixture
def body(submission):
    return json.dumps(submission).encode()


def receipt(answer):
    assert answer.status == 201, answer.body
    return json.loads(answer.body)["receiptId"]


def assert_one(scene, submission):
    """One row, announced once, with one lead behind it."""
    scene.pipeline.wait_until_quiet()
    referral = scene.referral(submission)
    (referrer,) = scene.api.people_with(scene.owner, submission["referrerEmail"])
    assert referrer["totalReferrals"] == 1
    assert scene.lead(submission)
    for detail_type in (RECEIVED, ENTERED):
        assert len(scene.tap.about(referral["id"], detail_type)) == 1


def test_twenty_at_once_under_one_name_make_one_row_and_one_answer(scene, submission, body, named):
    answers = at_once(lambda same: scene.api.submit(scene.slug, same, named), [body] * POSTS)
    assert [answer.status for answer in answers] == [201] * POSTS
    assert len({answer.body for answer in answers}) == 1
    assert len({str(answer.comparable) for answer in answers}) == 1
    # And still, when all is done.
    assert_one(scene, submission)
    assert scene.api.submit(scene.slug, body, named).comparable == answers[0].comparable
    assert_one(scene, submission)


def test_another_body_under_the_name_is_refused_and_stores_nothing(scene, canaries, submission, body, named):
    first = scene.api.submit(scene.slug, body, named)
    other = canaries.submission()
    assert problem(scene.api.submit(scene.slug, json.dumps(other).encode(), named)) == REUSED
    # A space more is another body too.
    assert problem(scene.api.submit(scene.slug, body + b" ", named)) == REUSED
    assert scene.api.submit(scene.slug, body, named).body == first.body
    assert_one(scene, submission)
    assert scene.api.people_with(scene.owner, other["referrerEmail"]) == []
    assert scene.api.referrals_to(scene.owner, other["referredEmail"]) == []


def test_of_two_bodies_at_once_under_one_name_one_wins(scene, canaries, named):
    submissions = [canaries.submission(), canaries.submission()]
    bodies = [json.dumps(entry).encode() for entry in submissions] * (POSTS // 2)
    answers = at_once(lambda one: scene.api.submit(scene.slug, one, named), bodies)
    (won,) = {body for body, answer in zip(bodies, answers, strict=True) if answer.status == 201}
    assert len({answer.body for body, answer in zip(bodies, answers, strict=True) if body == won}) == 1
    for body, answer in zip(bodies, answers, strict=True):
        assert receipt(answer) if body == won else problem(answer) == REUSED, answer.body
    (lost,) = set(bodies) - {won}
    assert_one(scene, json.loads(won))
    assert scene.api.referrals_to(scene.owner, json.loads(lost)["referredEmail"]) == []


def test_the_name_is_free_at_another_slug(scene, stack, submission, body, named):
    other_owner = stack["OTHER_TOKEN"]
    here = scene.api.submit(scene.slug, body, named)
    there = scene.api.submit(stack["OTHER_SLUG"], body, named)
    assert receipt(here) != receipt(there)
    assert scene.api.submit(scene.slug, body, named).body == here.body
    assert scene.api.submit(stack["OTHER_SLUG"], body, named).body == there.body
    assert_one(scene, submission)
    assert len(scene.api.referrals_to(other_owner, submission["referredEmail"])) == 1


def test_a_repetition_under_a_name_of_its_own_is_remembered_too(scene, submission, body, named):
    receipts = [receipt(scene.api.submit(scene.slug, body)), receipt(scene.api.submit(scene.slug, body, named))]
    assert receipt(scene.api.submit(scene.slug, body, named)) == receipts[1] != receipts[0]
    assert_one(scene, submission)


def test_without_a_name_every_receipt_is_fresh(scene, submission, body):
    receipts = {receipt(answer) for answer in at_once(lambda same: scene.api.submit(scene.slug, same), [body] * POSTS)}
    assert len(receipts) == POSTS
    assert_one(scene, submission)


@pytest.mark.parametrize("name", ["", "  ", "k" * 256, "caf\xe9", "tab\there"], ids=repr)
def test_what_is_no_name_is_refused(scene, body, name):
    answer = scene.api.submit(scene.slug, body, JSON | {"Idempotency-Key": name})
    assert problem(answer) == (400, "invalid_idempotency_key", {})


def test_a_refused_request_does_not_use_up_its_name(scene, submission, body, named):
    for bad in (b"{", b"{}"):
        assert scene.api.submit(scene.slug, bad, named).status in (400, 422)
    assert receipt(scene.api.submit(scene.slug, body, named))
    assert_one(scene, submission)
