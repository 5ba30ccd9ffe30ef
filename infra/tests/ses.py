"""SES, as it tells of mails.

The emulator tells nothing by itself, and nobody but AWS may put an event of SES's on a bus: so the deployed rules
listen to another source for a while, and all else is as it is.
"""

from __future__ import annotations

import json

from cloud import client, physical_id

SES, STAND_IN = "aws.ses", "tests.ses"
RULES = ("MailHeardRule", "MailBouncedRule")
TOKEN = "token-of-a-test"  # noqa: S105 - a claim's, which opens nothing


class Ses:
    """Tells of mails on the default bus."""

    def __init__(self, stack, root):
        self._events = client(stack, "events")
        self._golden = root / "events" / "ses"
        self.configuration_set = physical_id(stack, "MailConfigurationSet")
        self.rules = {name: physical_id(stack, name) for name in RULES}
        self.patterns = {
            name: self._events.describe_rule(Name=rule)["EventPattern"] for name, rule in self.rules.items()
        }

    def golden(self, name, referral, address):
        """The golden event, of this stack's configuration set and about that thank-you."""
        event = json.loads((self._golden / f"{name}.json").read_text().replace("robin.park@example.com", address))
        tags = event["detail"]["mail"]["tags"]
        tags["ses:configuration-set"] = [self.configuration_set]
        tags |= {"organization": [referral["organizationId"]], "referral": [referral["id"]], "token": [TOKEN]}
        return event

    def heard_by(self, event):
        """The rules as they are deployed that hear of it."""
        return [
            name
            for name, pattern in self.patterns.items()
            if self._events.test_event_pattern(EventPattern=pattern, Event=json.dumps(event))["Result"]
        ]

    def __enter__(self):
        self._listen_to(STAND_IN)
        return self

    def __exit__(self, *_):
        self._listen_to(SES)

    def _listen_to(self, source):
        for name, rule in self.rules.items():
            pattern = json.loads(self.patterns[name])
            assert pattern["source"] == [SES]
            self._events.put_rule(Name=rule, EventPattern=json.dumps(pattern | {"source": [source]}))

    def tell(self, event):
        entry = {"Source": STAND_IN, "DetailType": event["detail-type"], "Detail": json.dumps(event["detail"])}
        assert self._events.put_events(Entries=[entry])["FailedEntryCount"] == 0
