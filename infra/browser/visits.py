"""Visits of one test: a browser without a past for each, and an eye on what must happen in none of them."""

from __future__ import annotations

from urllib.parse import urlsplit

PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1280, "height": 900}

# Where a tried script leaves a mark, see test_hostile.py.
MARK = "__pwned"
LOCAL = ("127.0.0.1", "localhost")
SITES = (".test", ".localhost")


class Visits:
    def __init__(self, browser):
        self._browser = browser
        self._contexts = []
        # What went wrong in a page, whatever its test is about.
        self.complaints = []
        # Of every request of a page: its address.
        self.addresses = []

    def page(self, **options):
        """An empty tab. The options are those of a Playwright context."""
        context = self._browser.new_context(**{"viewport": DESKTOP, "locale": "en-US", **options})
        context.on("console", self._hear)
        context.on("weberror", lambda error: self.complaints.append(f"error: {error.error}"))
        context.on("dialog", self._close)
        context.on("request", self._look)
        self._contexts.append(context)
        return context.new_page()

    def end(self):
        """Closes everything, and fails the test when a page complained of something."""
        for context in self._contexts:
            for page in context.pages:
                if page.url.startswith("http") and page.evaluate(f"window.{MARK}") is not None:
                    self.complaints.append(f"a script ran in {page.url}")
            context.close()
        assert self.complaints == []

    def _hear(self, message):
        # A request that failed is said too, and some tests make them fail. A broken policy is never meant.
        if "Content Security Policy" in message.text or "Trusted" in message.text:
            self.complaints.append(f"console: {message.text}")

    def _close(self, dialog):
        self.complaints.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _look(self, request):
        self.addresses.append(request.url)
        parts = urlsplit(request.url)
        if parts.scheme.startswith("http") and parts.hostname not in LOCAL and not parts.hostname.endswith(SITES):
            self.complaints.append(f"a request to {parts.hostname}")
