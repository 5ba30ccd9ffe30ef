"""The hosted page, as somebody uses it who was sent a link."""

from __future__ import annotations

import pytest
from forms import HostedForm
from playwright.sync_api import expect
from wording import ENGLISH, SPANISH

LANGUAGES = {"en": ENGLISH, "es": SPANISH}


def title(wording):
    return wording["titleTo"].replace("{agent}", "Jane Doe")


def test_somebody_refers_a_friend(hosted, ledger, submission):
    form = hosted()
    expect(form.root.locator("h1")).to_have_text(title(ENGLISH))
    expect(form.page).to_have_title(title(ENGLISH))
    expect(form.root).to_contain_text("Doe Realty Group")
    form.assert_empty()

    form.type(submission)
    assert form.values() == submission
    form.send()
    assert form.receipt()
    referral = ledger.referral(submission)
    assert (referral["channel"], referral["referredName"]) == ("PUBLIC_PROFILE", submission["referredName"])
    assert referral["referredContact"] == {"email": submission["referredEmail"], "phone": submission["referredPhone"]}
    assert referral["notes"] == submission["notes"]
    assert ledger.lead(submission)["name"] == submission["referredName"]
    # Nobody ticked anything.
    assert ledger.consents(submission) == {}


def test_the_next_friend_begins_with_an_empty_form(hosted, ledger, submission, canaries):
    form = hosted()
    form.paste(submission)
    form.send()
    first = form.receipt()
    form.again.click()
    form.assert_empty()
    second = canaries.submission()
    form.paste(second)
    form.send()
    assert form.receipt() != first
    assert len(ledger.referrals(submission) + ledger.referrals(second)) == 2


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_ticked_is_agreed_to_in_the_language_it_was_read_in(hosted, ledger, submission, language):
    wording = LANGUAGES[language]
    form = hosted(f"?lang={language}", wording)
    form.paste(submission)
    form.root.get_by_label(wording["consents"]["referrerEmailConsent"]).check()
    form.send()
    form.receipt()
    assert ledger.consents(submission) == {"EMAIL": wording["consentTextId"]}


@pytest.mark.parametrize("preferred, language", [("es-MX", "es"), ("en-GB", "en"), ("fr-FR", "en")])
def test_the_page_speaks_the_browsers_language(hosted, preferred, language):
    wording = LANGUAGES[language]
    form = hosted("", wording, locale=preferred)
    expect(form.page.locator("html")).to_have_attribute("lang", language)
    expect(form.root.locator("h1")).to_have_text(title(wording))
    for name, label in wording["labels"].items():
        expect(form.root.get_by_label(label)).to_have_id(name)


def test_the_other_language_is_one_press_away_and_stays(hosted, submission):
    form = hosted()
    form.root.get_by_role("link", name=ENGLISH.page["otherLanguage"]).click()
    form = HostedForm(form.page, SPANISH)
    expect(form.root.locator("h1")).to_have_text(title(SPANISH))
    form.send()
    expect(form.error("referrerName")).to_have_text(SPANISH["errors"]["required"])
    form.paste(submission)
    form.send()
    form.receipt()
    form.again.click()
    expect(form.root.locator("h1")).to_have_text(title(SPANISH))


def test_what_is_sent_stays_on_the_page(hosted, submission):
    """With scripts no page is loaded: nothing that was typed depends on it."""
    form = hosted()
    form.page.evaluate("window.isTheSamePage = true")
    form.send()
    expect(form.error("referrerName")).to_be_visible()
    form.paste(submission)
    form.send()
    form.receipt()
    assert form.page.evaluate("window.isTheSamePage")


def test_without_scripts_it_is_the_same_form(hosted, form_url, ledger, submission):
    form = hosted(java_script_enabled=False)
    wrong = submission | {"referrerEmail": "pat at example", "referredName": "", "referredPhone": "12"}
    form.type(wrong)
    form.field("referrerEmailConsent").check()
    form.send()
    expect(form.problem).to_have_text(form.text["check"])
    errors = form.text["errors"]
    expect(form.error("referrerEmail")).to_have_text(errors["invalid_email"])
    expect(form.error("referredName")).to_have_text(errors["required"])
    expect(form.error("referredPhone")).to_have_text(errors["invalid_phone"])
    expect(form.root.locator(".error")).to_have_count(3)
    assert form.values() == {name: value for name, value in wrong.items() if value}
    assert form.ticked() == ["referrerEmailConsent"]
    expect(form.field("referrerEmail")).to_be_focused()

    form.paste(submission)
    form.send()
    form.receipt()
    assert form.page.url == form_url
    assert ledger.referral(submission)["channel"] == "PUBLIC_PROFILE"
    assert ledger.consents(submission) == {"EMAIL": ENGLISH["consentTextId"]}
    assert ledger.lead(submission)
    form.again.click()
    form.assert_empty()


def test_a_link_that_leads_to_nobody_says_so(visits, api_url, stack):
    seen = set()
    for name in (stack["UNPUBLISHED_SLUG"], stack["SUSPENDED_SLUG"], "somebody-else"):
        page = visits.page()
        assert page.goto(f"{api_url}/r/{name}").status == 404
        expect(page.get_by_role("heading", level=1)).to_have_text(ENGLISH.page["notFound"])
        expect(page.locator("main")).to_contain_text(ENGLISH.page["notFoundText"])
        seen.add(page.content().replace(name, ""))
    # Nobody learns which of them there is.
    assert len(seen) == 1


def test_a_profile_that_is_taken_down_while_somebody_types_takes_nothing_and_keeps_all(hosted, visits, api_url, stack):
    """The form of one who takes referrals, sent to one who takes none."""
    form = hosted()
    page = form.page
    form.field("notes").fill("Still here.")
    page.evaluate("to => history.replaceState(null, '', to)", f"{api_url}/r/{stack['UNPUBLISHED_SLUG']}")
    form.send()
    form.assert_problem(ENGLISH.page["notFoundText"])
    assert form.values() == {"notes": "Still here."}
