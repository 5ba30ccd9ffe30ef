"""A member or an organization that is suspended is refused within a minute, though their tokens are still good."""

from __future__ import annotations

import pytest
from office import ADMIN, ANN, OWNER, ROLES, Office
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


@pytest.fixture
def another(stack, issuer, canaries, tmp_path):
    return Office(stack, issuer, canaries, tmp_path)


def said(api, token):
    """Status and code of each route."""
    answers = [api.request(method, path, token, json=None if method == "GET" else {}) for method, path in ROUTES]
    return [(answer.status_code, answer.json().get("code")) for answer in answers]


def test_suspended_members_are_refused_whatever_their_role_and_nobody_else(api, office, another):
    """Two offices, so that all of it is one wait: in one an agent is suspended, in the other owner and admin."""
    suspended = [(office, ANN), (another, OWNER), (another, ADMIN)]
    members = [(where, user) for where in (office, another) for user in ROLES]
    # Whoever is remembered as active by a process that is running is the one to forget.
    before = {(where.id, user): said(api, where.tokens[user]) for where, user in members}
    assert all(SUSPENDED not in answers for answers in before.values())
    for where, user in suspended:
        where.member_is(user, "SUSPENDED")
    for where, user in suspended:
        token = where.tokens[user]
        eventually(lambda token=token: set(said(api, token)) == {SUSPENDED}, SECONDS, f"{user} is refused everywhere")
    for where, user in members:
        if (where, user) not in suspended:
            assert said(api, where.tokens[user]) == before[where.id, user], user
    for where, user in suspended:
        where.member_is(user, "ACTIVE")
    for where, user in suspended:
        token, wanted = where.tokens[user], before[where.id, user]
        eventually(lambda token=token, wanted=wanted: said(api, token) == wanted, SECONDS, f"{user} is back")


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
