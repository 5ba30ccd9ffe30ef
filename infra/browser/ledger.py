"""What became of a form that was sent, as the agent's API and the ledger say it."""

from __future__ import annotations

from urllib.parse import quote

from waiting import eventually

# From the answer to the form until the lead is in the pipeline, on a slow machine.
PIPELINE_SECONDS = 60


class Ledger:
    def __init__(self, api, token, pipeline):
        self._api = api
        self._token = token
        self._pipeline = pipeline

    def referrals(self, submission):
        """All that came of it: those of its referrer, who is in no other submission."""
        people = self._people(submission["referrerEmail"])
        assert len(people) <= 1, f"{len(people)} people of one address"
        return [row for one in people for row in self._api.referrals(self._token, referrerPersonId=one["id"])]

    def referral(self, submission):
        """The one that there is: neither none nor a second."""
        (found,) = self.referrals(submission)
        return found

    def lead(self, submission):
        """Waits until the friend is in the pipeline."""

        def look():
            found = self._people(submission["referredEmail"])
            assert len(found) <= 1, f"{len(found)} people of one address"
            return found and found[0]["pipelineStage"] and found[0]

        return eventually(look, PIPELINE_SECONDS, "the lead is in the pipeline")

    def consents(self, submission):
        """What the referrer agreed to: by channel, the wording."""
        (person,) = self._people(submission["referrerEmail"])
        rows = self._pipeline.ledger_rows("pk", person["id"])
        entries = [row for row in rows if row["sk"]["S"].startswith("CONSENT#")]
        agreed = {entry["channel"]["S"]: entry["consentTextId"]["S"] for entry in entries}
        flags = {"EMAIL": person["emailMarketingConsent"], "SMS": person["smsMarketingConsent"]}
        assert flags == {channel: channel in agreed for channel in flags}
        return agreed

    def _people(self, email):
        return self._api.get(f"/api/people?email={quote(email)}", self._token)["people"]
