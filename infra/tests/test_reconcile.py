"""`make reconcile`: counters and links agree with the ledger, whatever was broken."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from cloud import Function, client

ORGANIZATION = "org_winnerr_demo"


class Ledger:
    """The table from behind: nobody else may do this."""

    def __init__(self, stack):
        self._dynamodb, self._table = client(stack, "dynamodb"), stack["TABLE_NAME"]

    def set_total(self, person, total):
        self._dynamodb.update_item(
            TableName=self._table,
            Key=self._key(person, "PERSON"),
            UpdateExpression="SET totalReferrals = :total",
            ConditionExpression="attribute_exists(pk)",
            ExpressionAttributeValues={":total": {"N": str(total)}},
        )

    def take_link(self, referral):
        self._dynamodb.delete_item(
            TableName=self._table, Key=self._link(referral), ConditionExpression="attribute_exists(pk)"
        )

    def has_link(self, referral):
        return "Item" in self._dynamodb.get_item(TableName=self._table, Key=self._link(referral), ConsistentRead=True)

    def _link(self, referral):
        return self._key(referral["referrerPersonId"], f"REFERRED#{referral['createdAt']}#{referral['id']}")

    @staticmethod
    def _key(person, sort):
        return {"pk": {"S": f"ORG#{ORGANIZATION}#PERSON#{person}"}, "sk": {"S": sort}}


@pytest.fixture
def ledger(stack):
    return Ledger(stack)


@pytest.fixture
def reconcile(root):
    """Runs it and gives its exit code and its lines."""

    def run(*arguments):
        command = [sys.executable, str(root / "infra" / "local" / "reconcile.py"), *arguments]
        done = subprocess.run(command, cwd=root, env=dict(os.environ), capture_output=True, text=True, check=False)
        return done.returncode, done.stdout.splitlines(), done.stderr

    return run


def agreed(lines):
    return lines[-1] == "put right: 0; left: 0; busy: 0"


def test_what_agrees_is_left_alone(scene, submission, reconcile):
    referral, _ = scene.enter(submission)
    referrer = scene.api.get(f"/api/people/{referral['referrerPersonId']}", scene.owner)
    code, lines, said = reconcile()
    assert (code, said) == (0, "")
    assert agreed(lines), lines
    assert scene.api.get(f"/api/people/{referrer['id']}", scene.owner) == referrer


def test_a_wrong_counter_and_a_lost_link_are_put_right_and_told(scene, canaries, ledger, reconcile):
    (referral, _), (other, _) = scene.enter(canaries.submission()), scene.enter(canaries.submission())
    ledger.set_total(referral["referrerPersonId"], 7)
    ledger.take_link(other)
    code, lines, said = reconcile()
    assert (code, said) == (0, "")
    assert f"corrected: {referral['referrerPersonId']} from 7 to 1 referrals" in lines
    assert f"restored: the link from {other['referrerPersonId']} to {other['id']}" in lines
    assert lines[-1] == "put right: 2; left: 0; busy: 0"
    for row in (referral, other):
        assert scene.api.get(f"/api/people/{row['referrerPersonId']}", scene.owner)["totalReferrals"] == 1
        assert ledger.has_link(row)
    assert agreed(reconcile()[1])
    # Nobody reads a name in what an operator reads.
    assert canaries.found_in("\n".join(lines)) == []


def test_another_organization_is_walked_by_its_id(reconcile):
    code, lines, _ = reconcile("org_other_demo")
    assert (code, agreed(lines)) == (0, True)


@pytest.mark.parametrize(
    ("organization", "reason"), [("org_nobody", "there is no such organization"), ("nonsense", "not an id")]
)
def test_what_is_no_organization_is_said_in_a_line(reconcile, organization, reason):
    code, _, said = reconcile(organization)
    assert (code, len(said.splitlines())) == (1, 1)
    assert reason in said


def test_a_page_says_where_it_goes_on(stack):
    page = Function(stack, "LedgerReconcileFunction").invoke({"organizationId": ORGANIZATION})
    assert page["organizationId"] == ORGANIZATION
    assert page["checked"]["referrals"] <= 100
    assert page["next"]
