"""What the browser tests share: a Chromium, the stack that `make test-browser` brings up, a line between the two."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from urllib.parse import urlsplit

import chromium
import pytest
import sites as other_sites
from forms import HostedForm, Widget
from line import Line
from playwright.sync_api import expect, sync_playwright
from visits import Visits
from wording import ENGLISH

ROOT = Path(__file__).resolve().parents[2]
# The API, its people and the stack from behind are looked at as the other tests do it.
sys.path.insert(0, str(ROOT / "infra" / "tests"))

from api import Api  # noqa: E402
from cloud import Pipeline  # noqa: E402
from ledger import Ledger  # noqa: E402
from people import Canaries  # noqa: E402

# A slow machine is no failure.
SECONDS = 20
FLAGS = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
KINDS = {HostedForm.channel: "page", Widget.channel: "widget"}

expect.set_options(timeout=SECONDS * 1000)


@pytest.fixture(scope="session")
def stack():
    """The variables of dev.env."""
    if "API_URL" not in os.environ:
        pytest.fail("There is no stack to test. Run: make test-browser", pytrace=False)
    return os.environ


@pytest.fixture(scope="session")
def sites():
    sites = other_sites.Sites()
    yield sites
    sites.close()


@pytest.fixture(scope="session")
def browser(sites):
    # A name leads to a site of the tests or nowhere: whatever a page may try, it gets no farther than this machine.
    here = f"{other_sites.HOST}:{sites.port}"
    names = f"MAP *.test {here},MAP *.localhost {here},MAP * ~NOTFOUND,EXCLUDE 127.0.0.1,EXCLUDE localhost"
    with sync_playwright() as playwright:
        program = playwright.chromium.launch(
            executable_path=chromium.find(), args=[*FLAGS, f"--host-resolver-rules={names}"], timeout=60_000
        )
        yield program
        program.close()


@pytest.fixture
def visits(browser):
    visits = Visits(browser)
    yield visits
    visits.end()


@pytest.fixture(scope="session")
def one_line(stack):
    line = Line(urlsplit(stack["API_URL"]).port)
    yield line
    line.close()


@pytest.fixture
def line(one_line):
    one_line.forget()
    return one_line


@pytest.fixture
def api_url(stack, line):
    """Where pages and scripts come from, and where forms go to."""
    return f"http://127.0.0.1:{line.port}{urlsplit(stack['API_URL']).path}"


@pytest.fixture(scope="session")
def api(stack):
    """Past the line, which may be down."""
    return Api(stack["API_URL"])


@pytest.fixture(scope="session")
def pipeline(stack):
    return Pipeline(stack)


@pytest.fixture(scope="session")
def ledger(stack, api, pipeline):
    return Ledger(api, stack["TOKEN"], pipeline)


@pytest.fixture(scope="session")
def canaries():
    return Canaries()


@pytest.fixture
def submission(canaries):
    """About two people whom nobody knows yet, with everything that the form asks for."""
    return canaries.submission(referrerPhone=canaries.phone(), referredPhone=canaries.phone())


@pytest.fixture(scope="session")
def slug(stack):
    return stack["AGENT_SLUG"]


@pytest.fixture
def form_url(api_url, slug):
    return f"{api_url}/r/{slug}"


@pytest.fixture
def hosted(visits, form_url):
    """Opens the page."""

    def open_page(query="", wording=ENGLISH, **options):
        page = visits.page(**options)
        page.goto(form_url + query)
        return HostedForm(page, wording)

    return open_page


@pytest.fixture
def embedded(visits, sites, api_url, slug):
    """Opens a site with the widget on it. The rest is what the script's line says of it."""

    def open_site(wording=ENGLISH, site=None, options=None, **data):
        page = visits.page(**(options or {}))
        page.goto(sites.page(other_sites.script(api_url, slug, **data), **(site or {})))
        return Widget(page, wording, slug)

    return open_site


@pytest.fixture(params=KINDS.values())
def form(request, hosted, embedded):
    """The form, on the page and in the widget."""
    return open_form(request.param, hosted, embedded)


def open_form(kind, hosted, embedded, **options):
    return hosted(**options) if kind == "page" else embedded(options=options)
