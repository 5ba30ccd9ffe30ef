"""The form as a page, through the gateway. What a browser makes of it is tested with one (`make test-browser`)."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest

PAGE = "/r/{slug}"
HTML = "text/html; charset=utf-8"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def test_the_page_is_shown_and_known_again(api, slug):
    first = api.raw("GET", PAGE.format(slug=slug))
    assert (first.status, first.values("content-type")) == (200, [HTML])
    (etag,) = first.values("etag")
    again = api.raw("GET", PAGE.format(slug=slug), headers={"If-None-Match": etag})
    assert (again.status, again.body, again.values("etag")) == (304, b"", [etag])
    head = api.raw("HEAD", PAGE.format(slug=slug))
    assert (head.status, head.body, head.values("etag")) == (200, b"", [etag])


def test_what_a_browser_sends_becomes_a_referral(api, owner, slug, canaries):
    submission = canaries.submission(notes=f"Zoë & {canaries.word}: 100 % <sure>\r\n😀 ¿sí?")
    answer = api.raw("POST", PAGE.format(slug=slug), urlencode(submission).encode(), FORM)
    assert (answer.status, answer.values("content-type")) == (201, [HTML])
    (row,) = api.referrals_to(owner, submission["referredEmail"])
    assert (row["channel"], row["status"]) == ("PUBLIC_PROFILE", "RECEIVED")
    assert row["notes"] == submission["notes"].replace("\r\n", "\n")


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_every_closed_door_is_one_page(api, stack, slug, canaries, method):
    body = urlencode(canaries.submission()).encode() if method == "POST" else b""
    headers = FORM if method == "POST" else {}
    closed = [
        "nobody-here",
        stack["UNPUBLISHED_SLUG"],
        stack["SUSPENDED_SLUG"],
        slug.upper(),
        f"{slug}%20",
        f"%20{slug}",
        f"{slug}%00",
        f"{slug}/more",
        "%E2%80%AE",
        "..%2F..",
        "x" * 200,
    ]
    answers = [api.raw(method, PAGE.format(slug=name), body, headers).comparable for name in closed]
    assert answers[0][0] == 404
    assert b"<form" not in answers[0][2]
    for name, answer in zip(closed, answers, strict=True):
        assert answer == answers[0], name


def test_the_widgets_script_travels_compressed(api):
    path = "/widget/v1.js"
    plain, small = api.raw("GET", path), api.raw("GET", path, headers={"Accept-Encoding": "gzip, br"})
    assert (plain.status, plain.values("content-encoding")) == (200, [])
    assert (small.status, small.values("content-encoding")) == (200, ["gzip"])
    assert len(small.body) < 6_144 < len(plain.body)
    (etag,) = small.values("etag")
    assert plain.values("etag") == [etag]
    assert api.raw("GET", path, headers={"If-None-Match": etag, "Accept-Encoding": "gzip"}).status == 304
    assert api.raw("GET", "/widget/v2.js").status == 404
