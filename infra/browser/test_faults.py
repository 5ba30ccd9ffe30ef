"""When it goes wrong on the way: it is said, nothing that was typed is lost, and the next try is one referral.

The faults are the network's and the server's own, not pretended ones: the line goes down or loses answers, the limits
are reached, the ledger cannot be written.
"""

from __future__ import annotations

import contextlib
import re
import time

import pytest
from cloud import Function, RateLimitTable
from forms import HostedForm, Widget
from playwright.sync_api import expect
from sites import script
from waiting import eventually

HOUR = 3600
# The page's own limit is what the server takes at all, and more than any field holds.
TOO_MUCH = 33_000


@pytest.fixture(scope="module")
def function(stack):
    return Function(stack, "PublicCaptureFunction")


def fill(form, submission):
    form.paste(submission)
    form.field("referrerSmsConsent").check()


def assert_kept(form, submission):
    """All of it, and it can be sent again."""
    assert form.values() == submission
    assert form.ticked() == ["referrerSmsConsent"]
    expect(form.button).to_be_enabled()
    expect(form.button).not_to_have_attribute("aria-disabled", "true")


def assert_sent_once(form, ledger, submission):
    form.receipt()
    referral = ledger.referral(submission)
    assert referral["channel"] == form.channel
    assert ledger.consents(submission) == {"SMS": form.text["consentTextId"]}


def names(line):
    """Under which names the widget has sent what: key and content, each pair once."""
    return {(post.headers.get("idempotency-key"), post.body) for post in line.posts()}


def test_nobody_answers(form, line, ledger, submission):
    fill(form, submission)
    with line.down():
        form.send()
        form.assert_problem(form.text.problem("failed"))
        assert_kept(form, submission)
        form.send()
        form.assert_problem(form.text.problem("failed"))
    assert ledger.referrals(submission) == []
    form.send()
    assert_sent_once(form, ledger, submission)


def test_the_device_is_offline(form, line, ledger, submission):
    fill(form, submission)
    form.page.context.set_offline(True)
    form.send()
    form.assert_problem(form.text.problem("offline"))
    assert_kept(form, submission)
    assert line.posts() == []
    form.page.context.set_offline(False)
    form.send()
    assert_sent_once(form, ledger, submission)


def test_the_answer_is_lost(form, line, ledger, submission):
    fill(form, submission)
    with line.losing_answers():
        form.send()
        form.assert_problem(form.text.problem("failed"))
    # It did arrive, which nobody here can know.
    first = ledger.referral(submission)
    assert_kept(form, submission)
    tries = len(line.posts())
    form.send()
    assert_sent_once(form, ledger, submission)
    assert ledger.referral(submission)["id"] == first["id"]
    assert len(line.posts()) > tries
    if isinstance(form, Widget):
        ((key, _),) = names(line)
        assert key


# What a hotel's network, a company's proxy or a firewall says in the server's place.
OTHERS = [
    ("200 OK", "<h1>Log in to the network</h1>"),
    ("403 Forbidden", "<form><input name=captcha></form>"),
    ("200 OK", ""),
]


@pytest.mark.parametrize("status, html", OTHERS, ids=["login", "challenge", "nothing"])
def test_somebody_else_answers(form, line, ledger, submission, status, html):
    fill(form, submission)
    with line.answering(status, html):
        form.send()
        form.assert_problem(form.text.problem("failed"))
        assert_kept(form, submission)
    assert ledger.referrals(submission) == []
    form.send()
    assert_sent_once(form, ledger, submission)


# What browsers of some years ago do not have.
OLD = "delete AbortSignal.timeout; delete CSSStyleSheet.prototype.replaceSync; delete crypto.randomUUID;"


@pytest.mark.parametrize("kind", [HostedForm, Widget], ids=["page", "widget"])
def test_the_browser_is_an_old_one(visits, sites, api_url, form_url, slug, ledger, submission, kind):
    page = visits.page()
    page.add_init_script(OLD)
    page.goto(form_url if kind is HostedForm else sites.page(script(api_url, slug)))
    form = kind(page)
    assert form.button.evaluate("node => getComputedStyle(node).cursor") == "pointer"
    fill(form, submission)
    form.send()
    assert_sent_once(form, ledger, submission)


def test_what_was_changed_after_a_lost_answer_is_no_second_referral(embedded, line, ledger, submission):
    """It is sent under a name of its own: the first one stands for what was there before. The friend is the same."""
    form = embedded()
    fill(form, submission)
    with line.losing_answers():
        form.send()
        form.assert_problem(form.text.problem("failed"))
    changed = submission | {"notes": "On second thought, call in the evening."}
    form.paste(changed)
    form.send()
    assert_sent_once(form, ledger, submission)
    assert len(names(line)) == len(dict(names(line))) == 2


def test_an_answer_takes_its_time(form, line, ledger, submission):
    fill(form, submission)
    with line.stalling():
        form.send()
        button = form.root.get_by_role("button", name=form.text["sending"])
        expect(button).to_have_attribute("aria-disabled", "true")
        # Who presses again is impatient and has no second friend.
        button.click(force=True)
        form.field("notes").press("Control+Enter")
        form.field("referrerName").press("Enter")
        assert form.values() == submission
    assert_sent_once(form, ledger, submission)
    assert len(line.posts()) == 1


@pytest.fixture
def used_up(function, api, stack, slug, canaries):
    """While it lasts: the quota had one place, and somebody has taken it."""

    @contextlib.contextmanager
    def use_up(quota):
        # Windows end with the hour of the clock.
        eventually(lambda: time.time() % HOUR < HOUR - 60, 90, "enough of the hour is left")
        with function.configured(**{quota: "1"}):
            RateLimitTable(stack).clear()
            api.captured(slug, canaries.submission())
            yield

    return use_up


@pytest.mark.parametrize("quota", ["CAPTURE_IP_PER_HOUR", "CAPTURE_SLUG_PER_DAY"])
def test_too_many_have_come(form, used_up, ledger, submission, quota):
    fill(form, submission)
    with used_up(quota):
        form.send()
        form.assert_problem(form.text.too_many())
        assert_kept(form, submission)
    assert ledger.referrals(submission) == []
    form.send()
    assert_sent_once(form, ledger, submission)


def test_the_ledger_cannot_be_written(form, function, ledger, submission):
    fill(form, submission)
    with function.configured(TABLE_NAME="no-such-table"):
        form.send()
        form.assert_problem(form.text.problem("failed"))
        assert_kept(form, submission)
    form.send()
    assert_sent_once(form, ledger, submission)


def test_it_is_more_than_can_be_sent(form, ledger, submission):
    too_much = submission | {"notes": "n" * TOO_MUCH}
    form.field("notes").evaluate("node => node.removeAttribute('maxlength')")
    fill(form, too_much)
    form.send()
    form.assert_problem(form.text.problem("body_too_large"))
    assert_kept(form, too_much)
    form.paste(submission)
    form.send()
    assert_sent_once(form, ledger, submission)


def test_it_is_more_than_a_field_may_hold(form, ledger, submission):
    """A browser stops at the length that the field says; what gets past that is refused by name."""
    too_long = submission | {"notes": "n" * 4001}
    form.field("notes").evaluate("node => node.removeAttribute('maxlength')")
    fill(form, too_long)
    form.send()
    expect(form.error("notes")).to_have_text(form.text["errors"]["too_long"])
    assert_kept(form, too_long)
    form.paste(submission)
    form.send()
    assert_sent_once(form, ledger, submission)


def test_fields_are_wrong(form, ledger, submission):
    wrong = submission | {"referrerEmail": "pat at example", "referredPhone": "12"}
    del wrong["referredName"]
    fill(form, wrong)
    form.send()
    errors = form.text["errors"]
    said = {"referrerEmail": "invalid_email", "referredName": "required", "referredPhone": "invalid_phone"}
    for name, code in said.items():
        expect(form.error(name)).to_have_text(errors[code])
        expect(form.field(name)).to_have_attribute("aria-invalid", "true")
        assert f"{name}-error" in form.field(name).get_attribute("aria-describedby").split()
        # What the description names is there, for each of them.
        expect(form.field(name)).to_have_accessible_description(re.compile(re.escape(errors[code])))
    expect(form.root.locator(".error")).to_have_count(len(said))
    expect(form.root.locator("[aria-invalid]")).to_have_count(len(said))
    expect(form.problem).to_have_text(form.text["check"])
    expect(form.field("referrerEmail")).to_be_focused()
    assert_kept(form, wrong)
    assert ledger.referrals(submission) == []
    form.paste(submission)
    form.send()
    assert_sent_once(form, ledger, submission)


def test_the_friend_is_the_same_person(form, ledger, submission):
    own = submission | {"referredEmail": submission["referrerEmail"]}
    fill(form, own)
    form.send()
    expect(form.root).to_contain_text(form.text.problem("self_referral"))
    assert_kept(form, own)
    form.paste(submission)
    form.send()
    assert_sent_once(form, ledger, submission)


# --- without scripts: the browser itself loads pages ---------------------------------------------------------------


def test_without_scripts_a_page_that_says_no_keeps_what_was_typed_or_leads_back_to_it(hosted, used_up, submission):
    form = hosted(java_script_enabled=False)
    fill(form, submission)
    with used_up("CAPTURE_IP_PER_HOUR"):
        form.send()
        expect(form.root).to_contain_text(form.text.too_many())
    if form.field("notes").count() == 0:
        expect(form.root).to_contain_text(form.text.page["back"])
        form.page.go_back()
    assert_kept(form, submission)


def test_without_scripts_a_lost_answer_sent_again_is_one_referral(hosted, line, ledger, submission):
    form = hosted(java_script_enabled=False)
    fill(form, submission)
    with line.losing_answers():
        form.button.click(no_wait_after=True)
        # The browser's own page of what went wrong, and its own offer: to send it again.
        expect(form.root).to_have_count(0)
    first = ledger.referral(submission)
    tries = len(line.posts())
    form.page.reload()
    assert_sent_once(form, ledger, submission)
    assert ledger.referral(submission)["id"] == first["id"]
    assert len(line.posts()) > tries
