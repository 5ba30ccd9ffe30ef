"""An office that rewards referrals, and what happens to one referral of it."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime, timedelta

from cloud import client
from office import ANN, OWNER
from waiting import eventually

PROMISED_SECONDS = 10
REFERRALS = "/api/reputation/referrals"
POLICY = {"rewardType": "gift_card", "rewardValue": 5000, "currency": "USD"}
ACKNOWLEDGED = {"complianceAcknowledged": True}


def soon():
    """A moment after now: a deal is won after its referral came, however close the clocks are."""
    return (datetime.now(UTC) + timedelta(seconds=1)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Rewards:
    def __init__(self, stack, api, pipeline, office):
        self.office = office
        self.api = api
        self.pipeline = pipeline
        self._bus = stack["EVENT_BUS"]
        self._events = client(stack, "events")

    def policy(self, **fields):
        token = self.office.tokens[OWNER]
        answer = self.api.request("PUT", "/api/reputation/reward-policy", token, json={**POLICY, **fields})
        assert answer.status_code == 200, answer.text
        return answer.json()

    def referral(self, submission):
        """Sent through Ann's profile, and a lead by then."""
        self.api.captured(self.office.slugs[ANN], submission)
        self.pipeline.wait_until_quiet()
        (found,) = self.api.referrals_to(self.office.tokens[OWNER], submission["referredEmail"])
        assert found["referredPersonId"]
        return found

    def find(self, referral):
        return self.api.get(f"{REFERRALS}/{referral['id']}", self.office.tokens[OWNER])

    def tell(self, referral, detail_type="DEAL_WON", revision=1, deal=None, **fields):
        """The transaction system tells of a deal of the referral's lead."""
        deal = deal or f"deal_{uuid.uuid4().hex[:12]}"
        detail = {
            "organizationId": self.office.id,
            "dealId": deal,
            "dealRevision": revision,
            "at": soon(),
            "personIds": [referral["referredPersonId"]],
            "currency": "USD",
            "salePriceMinor": 50_000_000,
            "grossCommissionMinor": 1_250_000,
            **fields,
        }
        entry = {"EventBusName": self._bus, "Source": "tests.crm", "DetailType": detail_type}
        assert self._events.put_events(Entries=[{**entry, "Detail": json.dumps(detail)}])["FailedEntryCount"] == 0
        return deal

    def won(self, referral):
        """Its deal is won, and its reward is due."""
        deal = self.tell(referral)
        return self.wait_for(referral, rewardStatus="PENDING", resultingDealId=deal)

    def wait_for(self, referral, timeout=PROMISED_SECONDS, **fields):
        def is_so():
            found = self.find(referral)
            assert {name: found[name] for name in fields} == fields
            return found

        return eventually(is_so, timeout, f"the referral says {fields}")

    def act(self, referral, action, body=None):
        path = f"{REFERRALS}/{referral['id']}/reward/{action}"
        return self.api.request("POST", path, self.office.tokens[ANN], json=body or {})

    def mark_sent(self, referral):
        answer = self.act(referral, "mark-sent", ACKNOWLEDGED)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def told(self, referral):
        """What the history says of messages: kind, channel, status and reason."""
        history = self.api.get(f"{REFERRALS}/{referral['id']}/history", self.office.tokens[OWNER])["history"]
        return [
            (message["kind"], message["channel"], entry["to"], message["reason"])
            for entry in history
            if (message := entry["message"])
        ]

    def thanks(self, referral):
        """Of the thank-yous, once both channels of the policy have said something."""
        channels = {"EMAIL": 1, "SMS": 1, "BOTH": 2}[self.find(referral)["reward"]["terms"]["thankYouChannel"]]

        def said():
            found = [entry[1:] for entry in self.told(referral) if entry[0] == "THANK_YOU"]
            return found if len(found) >= channels else None

        return sorted(eventually(said, PROMISED_SECONDS, "each thank-you is decided"))
