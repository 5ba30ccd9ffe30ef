"""What the tests share. `make test-flow` brings up an instance of its own and hands over its dev.env as variables."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# The demo logins are defined where they are made.
sys.path.insert(0, str(ROOT / "infra" / "local"))

from api import Api  # noqa: E402
from cloud import Pipeline, Tap  # noqa: E402
from people import Canaries  # noqa: E402

# Looks at what all the others left behind.
LAST = "test_canaries.py"


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: item.path.name == LAST)


@pytest.fixture(scope="session")
def root():
    return ROOT


@pytest.fixture(scope="session")
def stack():
    """The variables of dev.env."""
    if "API_URL" not in os.environ:
        pytest.fail("There is no stack to test. Run: make test-flow", pytrace=False)
    return os.environ


@pytest.fixture(scope="session")
def api(stack, tap):
    # With the tap, so that it hears of everything that any test causes.
    assert tap
    return Api(stack["API_URL"])


@pytest.fixture(scope="session")
def owner(stack):
    return stack["TOKEN"]


@pytest.fixture(scope="session")
def slug(stack):
    return stack["AGENT_SLUG"]


@pytest.fixture(scope="session")
def canaries():
    return Canaries()


@pytest.fixture(scope="session")
def pipeline(stack):
    return Pipeline(stack)


@pytest.fixture(scope="session")
def tap(stack):
    tap = Tap(stack)
    yield tap
    tap.close()


@pytest.fixture
def capture_lead(api, owner, slug, pipeline, canaries):
    """Captures a referral and waits until its lead is in the pipeline. Gives the submission, the referral, the lead."""

    def capture(**fields):
        submission = canaries.submission(**fields)
        api.captured(slug, submission)
        pipeline.wait_until_quiet()
        (referral,) = api.referrals_to(owner, submission["referredEmail"])
        return submission, referral, api.lead(owner, submission["referredEmail"])

    return capture
