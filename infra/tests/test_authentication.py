"""What is no good access token opens nothing, and learns nothing: one answer for every route, verb and id.

Not asked is what the emulator's gateway answers otherwise than AWS does. It accepts some tokens under the pool's own
signature, which nobody else can make: without `exp`, under another `alg`, with `crit`. It answers 500 to a token whose
header or whose signed claims are JSON but no object.
"""

from __future__ import annotations

import json
import time

import pytest
from tokens import HOUR, Key, encoded

LIST = "/api/reputation/referrals"
UNKNOWN = f"{LIST}/ref_01ARZ3NDEKTSV4RRFFQ69G5FAV"
# Those that change something, those with an id that exists, and what there is not.
ROUTES = [
    ("GET", LIST),
    ("POST", LIST),
    ("GET", UNKNOWN),
    ("PATCH", UNKNOWN),
    ("DELETE", UNKNOWN),
    ("POST", f"{UNKNOWN}/convert"),
    ("GET", f"{UNKNOWN}/history"),
    ("GET", f"{LIST}.csv"),
    ("GET", "/api/people"),
    ("GET", "/api/people/person_111"),
    ("PATCH", "/api/people/person_111"),
    ("PUT", "/api/people/person_111/consent"),
    ("GET", "/api/reputation/profile"),
    ("PUT", "/api/reputation/profile"),
    ("POST", f"{UNKNOWN}/reward/mark-sent"),
    ("GET", "/api/reputation/rewards"),
    ("PUT", "/api/reputation/reward-policy"),
    ("DELETE", "/api/people"),
    ("GET", "/api/no-such-thing"),
]


def answers(api, authorization):
    """All that the routes say, which has to be one thing. `authorization`: the header as it is, or None."""
    headers = {"Content-Type": "application/json"} | ({"Authorization": authorization} if authorization else {})
    said = {
        (method, path): api.raw(method, path, b"" if method in ("GET", "DELETE") else b"{}", headers)
        for method, path in ROUTES
    }
    first = said["GET", LIST]
    for route, answer in said.items():
        assert answer.comparable == first.comparable, route
    return first


def assert_gateway_refuses(answer):
    assert (answer.status, answer.values("content-type")) == (401, ["application/json"])
    assert json.loads(answer.body) == {"message": "Unauthorized"}


def assert_refused(answer, status, code):
    assert (answer.status, answer.values("content-type")) == (status, ["application/problem+json"])
    body = json.loads(answer.body)
    assert (body["status"], body["code"]) == (status, code)
    assert "errors" not in body


def test_the_tests_sign_as_the_pool_does(api, issuer):
    for authorization in (f"Bearer {issuer.token()}", f"bearer {issuer.token()}"):
        assert api.raw("GET", LIST, headers={"Authorization": authorization}).status == 200


# --- no token, or none that anybody would have issued ----------------------------------------------------------------

HEADERS = {
    "none": None,
    "blank": " ",
    "scheme only": "Bearer",
    "scheme and blank": "Bearer ",
    "garbage": "Bearer garbage",
    "three words": "Bearer a.b.c",
    "only dots": "Bearer ..",
    "no UTF-8": "Bearer \xff.\xfe.\xfd",
    "basic": "Basic b3duZXI6cGFzc3dvcmQ=",
    "very long": f"Bearer {'a' * 6000}",
}


@pytest.mark.parametrize("authorization", HEADERS.values(), ids=HEADERS.keys())
def test_without_a_token_nothing_is_said(api, authorization):
    assert_gateway_refuses(answers(api, authorization))


# What is made of a good token. `i` is the issuer.
REFUSED_BY_THE_GATEWAY = {
    "expired": lambda i: i.token(exp=int(time.time()) - 1, iat=int(time.time()) - HOUR),
    "expired long ago": lambda i: i.token(exp=1_000_000_000, iat=999_999_000),
    "not yet valid": lambda i: i.token(nbf=int(time.time()) + HOUR),
    "issued in the future": lambda i: i.token(iat=int(time.time()) + HOUR, exp=int(time.time()) + 2 * HOUR),
    "another issuer": lambda i: i.token(iss="https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Somebody1"),
    "issuer with a slash": lambda i: i.token(iss=i.genuine["iss"] + "/"),
    "no issuer": lambda i: i.token(iss=None),
    "another client": lambda i: i.token(client_id="1example23456789"),
    "no client": lambda i: i.token(client_id=None),
    "another audience": lambda i: i.token(client_id=None, aud="1example23456789"),
    # The audience goes before the client.
    "another audience, the right client": lambda i: i.token(aud="1example23456789"),
    "other audiences": lambda i: i.token(client_id=None, aud=["a", "b"]),
    "empty audience": lambda i: i.token(client_id=None, aud=""),
    "empty claims": lambda i: i.signed(i.header, {}),
    "another key": lambda i: i.signed(i.header, i.claims(), Key.new().rs256),
    "another key, and where to find it": lambda i: i.signed(
        i.header | {"jku": "https://keys.example/jwks.json"}, i.claims(), Key.new().rs256
    ),
    "the pool's other key": lambda i: i.signed(i.header, i.claims(), i.id_key.rs256),
    "an unknown key's name": lambda i: i.signed(i.header | {"kid": "somebody"}, i.claims()),
    "no key's name": lambda i: i.signed({"alg": "RS256"}, i.claims()),
    "no algorithm": lambda i: i.signed(i.header | {"alg": "none"}, i.claims(), lambda _: b""),
    "no algorithm, capitals": lambda i: i.signed(i.header | {"alg": "NONE"}, i.claims(), lambda _: b""),
    "HS256 with the public key": lambda i: i.signed(
        i.header | {"alg": "HS256"}, i.claims(), i.key.hs256_with_the_public_key
    ),
    "HS256 without a key": lambda i: i.signed({"alg": "HS256"}, i.claims(), i.key.hs256_with_the_public_key),
    "signature left out": lambda i: i.token().rsplit(".", 1)[0] + ".",
    "signature cut": lambda i: i.token()[:-8],
    "signature of another token": lambda i: i.token().rsplit(".", 1)[0] + "." + i.token(role="MEMBER").rsplit(".")[-1],
    "two parts": lambda i: i.token().rsplit(".", 1)[0],
    "four parts": lambda i: i.token() + "." + encoded({}),
    "two tokens": lambda i: f"{i.token()},Bearer {i.token()}",
}


@pytest.mark.parametrize("made", REFUSED_BY_THE_GATEWAY.values(), ids=REFUSED_BY_THE_GATEWAY.keys())
def test_a_bad_token_is_refused_by_the_gateway(api, issuer, made):
    assert_gateway_refuses(answers(api, f"Bearer {made(issuer)}"))


def test_another_scheme_carries_no_token(api, issuer):
    assert_gateway_refuses(answers(api, f"Basic {issuer.token()}"))


# --- good for the gateway, and no access token -----------------------------------------------------------------------

OTHER_USES = {
    # An ID token has the audience and no client, and the pool's other key.
    "ID token": lambda i: i.signed(
        {"alg": "RS256", "kid": i.id_key.name()},
        i.claims(token_use="id", client_id=None, aud=i.genuine["client_id"]),
        i.id_key.rs256,
    ),
    "ID token without our claims": lambda i: i.signed(
        {"alg": "RS256", "kid": i.id_key.name()},
        i.claims(
            token_use="id", client_id=None, aud=i.genuine["client_id"], organization_id=None, user_id=None, role=None
        ),
        i.id_key.rs256,
    ),
    "ID token under the access key": lambda i: i.token(token_use="id"),
    "refresh token": lambda i: i.token(token_use="refresh"),
    "no word for what it is": lambda i: i.token(token_use=""),
    "capitals": lambda i: i.token(token_use="ACCESS"),
    "list": lambda i: i.token(token_use=["access"]),
    "two uses": lambda i: i.token(token_use=["access", "id"]),
}


@pytest.mark.parametrize("made", OTHER_USES.values(), ids=OTHER_USES.keys())
def test_a_token_for_another_use_is_refused(api, issuer, made):
    assert_refused(answers(api, f"Bearer {made(issuer)}"), 401, "unauthenticated")


# --- access tokens without exactly one organization, user and role ---------------------------------------------------

OURS, THEIRS = "org_winnerr_demo", "org_other_demo"
CLAIMS = {
    "no claim of ours": {"organization_id": None, "user_id": None, "role": None},
    "no organization": {"organization_id": None},
    "empty organization": {"organization_id": ""},
    "blank organization": {"organization_id": " "},
    "organization of a list": {"organization_id": [OURS]},
    "two organizations": {"organization_id": [OURS, THEIRS]},
    "two organizations in one text": {"organization_id": f"{OURS} {THEIRS}"},
    "organization in brackets": {"organization_id": f"[{OURS}]"},
    "organization and a blank": {"organization_id": f" {OURS}"},
    "organization and a line end": {"organization_id": f"{OURS}\n"},
    "organization and part of a key": {"organization_id": f"{OURS}#PERSON#person_111"},
    "organization with a number": {"organization_id": 1},
    "organization with yes": {"organization_id": True},
    "organization with an object": {"organization_id": {"id": OURS}},
    "no list of organizations": {"organization_id": []},
    "no user": {"user_id": None},
    "empty user": {"user_id": ""},
    "two users": {"user_id": ["user_456", "user_789"]},
    "user of a list": {"user_id": ["user_456"]},
    "user and part of a key": {"user_id": "user_456#"},
    "user with an object": {"user_id": {}},
    "no role": {"role": None},
    "empty role": {"role": ""},
    "small role": {"role": "owner"},
    "mixed role": {"role": "Owner"},
    "blank before the role": {"role": " OWNER"},
    "blank behind the role": {"role": "OWNER "},
    "line end behind the role": {"role": "OWNER\n"},
    "nul behind the role": {"role": "OWNER\0"},
    "two roles in one text": {"role": "OWNER ADMIN"},
    "two roles": {"role": ["OWNER", "ADMIN"]},
    "role of a list": {"role": ["OWNER"]},
    "role in brackets": {"role": "[OWNER]"},
    "unknown role": {"role": "ROOT"},
    "role with a number": {"role": 0},
    "role with an object": {"role": {"OWNER": True}},
}


@pytest.mark.parametrize("changes", CLAIMS.values(), ids=CLAIMS.keys())
def test_claims_that_are_not_exactly_one_of_each_open_nothing(api, issuer, changes):
    assert_refused(answers(api, f"Bearer {issuer.token(**changes)}"), 403, "forbidden")
