"""Who brings revenue: the report over what happened, by every grouping, and for whom it is."""

from __future__ import annotations

import csv
import io

import pytest
from api import problem
from office import ANN, BEN, OWNER, Office
from rewards import REFERRALS, Rewards

REPORT = "/api/reputation/attribution"
SUMS = ("salesVolume", "grossCommission", "rewardsPending", "rewardsSent")
COUNTS = ("referrals", "contacted", "qualified", "converted", "lost", "open", "dealsWon", "reversed")
GROUPINGS = {
    "advocate": {"advocatePersonId", "advocateName"},
    "agent": {"agentUserId", "agentName"},
    "channel": {"channel"},
    "month": {"month"},
}


class Ledger:
    """Five referrals of two advocates, of two agents, through two channels."""

    def __init__(self, rewards, canaries):
        self._rewards = rewards
        self.api, self.office = rewards.api, rewards.office
        self.owner = self.office.tokens[OWNER]
        self.advocate = canaries.submission(referrerPhone=canaries.phone())
        rewards.policy()
        due, sent = self._sent(canaries), self._sent(canaries)
        rewards.won(due)
        rewards.tell(sent, currency="CAD")
        rewards.wait_for(sent, rewardStatus="PENDING")
        rewards.mark_sent(sent)

        lost, signed, reversed_ = (self._logged(canaries) for _ in range(3))
        self._act(lost, "lose", {"lostReason": canaries.notes()})
        self._act(signed, "convert", {"resultingDealId": f"deal_{signed['id'].lower()}"})
        deal = rewards.tell(reversed_)
        rewards.wait_for(reversed_, status="CONVERTED")
        rewards.tell(reversed_, "DEAL_LOST", revision=2, deal=deal)
        rewards.wait_for(reversed_, status="QUALIFIED", rewardStatus="CANCELED")
        rewards.pipeline.wait_until_quiet()

    def _sent(self, canaries):
        """Through Ann's profile, by the same advocate."""
        friend = canaries.submission()
        names = ("referrerName", "referrerEmail", "referrerPhone")
        return self._rewards.referral(friend | {name: self.advocate[name] for name in names})

    def _logged(self, canaries):
        """Ben's, and a lead by then."""
        friend = canaries.person()
        entry = {"referrerPersonId": self.office.people[BEN], "agentUserId": BEN}
        answer = self.api.log(self.owner, entry | {"referredName": friend.name, "referredEmail": friend.email})
        assert answer.status_code == 201, answer.text
        self._rewards.pipeline.wait_until_quiet()
        return self._rewards.find(answer.json())

    def _act(self, referral, action, body):
        answer = self.api.request("POST", f"{REFERRALS}/{referral['id']}/{action}", self.owner, json=body)
        assert answer.status_code == 200, answer.text

    def report(self, query="", user=OWNER):
        return self.api.get(f"{REPORT}?{query}", self.office.tokens[user])

    def sheet(self, query):
        answer = self.api.request("GET", f"{REPORT}?{query}&format=csv", self.owner)
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"].startswith("text/csv")
        return list(csv.DictReader(io.StringIO(answer.text, newline="")))


@pytest.fixture(scope="module")
def office(stack, issuer, canaries, tmp_path_factory):
    return Office(stack, issuer, canaries, tmp_path_factory.mktemp("attribution"))


@pytest.fixture(scope="module")
def ledger(stack, api, pipeline, office, canaries):
    return Ledger(Rewards(stack, api, pipeline, office), canaries)


def figures(report, *names):
    return tuple(report[name] for name in names)


def money(**amounts):
    return [{"currency": currency, "amountMinor": minor} for currency, minor in sorted(amounts.items())]


def test_the_totals_are_what_happened(ledger):
    report = ledger.report()
    assert report["groupBy"] == "advocate"
    totals = report["totals"]
    assert figures(totals, *COUNTS) == (5, 0, 1, 3, 1, 1, 3, 1)
    assert totals["conversionRate"] == 0.6
    # A deal that an agent has named brought nobody knows what.
    assert totals["salesVolume"] == money(CAD=50_000_000, USD=50_000_000)
    assert totals["grossCommission"] == money(CAD=1_250_000, USD=1_250_000)
    assert (totals["rewardsPending"], totals["rewardsSent"]) == (money(USD=10_000), money(USD=5_000))


def summed(rows, name):
    sums = {}
    for row in rows:
        for amount in row[name]:
            sums[amount["currency"]] = sums.get(amount["currency"], 0) + amount["amountMinor"]
    return money(**sums)


@pytest.mark.parametrize("grouping", GROUPINGS)
def test_whatever_it_is_grouped_by_the_rows_add_up_to_the_totals(ledger, grouping):
    report = ledger.report(f"groupBy={grouping}")
    assert report["totals"] == ledger.report()["totals"]
    for row in report["rows"]:
        assert row.keys() == report["totals"].keys() | GROUPINGS[grouping]
    for name in COUNTS:
        assert sum(row[name] for row in report["rows"]) == report["totals"][name]
    for name in SUMS:
        assert summed(report["rows"], name) == report["totals"][name]


def test_each_has_their_own(ledger):
    members = ledger.office.members
    agents = {row["agentUserId"]: row for row in ledger.report("groupBy=agent")["rows"]}
    assert {user: row["agentName"] for user, row in agents.items()} == {user: members[user].name for user in (ANN, BEN)}
    assert figures(agents[ANN], "referrals", "dealsWon", "conversionRate") == (2, 2, 1.0)
    assert figures(agents[BEN], "referrals", "dealsWon", "conversionRate", "reversed") == (3, 1, 0.3333, 1)
    channels = {row["channel"]: row["referrals"] for row in ledger.report("groupBy=channel")["rows"]}
    assert channels == {"PUBLIC_PROFILE": 2, "MANUAL": 3}
    # The one with more deals first.
    first, second = ledger.report("groupBy=advocate")["rows"]
    assert first["advocateName"] == ledger.advocate["referrerName"]
    assert second["advocatePersonId"] == ledger.office.people[BEN]


@pytest.mark.parametrize("grouping", GROUPINGS)
def test_the_sheet_says_the_same(ledger, grouping):
    rows = ledger.report(f"groupBy={grouping}")["rows"]
    sheet = ledger.sheet(f"groupBy={grouping}")
    names = [*sorted(GROUPINGS[grouping]), *COUNTS]
    assert [[line[name] for name in names] for line in sheet] == [[str(row[name]) for name in names] for row in rows]
    assert [line["conversionRate"] for line in sheet] == [f"{row['conversionRate']:.4f}" for row in rows]
    for name in SUMS:
        told = [{amount["currency"]: str(amount["amountMinor"]) for amount in row[name]} for row in rows]
        known = {currency for amounts in told for currency in amounts}
        columns = {column for column in sheet[0] if column.startswith(f"{name}Minor")}
        assert columns == {f"{name}Minor{currency}" for currency in known}
        for line, amounts in zip(sheet, told, strict=True):
            assert {line[f"{name}Minor{currency}"] for currency in known - amounts.keys()} <= {"0"}
            assert {currency: line[f"{name}Minor{currency}"] for currency in amounts} == amounts


def test_filters_narrow_it(ledger):
    for query, referrals in [
        (f"agentUserId={BEN}", 3),
        ("channel=MANUAL", 3),
        ("channel=PUBLIC_PROFILE", 2),
        (f"channel=PUBLIC_PROFILE&agentUserId={BEN}", 0),
        ("channel=IMPORT", 0),
        ("from=2020-01&to=2020-12", 0),
    ]:
        report = ledger.report(query)
        assert report["totals"]["referrals"] == referrals, query
        assert bool(report["rows"]) == bool(referrals), query
        assert (report["totals"]["conversionRate"] is None) == (referrals == 0), query


def test_a_member_sees_their_own_and_a_stranger_nothing(ledger, stack):
    own = ledger.report("groupBy=agent", user=ANN)
    assert [row["agentUserId"] for row in own["rows"]] == [ANN]
    assert own["totals"] == ledger.report(f"agentUserId={ANN}")["totals"]
    other = ledger.report(f"agentUserId={BEN}", user=ANN)
    assert (other["rows"], other["totals"]["referrals"]) == ([], 0)
    names = {row["advocateName"] for row in ledger.api.get(REPORT, stack["OTHER_TOKEN"])["rows"]}
    assert ledger.advocate["referrerName"] not in names
    assert ledger.api.request("GET", REPORT).status_code == 401


@pytest.mark.parametrize(
    ("query", "pointer", "code"),
    [
        ("from=2026-02&to=2026-01", "?to", "invalid_range"),
        ("from=1990-01&to=2026-01", "?to", "invalid_range"),
        ("from=2026-13", "?from", "invalid"),
        ("to=2026-01-31", "?to", "invalid"),
        ("groupBy=week", "?groupBy", "invalid"),
        ("format=xlsx", "?format", "invalid"),
        ("channel=FAX", "?channel", "invalid"),
        ("agentUserId=1", "?agentUserId", "invalid"),
        ("groupBy=month&groupBy=agent", "?groupBy", "repeated"),
        ("year=2026", "?", "unknown_parameter"),
    ],
)
def test_what_cannot_be_asked_is_named(ledger, query, pointer, code):
    answer = ledger.api.raw("GET", f"{REPORT}?{query}", headers={"Authorization": f"Bearer {ledger.owner}"})
    # Each month of a wrong range is a month; that they are no range is a rule.
    status, name = (422, "invalid_fields") if code == "invalid_range" else (400, "invalid_query")
    assert problem(answer) == (status, name, {pointer: code})
