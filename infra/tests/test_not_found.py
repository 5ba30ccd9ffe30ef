"""What there is not, and what nobody may know of, is answered alike to the byte."""

from __future__ import annotations

import json

import pytest
from api import JSON

FORM = "/api/public/referral/"


@pytest.fixture(scope="module")
def body(canaries):
    return json.dumps(canaries.submission()).encode()


@pytest.fixture(scope="module")
def reference(api, body):
    """The answer for a slug that nobody has ever had."""
    answer = api.raw("POST", f"{FORM}nobody-of-this-name", body, JSON)
    assert answer.status == 404
    assert json.loads(answer.body) == {
        "type": "about:blank",
        "title": "There is nothing here.",
        "status": 404,
        "code": "not_found",
    }
    return answer


# {slug} is a slug that takes referrals: none of these spellings is that slug.
PATHS = {
    "unknown": f"{FORM}somebody-else",
    "unpublished": f"{FORM}{{unpublished}}",
    "suspended organization": f"{FORM}{{suspended}}",
    "upper case": f"{FORM}JANE-DOE-REALTY",
    "mixed case": f"{FORM}Jane-doe-realty",
    "too long": f"{FORM}{'a' * 64}",
    "much too long": f"{FORM}{'a' * 4000}",
    "too short": f"{FORM}ab",
    "hyphen at the end": f"{FORM}{{slug}}-",
    "underscore": f"{FORM}jane_doe_realty",
    "dot": f"{FORM}.",
    "dots": f"{FORM}..",
    "dots in front": f"{FORM}../referral/{{slug}}",
    "dots behind": f"{FORM}{{slug}}/..",
    "out and in again": f"{FORM}x/../{{slug}}",
    "another route behind dots": "/api/public/../people",
    "another route behind encoded dots": "/api/public/%2e%2e/people",
    "encoded space": f"{FORM}%20",
    "encoded space before": f"{FORM}%20{{slug}}",
    "encoded space behind": f"{FORM}{{slug}}%20",
    "plus": f"{FORM}{{slug}}+",
    "encoded dots": f"{FORM}%2E%2E",
    "encoded dots, small": f"{FORM}%2e%2e",
    "encoded dot": f"{FORM}%2e",
    "encoded dot before": f"{FORM}%2e/{{slug}}",
    "encoded question mark": f"{FORM}%3F",
    "encoded question mark behind": f"{FORM}{{slug}}%3F",
    "encoded question mark and more": f"{FORM}{{slug}}%3Fa=b",
    "encoded hash": f"{FORM}%23",
    "encoded hash behind": f"{FORM}{{slug}}%23top",
    "encoded nul": f"{FORM}%00",
    "encoded nul behind": f"{FORM}{{slug}}%00",
    "encoded slash": f"{FORM}%2F",
    "encoded slash behind": f"{FORM}{{slug}}%2F",
    "encoded slash before": f"{FORM}%2F{{slug}}",
    "encoded backslash": f"{FORM}%5C{{slug}}",
    "encoded percent": f"{FORM}{{slug}}%25",
    "encoded twice": f"{FORM}jane%252Ddoe-realty",
    "half an escape": f"{FORM}{{slug}}%",
    "no escape": f"{FORM}{{slug}}%zz",
    "no UTF-8": f"{FORM}%FF%FE",
    "not ASCII": f"{FORM}jane-doe-r%C3%A9alty",
    "carriage return": f"{FORM}{{slug}}%0Dx-header:%20y",
    "empty slug": FORM,
    "no slug": "/api/public/referral",
    "slash behind": f"{FORM}{{slug}}/",
    "two slashes behind": f"{FORM}{{slug}}//",
    "two slashes before": f"{FORM}/{{slug}}",
    "two slashes in front": "/api/public//referral/{slug}",
    "something behind": f"{FORM}{{slug}}/more",
    "unknown path": "/api/public/reviews/{slug}",
    "unknown path, one part": "/api/public/referrals",
    "root": "/api/public",
    "root with slash": "/api/public/",
    "root with two slashes": "/api/public//",
    "query": f"{FORM}somebody-else?slug={{slug}}",
}


@pytest.mark.parametrize("path", PATHS.values(), ids=PATHS.keys())
def test_it_is_one_answer(api, stack, reference, body, path):
    path = path.format(
        slug=stack["AGENT_SLUG"], unpublished=stack["UNPUBLISHED_SLUG"], suspended=stack["SUSPENDED_SLUG"]
    )
    assert api.raw("POST", path, body, JSON).comparable == reference.comparable


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
@pytest.mark.parametrize("path", ["/api/public/reviews", "/api/public", FORM])
def test_no_method_shows_more_of_an_unknown_path(api, reference, method, path):
    assert api.raw(method, path).comparable == reference.comparable


BAD_REQUESTS = {
    "no JSON": (400, "POST", b"{", JSON),
    "no object": (422, "POST", b"[]", JSON),
    "no fields": (422, "POST", b"{}", JSON),
    "wrong type": (422, "POST", b'{"referrerName":1,"referredName":2}', JSON),
    "other media": (415, "POST", b"referrerName=x", {"Content-Type": "application/x-www-form-urlencoded"}),
    "encoded": (415, "POST", b"{}", JSON | {"Content-Encoding": "gzip"}),
    "too large": (413, "POST", b'{"notes":"' + b"x" * 32_768 + b'"}', JSON),
    "another method": (405, "GET", b"", {}),
}


@pytest.mark.parametrize("case", BAD_REQUESTS.values(), ids=BAD_REQUESTS.keys())
def test_a_bad_request_says_nothing_of_the_slug(api, stack, case):
    status, method, bad, headers = case
    slugs = [stack["AGENT_SLUG"], stack["UNPUBLISHED_SLUG"], stack["SUSPENDED_SLUG"], "somebody-else", "NO-SLUG", "%00"]
    answers = [api.raw(method, f"{FORM}{slug}", bad, headers) for slug in slugs]
    assert answers[0].status == status
    for slug, answer in zip(slugs, answers, strict=True):
        assert answer.comparable == answers[0].comparable, slug


def test_a_filled_honeypot_says_nothing_more(api, reference, body):
    trapped = json.dumps({**json.loads(body), "website": "https://spam.example"}).encode()
    assert api.raw("POST", f"{FORM}somebody-else", trapped, JSON).comparable == reference.comparable
