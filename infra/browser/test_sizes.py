"""What it costs to come by: requests and bytes, as they pass the line."""

from __future__ import annotations

import gzip
from urllib.parse import urlsplit

import pytest
from forms import Widget

LARGEST_PAGE = 20_000
LARGEST_WIDGET = 6_144
GZIP = {"Accept-Encoding": "gzip, deflate, br, zstd"}


@pytest.fixture
def base(api_url):
    return urlsplit(api_url).path


def passed(line, base):
    """Method and path of what passed, in its order."""
    return [(request.method, request.path.removeprefix(base)) for request in line.requests]


def test_the_page_is_one_request_until_it_is_sent(hosted, line, base, slug, submission):
    form = hosted()
    form.paste(submission)
    # What a browser does by itself after a page is there, it does while it is idle.
    form.page.wait_for_load_state("networkidle")
    assert passed(line, base) == [("GET", f"/r/{slug}")]
    form.send()
    form.receipt()
    form.page.wait_for_load_state("networkidle")
    assert passed(line, base) == [("GET", f"/r/{slug}"), ("POST", f"/r/{slug}")]


def test_the_widget_is_one_request_until_it_is_sent(embedded, line, base, slug, submission):
    form = embedded()
    form.paste(submission)
    form.page.wait_for_load_state("networkidle")
    script = ("GET", "/widget/v1.js")
    assert passed(line, base) == [script]
    form.send()
    form.receipt()
    form.page.wait_for_load_state("networkidle")
    to = f"/api/public/referral/{slug}"
    assert passed(line, base) == [script, ("OPTIONS", to), ("POST", to)]


def test_what_was_sent_says_no_more_than_it_has_to(form, line, submission):
    form.paste(submission)
    form.send()
    form.receipt()
    (post,) = line.posts()
    assert "cookie" not in post.headers
    assert "authorization" not in post.headers
    if isinstance(form, Widget):
        assert "referer" not in post.headers


def report(capsys, what, answer):
    with capsys.disabled():
        print(f"\n{what}: {len(answer.body):,} bytes as sent", end=" ")


def test_the_page_is_small(api, slug, capsys):
    answer = api.raw("GET", f"/r/{slug}", headers=GZIP)
    assert answer.status == 200
    report(capsys, "page", answer)
    assert len(answer.body) < LARGEST_PAGE


def test_the_widget_is_small(api, capsys):
    answer = api.raw("GET", "/widget/v1.js", headers=GZIP)
    assert (answer.status, answer.values("content-encoding")) == (200, ["gzip"])
    report(capsys, "widget", answer)
    assert len(answer.body) < LARGEST_WIDGET
    # Who reads no gzip gets the same script.
    plain = api.raw("GET", "/widget/v1.js", headers={"Accept-Encoding": "identity"})
    assert plain.values("content-encoding") == []
    assert plain.body == gzip.decompress(answer.body)


@pytest.mark.parametrize("path", ["/widget/v1.js", "/r/{slug}"])
def test_what_has_not_changed_is_not_sent_again(api, slug, path):
    path = path.format(slug=slug)
    first = api.raw("GET", path, headers=GZIP)
    (etag,) = first.values("etag")
    again = api.raw("GET", path, headers=GZIP | {"If-None-Match": etag})
    assert (again.status, again.body) == (304, b"")
    assert again.values("etag") == [etag]
    assert api.raw("GET", path, headers=GZIP | {"If-None-Match": '"another"'}).status == 200


def test_a_second_visit_asks_whether_the_page_is_still_the_same(hosted, line, form_url):
    form = hosted()
    form.page.goto("about:blank")
    form.page.goto(form_url)
    form.assert_empty()
    asked = [request.headers.get("if-none-match") for request in line.requests]
    assert asked[0] is None
    assert asked[1]
