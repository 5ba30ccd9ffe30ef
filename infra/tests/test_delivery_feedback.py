"""What SES tells of mails."""

from __future__ import annotations

import base64
import copy
import hashlib
import uuid

import pytest
from cloud import DeadLetters, client
from ses import STAND_IN, TOKEN, Ses
from waiting import eventually

FORM = "form-v1"
FEEDBACK_SECONDS = 20
DEAD_LETTER_SECONDS = 60
AT = "2026-11-22T07:00:00.000Z"


@pytest.fixture(scope="module")
def ses(stack, root):
    with Ses(stack, root) as ses:
        yield ses


def hidden(*parts):
    """The digest that stands for them in a key: each part goes in with its length."""
    parts = [part.encode() for part in parts]
    digest = hashlib.sha256(b"".join(len(part).to_bytes(8, "big") + part for part in parts)).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


class ThankYou:
    """A thank-you by mail that somebody has claimed, and the referrer that it went to."""

    def __init__(self, stack, scene, form):
        self._scene, self._form = scene, form
        self._dynamodb, self._table = client(stack, "dynamodb"), stack["TABLE_NAME"]
        scene.submit(form)
        self.address = form["referrerEmail"]
        self.referral = scene.referral(form)
        organization, referral = self.referral["organizationId"], self.referral["id"]
        self._key = {
            "pk": {"S": f"ORG#{organization}#REFERRAL#{referral}"},
            "sk": {"S": "MESSAGE#THANK_YOU#EMAIL"},
        }
        row = {
            "organizationId": organization,
            "referralId": referral,
            "kind": "THANK_YOU",
            "channel": "EMAIL",
            "personId": self.referral["referrerPersonId"],
            "status": "CLAIMED",
            "createdAt": AT,
            "updatedAt": AT,
        }
        item = {name: {"S": value} for name, value in row.items()}
        claim = {"M": {"token": {"S": TOKEN}, "until": {"S": AT}}}
        sent_to = {"M": {"email": {"S": self.address}}}
        item |= {"claim": claim, "sentTo": sent_to, "requested": {"BOOL": False}, "version": {"N": "1"}}
        self._dynamodb.put_item(TableName=self._table, Item=self._key | item)

    @property
    def state(self):
        row = self._dynamodb.get_item(TableName=self._table, Key=self._key, ConsistentRead=True)["Item"]
        return row["status"]["S"], row.get("delivery", {}).get("S")

    @property
    def agreed(self):
        (person,) = self._scene.api.people_with(self._scene.owner, self.address)
        return person["emailMarketingConsent"], person["smsMarketingConsent"]

    @property
    def is_suppressed(self):
        organization = self.referral["organizationId"]
        closed = hidden("suppressed", organization, self.address)
        return bool(self._scene.pipeline.ledger_rows("pk", f"{organization}#SUPPRESSED#EMAIL#{closed}"))

    def methods(self):
        rows = self._scene.pipeline.ledger_rows("pk", self.referral["referrerPersonId"])
        entries = [row for row in rows if row["sk"]["S"].startswith("CONSENT#EMAIL#")]
        return [entry["method"]["S"] for entry in entries if entry["decision"]["S"] == "REVOKED"]


@pytest.fixture
def thank_you(stack, scene, canaries):
    form = canaries.submission(
        referrerPhone=canaries.phone(), referrerEmailConsent=True, referrerSmsConsent=True, consentTextId=FORM
    )
    thank_you = ThankYou(stack, scene, form)
    assert thank_you.agreed == (True, True)
    return thank_you


HEARD_BY = {"delivered": "MailHeardRule", "bounced": "MailBouncedRule", "complained": "MailHeardRule"}


@pytest.mark.parametrize("name", HEARD_BY)
def test_one_rule_hears_of_each_event_of_ses(ses, thank_you, name):
    event = ses.golden(name, thank_you.referral, thank_you.address)
    assert ses.heard_by(event) == [HEARD_BY[name]]
    assert ses.heard_by(event | {"source": STAND_IN}) == []
    assert ses.heard_by(event | {"detail-type": "Email Opened"}) == []


TOLD = {
    "delivered": ("DELIVERED", []),
    "bounced": ("BOUNCED", ["BOUNCE"]),
    "complained": ("COMPLAINED", ["COMPLAINT"]),
}


@pytest.mark.parametrize("name", TOLD)
def test_what_is_told_of_a_mail_is_noted_once(ses, pipeline, thank_you, name):
    news, methods = TOLD[name]
    event = ses.golden(name, thank_you.referral, thank_you.address)
    ses.tell(event)
    eventually(lambda: thank_you.state == ("SUBMITTED", news), FEEDBACK_SECONDS, f"the message is {news}")
    ses.tell(event)
    pipeline.wait_until_quiet()
    ends = bool(methods)
    assert (thank_you.agreed, thank_you.is_suppressed) == ((not ends, True), ends)
    assert thank_you.methods() == methods


def test_a_mail_of_another_configuration_set_is_nobodys_here(ses, thank_you):
    foreign = ses.golden("complained", thank_you.referral, thank_you.address)
    foreign["detail"]["mail"]["tags"]["ses:configuration-set"] = ["somebody-elses"]
    ses.tell(foreign)
    ses.tell(ses.golden("delivered", thank_you.referral, thank_you.address))
    eventually(lambda: thank_you.state[1] == "DELIVERED", FEEDBACK_SECONDS, "the message is delivered")
    assert thank_you.agreed == (True, True)


def test_what_cannot_be_read_is_set_aside_without_an_address(stack, ses, thank_you, canaries):
    mark = uuid.uuid4().hex
    unreadable = copy.deepcopy(ses.golden("bounced", thank_you.referral, thank_you.address))
    unreadable["detail"]["mail"]["tags"] |= {"organization": ["no id"], "mark": [mark]}
    ses.tell(unreadable)
    dead_letters = DeadLetters(client(stack, "sqs"), stack["FEEDBACK_DEAD_LETTER_QUEUE_URL"])

    def is_there():
        return any(mark in body for body in dead_letters.bodies())

    eventually(is_there, DEAD_LETTER_SECONDS, "the unreadable event is in the dead-letter queue")
    (body,) = dead_letters.take(mark)
    assert canaries.found_in(body) == []
    assert "@" not in body
    assert thank_you.agreed == (True, True)
