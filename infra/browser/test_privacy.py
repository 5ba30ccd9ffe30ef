"""What somebody typed about a friend is in the request that sends it, and nowhere else that outlives the form."""

from __future__ import annotations

from urllib.parse import unquote_plus

import pytest

STORED = """() => [location.href, document.referrer, document.cookie, JSON.stringify(localStorage),
  JSON.stringify(sessionStorage), JSON.stringify(history.state), document.title, window.name].join("\\n")"""


@pytest.mark.parametrize("ending", ["sent", "refused", "lost"])
def test_nothing_of_it_is_left_behind(form, line, visits, canaries, submission, ending):
    page = form.page
    if ending == "refused":
        submission = submission | {"referredPhone": "12"}
    form.type(submission)
    if ending == "lost":
        with line.losing_answers():
            form.send()
            form.assert_problem(form.text.problem("failed"))
    else:
        form.send()
        if ending == "refused":
            form.error("referredPhone").wait_for()
        else:
            form.receipt()
    assert page.evaluate("[localStorage.length, sessionStorage.length, document.cookie]") == [0, 0, ""]
    assert canaries.found_in(page.evaluate(STORED)) == []
    assert page.context.cookies() == []
    assert page.evaluate("indexedDB.databases()") == []
    assert page.evaluate("caches.keys()") == [] if page.evaluate("isSecureContext") else True
    passed = [*visits.addresses, *(request.path for request in line.requests)]
    assert line.posts()
    assert canaries.found_in("\n".join(map(unquote_plus, passed))) == []


def test_without_scripts_nothing_of_it_is_left_behind(hosted, line, visits, canaries, submission):
    form = hosted(java_script_enabled=False)
    form.paste(submission)
    form.send()
    form.receipt()
    assert form.page.context.cookies() == []
    passed = [form.page.url, *visits.addresses, *(request.path for request in line.requests)]
    assert canaries.found_in("\n".join(map(unquote_plus, passed))) == []


def test_the_canaries_would_be_found(form, line, canaries, submission):
    """What the tests above stand on: the same words are in what was sent."""
    form.paste(submission)
    form.send()
    form.receipt()
    (post,) = line.posts()
    assert canaries.word in canaries.found_in(unquote_plus(post.body.decode()))
