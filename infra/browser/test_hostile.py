"""What is typed is text and stays text, wherever it is shown; and nobody puts the page into a frame."""

from __future__ import annotations

import pytest
from forms import TEXTS, HostedForm, Widget
from playwright.sync_api import expect
from sites import script
from visits import MARK

# Each would leave the mark that every visit looks for at its end, or be seen as something else than what it is.
TRIED = (
    f"<img src=x onerror=window.{MARK}=1>",
    f"<script>window.{MARK}=1</script>",
    f'"><svg onload=window.{MARK}=1>',
    f"</textarea><script>window.{MARK}=1</script>",
    f"' autofocus onfocus=window.{MARK}=1 x='",
    f"</script><script>window.{MARK}=1</script>",
    "{{7*7}} ${7*7} <%= 7*7 %> &lt;b&gt; &amp; \u202e \U0001f3e1",
)
NAMES = TRIED[:5]
FRAME = '<iframe title="A form" src="{}"></iframe>'


def fits(name, text):
    """A number's field is short."""
    return text[:32] if name.endswith("Phone") else text


def fill(form, tried):
    values = {name: fits(name, tried) for name in TEXTS}
    form.paste(values)
    return values


def test_it_comes_back_as_it_was_typed(form):
    for tried in TRIED:
        values = fill(form, tried)
        form.send()
        # While it is under way the button has another name.
        expect(form.button).to_be_visible()
        expect(form.problem).to_have_text(form.text["check"])
        assert form.values() == values
        assert_nothing_became_of_it(form)


def test_it_comes_back_as_it_was_typed_without_scripts(hosted, visits):
    form = hosted(java_script_enabled=False)
    # The same answer in a browser that would run it.
    with_scripts = HostedForm(visits.page())
    for tried in TRIED:
        values = fill(form, tried)
        with form.page.expect_navigation():
            form.send()
        expect(form.problem).to_have_text(form.text["check"])
        assert form.values() == values
        with_scripts.page.set_content(form.page.content())
        assert with_scripts.values() == values
        assert_nothing_became_of_it(with_scripts)


def assert_nothing_became_of_it(form):
    expect(form.root.locator("img, svg, script, [onerror], [onload], [onfocus], b")).to_have_count(0)
    assert form.page.evaluate(f"window.{MARK}") is None


def test_it_arrives_as_it_was_typed(form, ledger, canaries):
    sent = []
    for tried in NAMES:
        submission = canaries.submission(referrerName=tried, referredName=f"{tried} {{7*7}}", notes=tried)
        form.paste(submission)
        form.send()
        form.receipt()
        assert_nothing_became_of_it(form)
        sent.append(submission)
        form.again.click()
        form.assert_empty()
    for submission in sent:
        referral = ledger.referral(submission)
        assert (referral["referredName"], referral["notes"]) == (submission["referredName"], submission["notes"])
        assert ledger.lead(submission)["name"] == submission["referredName"]


def test_a_site_that_says_it_to_the_widget_gets_it_as_text(visits, sites, api_url, slug):
    page = visits.page()
    page.goto(sites.page("".join(script(api_url, slug, agent_name=tried, lang=tried) for tried in TRIED)))
    form = Widget(page)
    titles = [form.text["titleTo"].replace("{agent}", tried) for tried in TRIED]
    expect(form.root.locator("h2")).to_have_count(len(TRIED))
    assert form.root.locator("h2").all_text_contents() == titles
    assert_nothing_became_of_it(form)


def test_an_agent_of_that_name_is_not_found(visits, sites, api_url, submission):
    page = visits.page()
    page.goto(sites.page("".join(script(api_url, tried) for tried in TRIED)))
    for number in range(len(TRIED)):
        form = Widget(page, within=page.locator("winnerr-referral .form").nth(number))
        form.paste(submission)
        form.send()
        form.assert_problem(form.text.problem("not_found"))
        assert form.values() == submission
        assert_nothing_became_of_it(form)


@pytest.mark.parametrize("place", ["/r/{}", "/r/{slug}?lang={}", "/r/{slug}?{}=1", "/r/{slug}/{}"])
def test_an_address_is_shown_nowhere(visits, api_url, slug, place):
    page = visits.page()
    tried = "%22%3E%3Cimg%20src%3Dx%20onerror%3Dwindow.__pwned%3D1%3E"
    page.goto(api_url + place.format(tried, slug=slug))
    assert "__pwned" not in page.content().replace(page.url, "")
    assert page.locator("img").count() == 0


def test_the_page_is_in_no_frame(visits, sites, form_url):
    """A site around it could lead a hand to press what its owner did not see."""
    page = visits.page()
    with page.expect_console_message(lambda message: "frame" in message.text.lower()):
        page.goto(sites.page(FRAME.format(form_url)))
    assert_frame_is_empty(page, visits)


def test_nor_is_it_on_its_own_origin(visits, api_url, form_url):
    page = visits.page()
    page.goto(f"{api_url}/widget/v1.js")
    with page.expect_console_message(lambda message: "frame" in message.text.lower()):
        page.set_content(FRAME.format(form_url))
    assert_frame_is_empty(page, visits)


def assert_frame_is_empty(page, visits):
    (frame,) = page.frames[1:]
    # The browser complains first, and then shows that there is nothing.
    frame.wait_for_url(lambda url: url.startswith("chrome-error:"), wait_until="commit")
    assert frame.locator("form").count() == 0
    # That its policy was kept is what was asked for here.
    assert visits.complaints
    visits.complaints.clear()


GOT_IN = {
    "a script": f"document.body.append(Object.assign(document.createElement('script'), {{text: 'window.{MARK}=1'}}))",
    "an attribute": f"document.body.setAttribute('onclick', 'window.{MARK}=1'); document.body.click()",
    "a file": "document.body.append(Object.assign(document.createElement('script'), {src: '/widget.js'}))",
    "a picture": "document.body.append(Object.assign(document.createElement('img'), {alt: '', src: '/pixel'}))",
    "a request": "fetch('http://elsewhere.test/').catch(() => null)",
    "a form": "Object.assign(document.querySelector('form'), {action: 'http://elsewhere.test/'}).submit()",
    "a base": "document.head.append(Object.assign(document.createElement('base'), {href: 'http://elsewhere.test/'}))",
}


@pytest.mark.parametrize("code", GOT_IN.values(), ids=GOT_IN.keys())
def test_what_got_into_the_page_all_the_same_could_do_nothing(hosted, visits, line, code):
    page = hosted().page
    before = len(line.requests)
    with page.expect_console_message(lambda message: "Content Security Policy" in message.text):
        page.evaluate(f"() => {{ {code}; }}")
    assert page.evaluate(f"window.{MARK}") is None
    assert len(line.requests) == before
    assert not [address for address in visits.addresses if "elsewhere" in address and "chrome" not in address]
    assert visits.complaints
    visits.complaints.clear()


FOREIGN = {
    "one that lets in what agrees to it": {
        "is_trusted": True,
        "headers": {"Cross-Origin-Embedder-Policy": "require-corp", "Cross-Origin-Opener-Policy": "same-origin"},
    },
    "one without an origin": {"headers": {"Content-Security-Policy": "sandbox allow-scripts allow-forms"}},
    "one that says nothing of itself": {"headers": {"Referrer-Policy": "no-referrer"}},
}


@pytest.mark.parametrize("site", FOREIGN.values(), ids=FOREIGN.keys())
def test_the_widget_is_at_home_on_any_site(embedded, ledger, submission, site):
    form = embedded(site=site)
    form.paste(submission)
    form.send()
    form.receipt()
    assert ledger.referral(submission)["channel"] == "WIDGET"
