"""A member or an organization that is suspended is refused within a minute, though their tokens are still good."""

from __future__ import annotations

import pytest
from office import ADMIN, ANN, BEN, OWNER, ROLES, Office
from waiting import eventually

SECONDS = 60
ROUTES = [
    ("GET", "/api/people"),
    ("GET", "/api/reputation/referrals"),
    ("POST", "/api/reputation/referrals"),
    ("PUT", "/api/reputation/profile"),
    ("GET", "/api/no-such-thing"),
]
SUSPENDED = (403, "account_suspended")


@pytest.fixture
def office(stack, issuer, canaries, tmp_path):
    return Office(stack, issuer, canaries, tmp_path)


def said(api, token):
    """Status and code of each route."""
    answers = [api.request(method, path, token, json=None if method == "GET" else {}) for method, path in ROUTES]
    return [(answer.status_code, answer.json().get("code")) for answer in answers]


def test_suspended_members_are_refused_whatever_their_role_and_nobody_else(api, office):
    tokens = office.tokens
    # Whoever is remembered as active by a process that is running is the one to forget.
    before = {user: said(api, tokens[user]) for user in ROLES}
    assert all(SUSPENDED not in answers for answers in before.values())
    suspended = (OWNER, ADMIN, ANN)
    for user in suspended:
        office.member_is(user, "SUSPENDED")
    for user in suspended:
        eventually(
            lambda user=user: set(said(api, tokens[user])) == {SUSPENDED}, SECONDS, f"{user} is refused everywhere"
        )
    assert said(api, tokens[BEN]) == before[BEN]
    for user in suspended:
        office.member_is(user, "ACTIVE")
    for user in suspended:
        eventually(lambda user=user: said(api, tokens[user]) == before[user], SECONDS, f"{user} is back")


def test_a_suspended_organization_is_refused_with_all_its_members(api, owner, office):
    before = {user: said(api, token) for user, token in office.tokens.items()}
    office.organization_is("SUSPENDED")

    def all_are_refused():
        return {answer for token in office.tokens.values() for answer in said(api, token)} == {SUSPENDED}

    eventually(all_are_refused, SECONDS, "all members are refused everywhere")
    assert SUSPENDED not in said(api, owner)
    office.organization_is("ACTIVE")
    eventually(
        lambda: {user: said(api, token) for user, token in office.tokens.items()} == before, SECONDS, "all are back"
    )


def test_a_token_of_nobody_opens_nothing(api, office, issuer):
    """Signed by the pool, but for a user who is no member, or of another organization."""
    for organization, user in [(office.id, "user_nobody"), ("org_nobody", OWNER), ("org_other_demo", ANN)]:
        answers = said(api, issuer.member(organization, user, "OWNER"))
        assert {status for status, _ in answers} == {403}, answers
