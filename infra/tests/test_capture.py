"""A stranger sends a friend: the public form, and what becomes of it."""

from __future__ import annotations

import json
import re

import pytest
from together import at_once
from waiting import eventually

# What the product promises.
PIPELINE_SECONDS = 5
RECEIPT = re.compile(r"rcpt_[0-7][0-9A-HJKMNP-TV-Z]{25}")
POSTS = 50


@pytest.fixture(scope="module")
def example(root, canaries):
    """The public example, to the letter."""
    text = (root / "events" / "http" / "public-capture.body.json").read_text()
    body = json.loads(text)
    canaries.remember(*body.values())
    return text, body


def assert_receipt(answer):
    assert answer.status_code == 201, answer.text
    body = answer.json()
    assert body.keys() == {"ok", "receiptId"}
    assert body["ok"] is True
    assert RECEIPT.fullmatch(body["receiptId"])
    assert answer.headers["content-type"] == "application/json"
    return body["receiptId"]


def assert_closed_loop(api, token, submission):
    """From the form to the lead, within the promised time."""
    lead = eventually(
        lambda: api.lead(token, submission["referredEmail"]), PIPELINE_SECONDS, "the friend is a lead in the pipeline"
    )
    assert lead["name"] == submission["referredName"]
    assert lead["leadSource"] == "REFERRAL"
    assert lead["relationshipStage"] == "ADVOCATE"
    assert lead["pipelineStage"] == "LEAD"
    assert lead["ownerUserId"] == "user_789"
    assert lead["totalReferrals"] == 0

    (referrer,) = api.people_with(token, submission["referrerEmail"])
    assert referrer["name"] == submission["referrerName"]
    assert referrer["totalReferrals"] == 1
    assert referrer["relationshipStage"] == "ADVOCATE"
    assert referrer["pipelineStage"] is None

    (referral,) = api.referrals_to(token, submission["referredEmail"])
    assert referral["referredPersonId"] == lead["id"]
    assert referral["referrerPersonId"] == referrer["id"]
    assert referral["agentUserId"] == "user_789"
    assert referral["channel"] == "PUBLIC_PROFILE"
    assert referral["status"] == "RECEIVED"
    assert referral["resultingLeadSource"] == "REFERRAL"
    assert referral["notes"] == submission["notes"]
    assert referral["riskFlags"] == []
    return referral


def test_the_example_works_to_the_letter(api, slug, owner, example):
    text, submission = example
    answer = api.request(
        "POST", f"/api/public/referral/{slug}", data=text, headers={"Content-Type": "application/json"}
    )
    assert_receipt(answer)
    assert_closed_loop(api, owner, submission)


def test_the_example_sent_again_is_answered_alike_and_changes_nothing(api, slug, owner, pipeline, example):
    _, submission = example
    receipts = {assert_receipt(api.capture(slug, submission)) for _ in range(2)}
    assert len(receipts) == 2
    pipeline.wait_until_quiet()
    assert_closed_loop(api, owner, submission)


def test_a_referral_becomes_a_lead(api, slug, owner, canaries):
    submission = canaries.submission()
    assert_receipt(api.capture(slug, submission))
    referral = assert_closed_loop(api, owner, submission)
    assert api.get(f"/api/reputation/referrals/{referral['id']}", owner) == referral
    assert api.get(f"/api/people/{referral['referredPersonId']}", owner)["email"] == submission["referredEmail"]


def test_numbers_do_as_well_as_addresses(api, slug, owner, canaries):
    referrer, referred = canaries.phone(), canaries.phone()
    submission = canaries.submission(
        referrerEmail=None, referrerPhone=referrer, referredEmail=None, referredPhone=referred, channel="WIDGET"
    )
    assert_receipt(api.capture(slug, submission))

    def lead():
        return [person for person in api.people(owner) if person["phone"] == referred and person["pipelineStage"]]

    (found,) = eventually(lead, PIPELINE_SECONDS, "the friend is a lead in the pipeline")
    (row,) = [row for row in api.referrals(owner) if row["referredPersonId"] == found["id"]]
    assert row["channel"] == "WIDGET"
    (advocate,) = [person for person in api.people(owner) if person["phone"] == referrer]
    assert (advocate["totalReferrals"], advocate["id"]) == (1, row["referrerPersonId"])


def test_a_filled_honeypot_is_answered_alike_and_stores_nothing(api, slug, owner, pipeline, canaries):
    submission = canaries.submission(website="https://spam.example")
    assert_receipt(api.capture(slug, submission))
    pipeline.wait_until_quiet()
    assert api.people_with(owner, submission["referrerEmail"]) == []
    assert api.referrals_to(owner, submission["referredEmail"]) == []


def test_fifty_identical_posts_at_once_make_one_of_each(api, slug, owner, pipeline, canaries):
    submission = canaries.submission()
    answers = at_once(lambda same: api.capture(slug, same), [submission] * POSTS)
    assert [answer.status_code for answer in answers] == [201] * POSTS
    assert len({assert_receipt(answer) for answer in answers}) == POSTS
    assert len({(tuple(sorted(answer.headers)), len(answer.content)) for answer in answers}) == 1

    pipeline.wait_until_quiet()
    # One person, one referral, one lead, and a total of one.
    assert_closed_loop(api, owner, submission)
