"""Turns of the reward loop that take days, or somebody else's news: what takes days is written into the ledger here."""

from __future__ import annotations

import os

import pytest
from cloud import Function, client
from inbox import Inbox
from office import OWNER, Office
from rewards import Rewards
from ses import TOKEN, Ses
from waiting import eventually

FORM = "form-v1"
LONG_AGO = "2026-01-01T00:00:00.000Z"
NEWS_SECONDS = 20
DUE_HOLDS = "DUE_HOLDS"


@pytest.fixture(scope="module")
def office(stack, issuer, canaries, tmp_path_factory):
    return Office(stack, issuer, canaries, tmp_path_factory.mktemp("office"))


@pytest.fixture
def rewards(stack, api, pipeline, office):
    return Rewards(stack, api, pipeline, office)


@pytest.fixture
def submission(canaries):
    consents = {"referrerEmailConsent": True, "referrerSmsConsent": True, "consentTextId": FORM}
    return canaries.submission(referrerPhone=canaries.phone(), **consents)


class Ledger:
    """The table, past all code of ours."""

    def __init__(self, stack):
        self._dynamodb, self._table = client(stack, "dynamodb"), stack["TABLE_NAME"]

    def set(self, referral, sort, change, **values):
        """An update of the referral's row of that sort key."""
        key = {"pk": {"S": f"ORG#{referral['organizationId']}#REFERRAL#{referral['id']}"}, "sk": {"S": sort}}
        self._dynamodb.update_item(
            TableName=self._table,
            Key=key,
            UpdateExpression=f"SET {change}",
            ExpressionAttributeValues={f":{name}": value for name, value in values.items()},
            **({"ExpressionAttributeNames": {"#status": "status"}} if "#status" in change else {}),
        )

    def notes(self, referral):
        """Of the times at which rewards of the referral are to be let go."""
        notes = self._dynamodb.query(
            TableName=self._table,
            KeyConditionExpression="pk = :holds",
            ExpressionAttributeValues={":holds": {"S": DUE_HOLDS}},
            ConsistentRead=True,
        )["Items"]
        return [note for note in notes if note["sk"]["S"].endswith(referral["id"])]

    def let_note_fall_due(self, referral):
        (note,) = self.notes(referral)
        self._dynamodb.delete_item(TableName=self._table, Key={name: note[name] for name in ("pk", "sk")})
        _, _, whose = note["sk"]["S"].partition("#")
        moved = note | {"sk": {"S": f"{LONG_AGO}#{whose}"}, "until": {"S": LONG_AGO}}
        self._dynamodb.put_item(TableName=self._table, Item=moved)

    def let_time_pass(self, referral):
        """The holding period of the referral's reward is over."""
        self.set(referral, "REFERRAL", "reward.holdUntil = :at", at={"S": LONG_AGO})
        self.let_note_fall_due(referral)


@pytest.fixture
def ledger(stack):
    return Ledger(stack)


def test_a_reward_is_let_go_when_its_holding_period_is_over(stack, rewards, ledger, submission):
    rewards.policy(holdingPeriodDays=30)
    referral = rewards.referral(submission)
    rewards.tell(referral)
    held = rewards.wait_for(referral, rewardStatus="HELD")
    assert held["reward"]["holdReasons"] == ["HOLDING_PERIOD"]
    release = Function(stack, "HoldReleaseFunction")
    release.invoke({})
    assert rewards.find(referral)["rewardStatus"] == "HELD", "not yet"
    ledger.let_time_pass(referral)
    release.invoke({})
    assert rewards.wait_for(referral, rewardStatus="PENDING")["reward"]["holdReasons"] == []


def test_a_reward_that_cannot_be_let_go_is_heard_of_and_keeps_no_other_waiting(stack, rewards, ledger, canaries):
    rewards.policy(holdingPeriodDays=30)
    broken, other = [rewards.referral(canaries.submission()) for _ in range(2)]
    for referral in (broken, other):
        rewards.tell(referral)
        rewards.wait_for(referral, rewardStatus="HELD")
    ledger.set(broken, "REFERRAL", "createdAt = :at", at={"S": "never"})
    for referral in (broken, other):
        ledger.let_time_pass(referral)
    release = Function(stack, "HoldReleaseFunction")
    assert release.failure({}) == "releasing rewards failed (1 of them)"
    assert rewards.wait_for(other, rewardStatus="PENDING")
    ledger.set(broken, "REFERRAL", "createdAt = :at", at={"S": broken["createdAt"]})
    release.invoke({})
    assert rewards.wait_for(broken, rewardStatus="PENDING")


def test_a_reward_whose_deal_fell_through_while_it_was_held_is_not_let_go(stack, rewards, ledger, submission):
    rewards.policy(holdingPeriodDays=30)
    referral = rewards.referral(submission)
    deal = rewards.tell(referral)
    rewards.wait_for(referral, rewardStatus="HELD")
    rewards.tell(referral, "DEAL_LOST", revision=2, deal=deal)
    before = rewards.wait_for(referral, rewardStatus="CANCELED")
    ledger.let_note_fall_due(referral)
    Function(stack, "HoldReleaseFunction").invoke({})
    assert ledger.notes(referral) == []
    assert rewards.find(referral) == before


def test_who_has_told_their_carrier_to_stop_is_not_written_to_and_has_no_consent_any_more(
    root, stack, rewards, submission
):
    rewards.policy(thankYouChannel="SMS", holdingPeriodDays=0)
    referral = rewards.referral(submission)
    token = rewards.office.tokens[OWNER]
    person = f"/api/people/{referral['referrerPersonId']}"
    number = rewards.api.get(person, token)["phone"]
    with (root / os.environ["STACK_DIR"] / "opted-out-numbers").open("a") as numbers:
        numbers.write(f"{number}\n")
    rewards.won(referral)
    rewards.mark_sent(referral)
    assert rewards.thanks(referral) == [("SMS", "SKIPPED", "OPTED_OUT")]
    agreed = rewards.api.get(person, token)
    assert (agreed["emailMarketingConsent"], agreed["smsMarketingConsent"]) == (True, False)
    assert Inbox(stack).texts(submission["referrerPhone"]) == []


def test_a_mail_in_doubt_that_arrived_thanks_the_referrer(stack, root, rewards, ledger, submission):
    rewards.policy(holdingPeriodDays=0)
    referral = rewards.referral(submission)
    rewards.won(referral)
    rewards.mark_sent(referral)
    rewards.wait_for(referral, rewardStatus="THANKED")
    # As it is when messenger ended between the mail and the note of it.
    claim = {"M": {"token": {"S": TOKEN}, "until": {"S": LONG_AGO}}}
    ledger.set(
        referral, "MESSAGE#THANK_YOU#EMAIL", "#status = :claimed, claim = :claim", claimed={"S": "CLAIMED"}, claim=claim
    )
    ledger.set(referral, "REFERRAL", "rewardStatus = :sent", sent={"S": "SENT"})
    with Ses(stack, root) as ses:
        ses.tell(ses.golden("delivered", referral, submission["referrerEmail"]))
        rewards.wait_for(referral, timeout=NEWS_SECONDS, rewardStatus="THANKED")

    def told():
        return [entry[1:] for entry in rewards.told(referral) if entry[0] == "THANK_YOU"][-1:]

    assert eventually(told, NEWS_SECONDS, "the message is noted")
