"""The form as a person has it before them, on the page or in the widget: what can be typed, ticked, sent and read."""

from __future__ import annotations

import re

from playwright.sync_api import expect
from wording import ENGLISH

TEXTS = ("referrerName", "referrerEmail", "referrerPhone", "referredName", "referredEmail", "referredPhone", "notes")
BOXES = ("referrerEmailConsent", "referrerSmsConsent")
RECEIPT = re.compile(r"rcpt_[0-9A-Za-z]+")


class Form:
    """Both have the same fields under the same ids; where they are, and how they end, is their own."""

    def __init__(self, root, wording):
        self.page = root.page
        self.text = wording
        self.root = root
        self.problem = self.root.locator("#problem")

    def field(self, name):
        return self.root.locator(f"#{name}")

    def error(self, name):
        return self.root.locator(f"#{name}-error")

    @property
    def button(self):
        return self.root.get_by_role("button", name=self.text["send"])

    def type(self, submission):
        """Key by key, as people do it."""
        for name in TEXTS:
            if name in submission:
                self.field(name).click()
                self.page.keyboard.type(submission[name])

    def paste(self, submission):
        """Field by field: enough where typing is not what is tested."""
        for name in TEXTS:
            if name in submission:
                self.field(name).fill(submission[name])

    def send(self):
        self.button.click()

    def values(self):
        """All that was typed and is not empty."""
        values = {name: self.field(name).input_value() for name in TEXTS}
        return {name: value for name, value in values.items() if value}

    def ticked(self):
        return [name for name in BOXES if self.field(name).is_checked()]

    def assert_empty(self):
        expect(self.field("notes")).to_be_visible()
        assert (self.values(), self.ticked()) == ({}, [])

    def assert_problem(self, said):
        """It is said, it can be seen, and a screen reader is where it stands."""
        expect(self.problem).to_have_text(said)
        expect(self.problem).to_be_visible()
        expect(self.problem).to_be_focused()

    def receipt(self):
        """Waits for the thanks. Gives the receipt."""
        expect(self.done).to_have_text(self.text["done"])
        expect(self.root).to_contain_text(self.text["doneText"])
        expect(self.root).to_contain_text(RECEIPT)
        return RECEIPT.search(self.root.inner_text())[0]


class HostedForm(Form):
    channel = "PUBLIC_PROFILE"

    def __init__(self, page, wording=ENGLISH):
        super().__init__(page.locator("main.form"), wording)

    @property
    def done(self):
        return self.root.locator("h1")

    @property
    def again(self):
        return self.root.get_by_role("link", name=self.text["again"])


class Widget(Form):
    channel = "WIDGET"

    def __init__(self, page, wording=ENGLISH, agent="jane-doe-realty", within=None):
        super().__init__(within or page.locator(f"winnerr-referral[agent={agent}] .form"), wording)

    @property
    def done(self):
        return self.root.get_by_role("status").locator("h2")

    @property
    def again(self):
        return self.root.get_by_role("status").get_by_role("button", name=self.text["again"])
