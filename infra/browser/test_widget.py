"""The widget on sites of other people: kind ones, strict ones, and ones with a style of their own."""

from __future__ import annotations

import pytest
from cloud import Pipeline
from forms import TEXTS, Widget
from ledger import Ledger
from playwright.sync_api import expect
from sites import STRICT, script
from wording import ENGLISH, SPANISH

HEARD = """
<script>
  window.heard = [];
  document.addEventListener("referral-sent", (event) =>
    window.heard.push([event.detail, event.target.localName, event.target.getAttribute("agent")]));
</script>
"""
# What a site may do to everything in it, without thinking of the widget.
HOSTILE_CSS = """
<style>
  * { all: unset !important; display: none !important; }
  html, body, main, h1 { display: block !important; }
  body { color: #fefefe !important; font: 3px/1 monospace !important; direction: rtl; text-transform: uppercase; }
  winnerr-referral { opacity: 0 !important; visibility: hidden !important; width: 3px !important;
    height: 3px !important; overflow: hidden !important; position: absolute !important; left: -999em !important; }
  input, label, button, p { color: red !important; background: red !important; font-size: 1px !important; }
  .form, .error, #problem { display: none !important; }
</style>
"""


@pytest.fixture
def other_ledger(stack, api):
    return Ledger(api, stack["OTHER_TOKEN"], Pipeline(stack))


def test_somebody_refers_a_friend_on_an_agents_site(embedded, ledger, submission):
    form = embedded(site={"head": HEARD}, agent_name="Jane Doe")
    expect(form.root.locator("h2")).to_have_text(ENGLISH["titleTo"].replace("{agent}", "Jane Doe"))
    form.assert_empty()

    form.type(submission)
    assert form.values() == submission
    form.send()
    receipt = form.receipt()
    # The site learns that there was one, and nothing about whom.
    assert form.page.evaluate("heard") == [[{"receiptId": receipt}, "winnerr-referral", "jane-doe-realty"]]
    referral = ledger.referral(submission)
    assert (referral["channel"], referral["referredName"]) == ("WIDGET", submission["referredName"])
    assert referral["referredContact"] == {"email": submission["referredEmail"], "phone": submission["referredPhone"]}
    assert referral["notes"] == submission["notes"]
    assert ledger.lead(submission)["name"] == submission["referredName"]
    assert ledger.consents(submission) == {}


def test_the_next_friend_begins_with_an_empty_form(embedded, ledger, submission, canaries):
    form = embedded()
    form.paste(submission)
    form.send()
    first = form.receipt()
    form.again.click()
    form.assert_empty()
    expect(form.field("referrerName")).to_be_focused()
    second = canaries.submission()
    form.paste(second)
    form.send()
    assert form.receipt() != first
    assert len(ledger.referrals(submission) + ledger.referrals(second)) == 2


@pytest.mark.parametrize("wording, data", [(ENGLISH, {}), (SPANISH, {"lang": "es"})], ids=["en", "es"])
def test_what_is_ticked_is_agreed_to_in_the_language_it_was_read_in(embedded, ledger, submission, wording, data):
    form = embedded(wording, **data)
    expect(form.root.locator("h2")).to_have_text(wording["title"])
    for name, label in wording["labels"].items():
        expect(form.root.get_by_label(label)).to_have_id(name)
    form.paste(submission)
    form.root.get_by_label(wording["consents"]["referrerEmailConsent"]).check()
    form.send()
    form.receipt()
    assert ledger.consents(submission) == {"EMAIL": wording["consentTextId"]}


def test_it_works_under_the_strictest_policy_of_a_site(embedded, ledger, submission, line):
    origin = f"http://127.0.0.1:{line.port}"
    form = embedded(site={"headers": {"Content-Security-Policy": STRICT.format(api=origin)}})
    form.send()
    expect(form.error("referrerName")).to_be_visible()
    form.paste(submission)
    form.send()
    form.receipt()
    assert ledger.referral(submission)["channel"] == "WIDGET"
    # Its look is not among what the policy took away. What else it complained of, every visit looks for.
    assert form.again.evaluate("node => getComputedStyle(node).cursor") == "pointer"


def test_the_strict_policy_is_one(visits, sites, api_url, slug):
    """What the test above stands on: such a site takes no script of anybody else, and a visit hears of it."""
    page = visits.page()
    headers = {"Content-Security-Policy": STRICT.format(api="http://other.test")}
    with page.expect_console_message(lambda message: "Content Security Policy" in message.text):
        page.goto(sites.page(script(api_url, slug), headers=headers))
    expect(page.locator("winnerr-referral")).to_have_count(0)
    assert visits.complaints
    visits.complaints.clear()


def look(form):
    """How it looks, as far as a person would notice."""
    ask = """node => { const s = getComputedStyle(node); const box = node.getBoundingClientRect();
      return [s.color, s.backgroundColor, s.fontSize, s.fontFamily, s.direction, s.textTransform, s.visibility,
        s.display, Math.round(box.height)]; }"""
    parts = [form.root, form.field("referrerName"), form.button, form.root.locator("h2"), form.root.locator("p").first]
    return [part.evaluate(ask) for part in parts]


def test_a_sites_style_stays_outside(embedded):
    plain, hostile = embedded(), embedded(site={"head": HOSTILE_CSS})
    for name in TEXTS:
        expect(hostile.field(name)).to_be_visible()
    box, page = hostile.root.bounding_box(), hostile.page.viewport_size
    assert box["x"] >= 0
    assert box["width"] > 300
    assert box["x"] + box["width"] <= page["width"]
    assert look(hostile) == look(plain)
    # Visible through and through: nothing around it hides it.
    assert (
        hostile.page.evaluate("""() => {
      for (let node = document.querySelector("winnerr-referral"); node instanceof Element; node = node.parentNode) {
        const style = getComputedStyle(node);
        if (style.opacity !== "1" || style.visibility !== "visible" || style.display === "none") return node.localName;
      }
      return null;
    }""")
        is None
    )


def test_it_takes_a_sites_colours_when_they_are_given_by_name(embedded):
    style = "<style>:root { --referral-accent: rgb(120, 20, 90); --referral-on-accent: rgb(255, 250, 240); }</style>"
    form = embedded(site={"head": style})
    ask = "node => [getComputedStyle(node).backgroundColor, getComputedStyle(node).color]"
    assert form.button.evaluate(ask) == ["rgb(120, 20, 90)", "rgb(255, 250, 240)"]
    assert embedded().button.evaluate(ask) != ["rgb(120, 20, 90)", "rgb(255, 250, 240)"]


def test_two_agents_on_one_site_have_a_form_each(visits, sites, api_url, stack, ledger, other_ledger, canaries):
    slugs = stack["AGENT_SLUG"], stack["OTHER_SLUG"]
    page = visits.page()
    page.goto(sites.page("".join(script(api_url, slug) for slug in slugs), head=HEARD))
    first, second = (Widget(page, agent=slug) for slug in slugs)
    to_first, to_second = canaries.submission(), canaries.submission()
    first.paste(to_first)
    second.paste(to_second)
    second.send()
    receipts = [second.receipt()]
    # What happens in one is nothing to the other.
    assert first.values() == to_first
    first.send()
    receipts.insert(0, first.receipt())
    assert len(ledger.referrals(to_first)) == len(other_ledger.referrals(to_second)) == 1
    assert ledger.referrals(to_second) == other_ledger.referrals(to_first) == []
    heard = [[{"receiptId": receipt}, "winnerr-referral", slug] for receipt, slug in zip(receipts, slugs, strict=True)]
    assert page.evaluate("heard") == heard[::-1]


def test_the_demo_site_has_it(visits, stack, ledger, submission):
    """What `make dev` shows, as it shows it: the page in a bucket, past the line, of another origin than the API."""
    page = visits.page()
    page.goto(stack["DEMO_SITE_URL"])
    form = Widget(page)
    form.paste(submission)
    form.send()
    form.receipt()
    assert page.evaluate("location.origin") not in stack["API_URL"]
    assert ledger.referral(submission)["channel"] == "WIDGET"


def test_another_agent_in_the_same_element_gets_what_is_sent_then(embedded, stack, ledger, other_ledger, submission):
    """As a site does that changes its pages without loading them."""
    form = embedded(agent_name="Jane Doe")
    form.paste(submission)
    element = form.page.locator("winnerr-referral")
    element.evaluate("(node, agent) => node.setAttribute('agent', agent)", stack["OTHER_SLUG"])
    element.evaluate("node => { node.setAttribute('agent-name', 'Omar Reyes'); node.lang = 'es'; }")
    form = Widget(form.page, SPANISH, stack["OTHER_SLUG"])
    expect(form.root.locator("h2")).to_have_text(SPANISH["titleTo"].replace("{agent}", "Omar Reyes"))
    form.assert_empty()
    form.paste(submission)
    form.send()
    form.receipt()
    assert (len(other_ledger.referrals(submission)), ledger.referrals(submission)) == (1, [])


def test_an_agent_that_changes_outside_of_the_page_counts_too(embedded, stack):
    form = embedded()
    expect(form.field("notes")).to_be_visible()
    form.page.evaluate(
        """(agent) => {
      const element = document.querySelector("winnerr-referral");
      element.remove();
      element.setAttribute("agent", agent);
      element.setAttribute("agent-name", "Omar Reyes");
      document.body.append(element);
    }""",
        stack["OTHER_SLUG"],
    )
    other = Widget(form.page, agent=stack["OTHER_SLUG"])
    expect(other.root.locator("h2")).to_have_text(ENGLISH["titleTo"].replace("{agent}", "Omar Reyes"))
    # For nobody there is no form.
    form.page.evaluate("document.querySelector('winnerr-referral').removeAttribute('agent')")
    expect(form.page.locator("winnerr-referral .form *")).to_have_count(0)


def test_an_element_that_is_moved_keeps_what_was_typed(embedded, submission):
    form = embedded()
    form.paste(submission)
    form.page.evaluate("document.body.append(document.querySelector('winnerr-referral'))")
    assert form.values() == submission


@pytest.mark.parametrize("way", ["visibility: hidden", "display: none", "opacity: 0; pointer-events: none"])
def test_what_a_site_hides_is_hidden(visits, sites, api_url, slug, way):
    page = visits.page()
    link = "<a href='#there' style='position: absolute; inset: 0'>There</a>"
    hidden = f"<div style='position: absolute; inset: 0; z-index: 9; {way}'>{script(api_url, slug)}</div>"
    page.goto(sites.page(f"<div style='position: relative; height: 60rem'>{link}{hidden}</div>"))
    expect(page.locator("winnerr-referral")).to_have_count(1)
    if "opacity" not in way:
        expect(Widget(page).field("notes")).to_be_hidden()
    # Nothing of it is in the way.
    page.get_by_role("link", name="There").click(timeout=5_000)
    assert page.url.endswith("#there")


def test_it_is_as_large_as_the_reader_wants_and_not_as_a_sites_root(embedded):
    small, plain = embedded(site={"head": "<style>html { font-size: 62.5%; }</style>"}), embedded()
    assert look(small) == look(plain)
    assert small.field("notes").evaluate("node => getComputedStyle(node).fontSize") == "16px"


def test_a_script_in_the_head_shows_the_form_in_the_body(visits, sites, api_url, slug):
    page = visits.page()
    page.goto(sites.page("", head=script(api_url, slug)))
    expect(Widget(page).field("notes")).to_be_visible()


def test_a_page_that_is_put_together_again_has_one_form(embedded):
    """Some sites keep what a page was and run its scripts again."""
    form = embedded()
    expect(form.field("notes")).to_be_visible()
    form.page.evaluate("""() => {
      const before = document.querySelector("script[data-agent]");
      const again = document.createElement("script");
      for (const { name, value } of before.attributes) again.setAttribute(name, value);
      return new Promise((done) => { again.onload = done; before.replaceWith(again); });
    }""")
    expect(form.page.locator("winnerr-referral")).to_have_count(1)
