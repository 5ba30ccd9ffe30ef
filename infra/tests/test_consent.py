"""Consent given on the public form: only in one's own name, only by who is new, only to a wording."""

from __future__ import annotations

import json

import pytest
from api import problem

FORM = "form-v1"


@pytest.fixture
def ticked(canaries):
    """A form with both boxes ticked."""

    def make(**fields):
        return canaries.submission(
            **{
                "referrerPhone": canaries.phone(),
                "referrerEmailConsent": True,
                "referrerSmsConsent": True,
                "consentTextId": FORM,
                **fields,
            }
        )

    return make


class Ledger:
    """Who agreed to what, as the API shows it and as the entries prove it."""

    def __init__(self, scene):
        self._scene = scene

    def referrer(self, submission):
        (person,) = self._scene.api.people_with(self._scene.owner, submission["referrerEmail"])
        return person

    def agreed(self, person):
        """(email, SMS), after a look at the entries that have to say the same."""
        flags = (person["emailMarketingConsent"], person["smsMarketingConsent"])
        channels = [entry["channel"]["S"] for entry in self.entries(person)]
        assert sorted(channels) == [name for name, is_on in zip(("EMAIL", "SMS"), flags, strict=True) if is_on]
        return flags

    def entries(self, person):
        rows = self._scene.pipeline.ledger_rows("pk", person["id"])
        return [row for row in rows if row["sk"]["S"].startswith("CONSENT#")]


@pytest.fixture
def ledger(scene):
    return Ledger(scene)


def test_a_new_referrer_agrees_by_ticking(scene, ledger, ticked):
    submission = ticked()
    answer = scene.api.submit(scene.slug, json.dumps(submission).encode())
    assert answer.status == 201
    person = ledger.referrer(submission)
    assert ledger.agreed(person) == (True, True)
    for entry in ledger.entries(person):
        said = {
            name: entry[name]["S"] for name in ("personId", "decision", "method", "consentTextId", "at", "evidence")
        }
        assert said == {
            "personId": person["id"],
            "decision": "GRANTED",
            "method": "FORM",
            "consentTextId": FORM,
            "at": person["createdAt"],
            # What was sent then can be found by it.
            "evidence": answer.request_id,
        }
    scene.pipeline.wait_until_quiet()
    # What the pipeline does to the referrer leaves it alone, and the friend agreed to nothing.
    assert ledger.agreed(ledger.referrer(submission)) == (True, True)
    assert ledger.agreed(scene.lead(submission)) == (False, False)


BOXES = {
    "email only": ({"referrerSmsConsent": False}, (True, False)),
    "SMS only": ({"referrerEmailConsent": None}, (False, True)),
    "neither": ({"referrerEmailConsent": False, "referrerSmsConsent": False}, (False, False)),
    "a wording alone": ({"referrerEmailConsent": None, "referrerSmsConsent": None}, (False, False)),
    "SMS without a number": ({"referrerPhone": None}, (True, False)),
}


@pytest.mark.parametrize("case", BOXES.values(), ids=BOXES.keys())
def test_only_what_is_ticked_and_reachable(scene, ledger, ticked, case):
    fields, agreed = case
    submission = ticked(**fields)
    scene.submit(submission)
    assert ledger.agreed(ledger.referrer(submission)) == agreed


def test_nothing_is_ticked_by_default(scene, ledger, submission):
    scene.submit(submission)
    assert ledger.agreed(ledger.referrer(submission)) == (False, False)


@pytest.mark.parametrize("agreed", [False, True])
def test_nobody_agrees_or_revokes_for_a_person_who_is_known(scene, ledger, ticked, agreed):
    first = ticked(referrerEmailConsent=agreed, referrerSmsConsent=agreed)
    scene.submit(first)
    before = ledger.referrer(first)
    again = ticked(
        referrerName=first["referrerName"],
        referrerEmail=first["referrerEmail"],
        referrerPhone=first["referrerPhone"],
        referrerEmailConsent=not agreed,
        referrerSmsConsent=not agreed,
    )
    scene.submit(again)
    # The same form as the first, with the boxes the other way round: a repetition.
    scene.submit(first | {"referrerEmailConsent": not agreed, "referrerSmsConsent": not agreed})
    after = ledger.referrer(first)
    assert (after["id"], after["totalReferrals"]) == (before["id"], 2)
    assert ledger.agreed(after) == (agreed, agreed)


def test_a_lead_who_is_known_is_no_newcomer(scene, ledger, ticked, submission):
    scene.enter(submission)
    scene.submit(ticked(referrerEmail=submission["referredEmail"], referrerName=submission["referredName"]))
    assert ledger.agreed(scene.lead(submission)) == (False, False)


def test_nobody_agrees_for_a_number_that_is_somebody_elses(scene, ledger, ticked):
    first = ticked(referrerEmailConsent=False, referrerSmsConsent=False)
    scene.submit(first)
    second = ticked(referrerPhone=first["referrerPhone"])
    scene.submit(second)
    assert ledger.agreed(ledger.referrer(first)) == (False, False)
    assert ledger.agreed(ledger.referrer(second)) == (True, False)


REFUSED = {
    "ticked, no wording": ({"consentTextId": None}, {"/consentTextId": "required"}),
    "blank wording": ({"consentTextId": " "}, {"/consentTextId": "required"}),
    "unknown wording": ({"consentTextId": "form-v0"}, {"/consentTextId": "unknown_consent_text"}),
    "no box": ({"referrerSmsConsent": "yes"}, {"/referrerSmsConsent": "true_or_false_expected"}),
    "no boxes": (
        {"referrerEmailConsent": 1, "referrerSmsConsent": []},
        {"/referrerEmailConsent": "true_or_false_expected", "/referrerSmsConsent": "true_or_false_expected"},
    ),
}


@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED.keys())
def test_consent_to_nothing_in_particular_is_refused(scene, ticked, case):
    fields, errors = case
    submission = ticked(**fields)
    answer = scene.api.submit(scene.slug, json.dumps(submission).encode())
    assert problem(answer) == (422, "invalid_fields", errors)
    assert scene.api.people_with(scene.owner, submission["referrerEmail"]) == []
