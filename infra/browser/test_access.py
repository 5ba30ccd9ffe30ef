"""Nobody is kept out: what axe finds, the whole way by keyboard, and pictures of every state to look at.

The pictures are in .local/browser/screenshots. No test compares them.
"""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from conftest import KINDS, ROOT, open_form
from playwright.sync_api import expect
from visits import DESKTOP, PHONE

PICTURES = ROOT / ".local" / "browser" / "screenshots"
SIZES = {"phone": PHONE, "desktop": DESKTOP}
# What a site does for a browser that prefers dark. The widget follows the site, and not the browser past it.
BOTH_SCHEMES = "<style>:root { color-scheme: light dark; }</style>"
# Where the focus is, however deep.
FOCUSED = """() => {
  let node = document.activeElement;
  while (node.shadowRoot && node.shadowRoot.activeElement) node = node.shadowRoot.activeElement;
  return node.id || node.localName;
}"""
TABS = 40


def violations(page):
    found = Axe().run(page).response["violations"]
    return [f"{one['id']}: {node['target']} {node['failureSummary']}" for one in found for node in one["nodes"]]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("kind", KINDS.values())
def test_axe_finds_nothing_in_any_state(kind, scheme, size, hosted, embedded, submission):
    options = {"viewport": SIZES[size], "color_scheme": scheme}
    form = hosted(**options) if kind == "page" else embedded(site={"head": BOTH_SCHEMES}, options=options)
    page = form.page

    def look(state):
        PICTURES.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=PICTURES / f"{kind}-{state}-{size}-{scheme}.png", full_page=True)
        assert violations(page) == []
        # Nothing has to be moved sideways to be read.
        assert page.evaluate("document.documentElement.scrollWidth") <= SIZES[size]["width"]

    is_dark = form.root.evaluate("node => getComputedStyle(node).backgroundColor.match(/\\d+/)[0] < 128")
    assert is_dark == (scheme == "dark")
    look("form")
    form.paste({"referrerName": submission["referrerName"], "referrerEmail": "pat at example", "notes": "Sam " * 40})
    form.send()
    expect(form.error("referrerEmail")).to_be_visible()
    look("errors")
    form.paste(submission)
    form.send()
    form.receipt()
    look("done")


def test_axe_does_look_inside(embedded):
    """What the test above stands on."""
    form = embedded()
    form.root.locator("label[for=referrerName]").evaluate("node => node.remove()")
    form.root.locator("h2").evaluate("node => { node.style.color = '#eee'; }")
    found = {line.split(":")[0] for line in violations(form.page)}
    assert found == {"label", "color-contrast"}


@pytest.mark.parametrize("kind", KINDS.values())
@pytest.mark.parametrize("factor", [2, 4])
def test_it_can_be_read_at_several_times_the_size(kind, factor, hosted, embedded):
    """A window of a phone's width zoomed, as WCAG's reflow asks: 1280 pixels at 400 % are 320."""
    form = open_form(kind, hosted, embedded, viewport={"width": 1280 // factor, "height": 900 // factor})
    form.send()
    expect(form.error("referrerName")).to_be_visible()
    assert form.page.evaluate("document.documentElement.scrollWidth") <= 1280 // factor


class Keyboard:
    """A person without a pointer, who reads where the focus is and never looks for anything else."""

    def __init__(self, page):
        self._page = page

    def reach(self, name):
        for _ in range(TABS):
            if self.at == name:
                return
            self._page.keyboard.press("Tab")
        raise AssertionError(f"{name} is not reached with {TABS} tabs; the focus is at {self.at}")

    @property
    def at(self):
        return self._page.evaluate(FOCUSED)

    def type(self, name, text):
        self.reach(name)
        # What stands there is selected by getting there, or replaced by who selects it.
        self._page.keyboard.press("ControlOrMeta+A")
        self._page.keyboard.type(text)

    def press(self, key):
        self._page.keyboard.press(key)


def test_the_keyboard_is_enough(form, ledger, submission):
    keyboard = Keyboard(form.page)
    # Not the honeypot: it is no stop on the way.
    stops = []
    for _ in range(TABS):
        keyboard.press("Tab")
        stops.append(keyboard.at)
        if stops[-1] == "button":
            break
    names = [name for name in submission if name in stops]
    assert [stop for stop in stops if stop not in ("a", "body")] == [
        "referrerName", "referrerEmail", "referrerPhone", "referredName", "referredEmail", "referredPhone", "notes",
        "referrerEmailConsent", "referrerSmsConsent", "button",
    ]  # fmt: skip
    assert sorted(names) == sorted(submission)

    keyboard.press("Enter")
    expect(form.field("referrerName")).to_be_focused()
    for name in ("referrerName", "referrerEmail", "referrerPhone", "referredName"):
        keyboard.type(name, submission[name])
    keyboard.type("referredEmail", "sam at example")
    # Enter in a field sends, too.
    keyboard.press("Enter")
    expect(form.error("referredEmail")).to_be_visible()
    expect(form.field("referredEmail")).to_be_focused()
    for name in ("referredEmail", "referredPhone", "notes"):
        keyboard.type(name, submission[name])
    keyboard.reach("referrerEmailConsent")
    keyboard.press("Space")
    assert form.ticked() == ["referrerEmailConsent"]
    keyboard.reach("button")
    keyboard.press("Space")
    form.receipt()
    expect(form.done).to_be_focused()
    assert ledger.consents(submission) == {"EMAIL": form.text["consentTextId"]}

    keyboard.press("Tab")
    expect(form.again).to_be_focused()
    keyboard.press("Enter")
    form.assert_empty()


@pytest.mark.parametrize("fault", ["down", "losing_answers"])
def test_who_cannot_see_it_is_told_what_went_wrong(form, line, submission, fault):
    form.paste(submission)
    with getattr(line, fault)():
        form.send()
        expect(form.root.get_by_role("alert")).to_have_text(form.text.problem("failed"))
        expect(form.problem).to_be_focused()
        # The next stop is what can be done about it.
        form.page.keyboard.press("Tab")
        assert form.page.evaluate(FOCUSED) in ("referrerName", "button")
