"""Erasing a person: nothing of them is left in the ledger, and reports still add up. The last modules look for them in
logs, events and dead letters."""

from __future__ import annotations

import csv
import io
import json
import secrets
import string

import pytest
from cloud import Function, client
from imports import Desk
from office import ANN, OWNER, Office
from rewards import REFERRALS, Rewards
from waiting import eventually

FORM = "form-v1"
REPORT = "/api/reputation/attribution?groupBy=advocate"
HEARD_SECONDS = 10


@pytest.fixture(scope="module")
def office(stack, issuer, canaries, tmp_path_factory):
    return Office(stack, issuer, canaries, tmp_path_factory.mktemp("office"))


class Her:
    """Somebody whose every text has a word that nobody else's has."""

    def __init__(self, canaries):
        self.word = "wombat" + "".join(secrets.choice(string.ascii_lowercase) for _ in range(10))
        self.name = f"Ada {self.word.capitalize()}"
        self.email = f"ada.{self.word}@example.com"
        self.phone = canaries.phone()
        self.notes = f"{self.word} told us at the open house."
        canaries.remember(self.word)

    def left_in(self, text):
        text = text.lower()
        return [word for word in (self.word, self.phone.removeprefix("+1")) if word in text]


@pytest.fixture
def her(canaries):
    return Her(canaries)


@pytest.fixture
def rewards(stack, api, pipeline, office):
    return Rewards(stack, api, pipeline, office)


def as_csv(**cells):
    text = io.StringIO()
    writer = csv.DictWriter(text, cells)
    writer.writeheader()
    writer.writerow(cells)
    return text.getvalue()


def test_nothing_of_an_erased_person_is_left(rewards, canaries, pipeline, tap, her):
    api, office = rewards.api, rewards.office
    token = office.tokens[OWNER]

    def done(method, path, **options):
        answer = api.request(method, path, token, **options)
        assert answer.status_code in (200, 201), answer.text
        return answer.json()

    # She sends a friend, is thanked, and somebody writes about her.
    rewards.policy(holdingPeriodDays=0, thankYouChannel="EMAIL")
    friend = canaries.person()
    form = {
        "referrerName": her.name,
        "referrerEmail": her.email,
        "referrerPhone": her.phone,
        "referredName": friend.name,
        "referredEmail": friend.email,
        "notes": her.notes,
        "referrerEmailConsent": True,
        "consentTextId": FORM,
    }
    sent = rewards.referral(form)
    person = sent["referrerPersonId"]
    rewards.won(sent)
    rewards.mark_sent(sent)
    rewards.wait_for(sent, rewardStatus="THANKED")
    consent = {"channel": "SMS", "granted": True, "consentTextId": FORM, "evidence": her.notes}
    done("PUT", f"/api/people/{person}/consent", json=consent)
    # Somebody else sends her, and the request has a name.
    other = canaries.submission()
    named = {"Idempotency-Key": secrets.token_hex(8)}
    entry = {
        "referrer": {"name": other["referrerName"], "email": other["referrerEmail"]},
        "agentUserId": ANN,
        "referredName": her.name,
        "referredEmail": her.email,
        "notes": her.notes,
    }
    led = done("POST", REFERRALS, json=entry, headers=named)
    pipeline.wait_until_quiet()
    assert rewards.find(led)["referredPersonId"] == person
    done("POST", f"{REFERRALS}/{led['id']}/lose", json={"lostReason": her.notes})
    # She is in a file as well, under a name of her own there.
    row = as_csv(
        sourceSystem="oakcrm",
        externalId=her.word,
        referrerName=her.name,
        referrerEmail=her.email,
        referredName=canaries.person().name,
        agentUserId=ANN,
        status="RECEIVED",
        receivedAt="2026-03-02",
        notes=her.notes,
    )
    imported = Desk(api, office, canaries).imported(row)
    assert imported["rows"]["created"] == 1, imported
    pipeline.wait_until_quiet()

    data = api.get(f"/api/people/{person}/data", token)
    assert len(data["referrals"]) == 3
    assert her.left_in(json.dumps(data)) == her.left_in(pipeline.ledger()) == [her.word, her.phone.removeprefix("+1")]
    before = api.get(REPORT, token)

    erased = done("DELETE", f"/api/people/{person}/data")
    assert erased["nextCursor"] is None
    assert her.left_in(pipeline.ledger()) == []
    expected = json.dumps(before).replace(her.name, "Erased person")
    assert expected != json.dumps(before)
    assert json.dumps(api.get(REPORT, token)) == expected
    assert rewards.find(sent)["rewardStatus"] == "THANKED"

    again = api.request("POST", REFERRALS, token, json=entry, headers=named)
    assert (again.status_code, again.json()["code"]) == (410, "answer_erased")
    file = Desk(api, office, canaries).imported(row)
    assert file["rows"]["unchanged"] == 1, "the file does not bring her back"
    assert her.left_in(pipeline.ledger()) == []
    pipeline.wait_until_quiet()

    def told():
        about = [message for message in tap.heard() if message["detail-type"] == "PERSON_ERASED"]
        return [message for message in about if message["detail"]["data"] == {"personId": person}]

    assert len(eventually(told, HEARD_SECONDS, "the bus tells that she was erased")) == 1


class Ages:
    """Makes captures older than they are."""

    LONG_AGO = "2021-05-06T07:08:09.000Z"

    def __init__(self, stack, office):
        self._dynamodb, self._table, self._office = client(stack, "dynamodb"), stack["TABLE_NAME"], office

    def let_years_pass(self, referral):
        """The list in which the clock looks has it years earlier, and nobody has touched its people since."""
        place = f"{self.LONG_AGO}#{referral['id']}"
        times = {"createdAt": self.LONG_AGO, "listSk": place, "statusSk": f"RECEIVED#{place}"}
        self._set(f"REFERRAL#{referral['id']}", "REFERRAL", times)
        for person in (referral["referrerPersonId"], referral["referredPersonId"]):
            self.person_is(person, updatedAt=self.LONG_AGO)

    def person_is(self, person, **values):
        self._set(f"PERSON#{person}", "PERSON", values)

    def _set(self, partition, sort, values):
        self._dynamodb.update_item(
            TableName=self._table,
            Key={"pk": {"S": f"ORG#{self._office.id}#{partition}"}, "sk": {"S": sort}},
            UpdateExpression="SET " + ", ".join(f"{name} = :{name}" for name in values),
            ExpressionAttributeValues={f":{name}": {"S": value} for name, value in values.items()},
            ConditionExpression="attribute_exists(pk)",
        )


def test_the_clock_closes_what_nobody_took_up(stack, rewards, canaries, pipeline, her):
    api, token = rewards.api, rewards.office.tokens[OWNER]
    friend = canaries.person()
    names = {"referrerName": her.name, "referrerEmail": her.email, "referrerPhone": her.phone}
    form = names | {"referredName": friend.name, "referredEmail": friend.email, "notes": her.notes}
    fresh = rewards.referral(canaries.submission())
    forgotten = rewards.referral(form)
    before = api.get(REPORT, token)["totals"]["referrals"]
    expiry = Function(stack, "CaptureExpiryFunction")
    expiry.invoke({})
    assert rewards.find(forgotten) == forgotten, "it is not old yet"
    Ages(stack, rewards.office).let_years_pass(forgotten)
    expiry.invoke({})
    closed = rewards.find(forgotten)
    assert (closed["status"], closed["referredName"]) == ("LOST", "Erased person")
    assert her.left_in(pipeline.ledger()) == []
    assert api.get(f"/api/people/{forgotten['referredPersonId']}", token)["name"] == "Erased person"
    history = api.get(f"{REFERRALS}/{forgotten['id']}/history", token)["history"]
    by_clock = {entry["action"] for entry in history if entry["actor"] == "system:capture-expiry"}
    assert by_clock == {"STATUS_CHANGED", "ERASED"}
    assert api.get(REPORT, token)["totals"]["referrals"] == before
    assert rewards.find(fresh) == fresh


def test_a_capture_that_cannot_be_closed_is_heard_of_and_keeps_no_other_waiting(stack, rewards, canaries):
    broken, other = [rewards.referral(canaries.submission()) for _ in range(2)]
    ages = Ages(stack, rewards.office)
    for referral in (broken, other):
        ages.let_years_pass(referral)
    ages.person_is(broken["referrerPersonId"], updatedAt="never")
    expiry = Function(stack, "CaptureExpiryFunction")
    assert expiry.failure({}) == "expiring captures failed (1 of them)"
    assert (rewards.find(broken)["status"], rewards.find(other)["status"]) == ("RECEIVED", "LOST")
    ages.person_is(broken["referrerPersonId"], updatedAt=ages.LONG_AGO)
    expiry.invoke({})
    assert rewards.find(broken)["status"] == "LOST"
