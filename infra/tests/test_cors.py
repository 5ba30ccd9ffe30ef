"""Agents' own sites call the API from a browser: each answer says once that they may."""

from __future__ import annotations

import json

import pytest
from api import ALLOW_ORIGIN, JSON, ORIGIN, assert_readable


@pytest.mark.parametrize("path", ["/api/public/referral/{slug}", "/api/people", "/api/reputation/referrals"])
def test_a_browser_may_ask(api, slug, path):
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
    answer = api.raw("OPTIONS", path.format(slug=slug), headers=ORIGIN | asked)
    assert answer.status in (200, 204)
    assert answer.values(ALLOW_ORIGIN) == ["*"]
    assert {"get", "post", "put", "patch", "delete"} <= answer.listed("access-control-allow-methods")
    assert {"content-type", "authorization", "idempotency-key", "if-match"} <= answer.listed(
        "access-control-allow-headers"
    )
    # With any origin allowed, cookies must not be.
    assert answer.values("access-control-allow-credentials") == []


ERRORS = {
    "fields": (422, "POST", "/api/public/referral/{slug}", b"{}"),
    # None: a good body.
    "not found": (404, "POST", "/api/public/referral/somebody-else", None),
    "unknown path": (404, "GET", "/api/public/reviews", b""),
    "method": (405, "GET", "/api/public/referral/{slug}", b""),
    "another method": (405, "PUT", "/api/public/referral/{slug}", b"{}"),
}


@pytest.mark.parametrize("case", ERRORS.values(), ids=ERRORS.keys())
def test_an_error_is_readable_too(api, slug, submission, case):
    status, method, path, body = case
    if body is None:
        body = json.dumps(submission).encode()
    answer = api.raw(method, path.format(slug=slug), body, ORIGIN | JSON)
    assert answer.status == status
    assert_readable(answer)


def test_a_receipt_is_readable(api, slug, submission):
    answer = api.raw("POST", f"/api/public/referral/{slug}", json.dumps(submission).encode(), ORIGIN | JSON)
    assert answer.status == 201
    assert_readable(answer)


def test_what_the_authenticated_api_says_is_readable(api, owner):
    signed_in = ORIGIN | {"Authorization": f"Bearer {owner}"}
    for status, path in [
        (200, "/api/people"),
        (404, "/api/people/person_nobody"),
        (404, "/api/no-such-thing"),
        (400, "/api/people?limit=0"),
    ]:
        answer = api.raw("GET", path, headers=signed_in)
        assert answer.status == status
        assert_readable(answer)
    answer = api.raw("DELETE", "/api/people", headers=signed_in)
    assert answer.status == 405
    assert_readable(answer)
