"""What the tests share. `make test-flow` brings up an instance of its own and hands over its dev.env as variables."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

import hypothesis
import pytest
from hypothesis.configuration import set_hypothesis_home_dir

ROOT = Path(__file__).resolve().parents[2]
# The demo logins are defined where they are made.
sys.path[:0] = [str(ROOT / "infra" / folder) for folder in ("local", "bench", "deploy", "checks")]

from api import Api  # noqa: E402
from cloud import Pipeline, Tap  # noqa: E402
from people import Canaries  # noqa: E402
from template import read  # noqa: E402
from tokens import Issuer  # noqa: E402

# A slow machine is no failure.
hypothesis.settings.register_profile("project", deadline=None)
hypothesis.settings.load_profile("project")
set_hypothesis_home_dir(ROOT / ".local" / "hypothesis")

# They look at what all the others left behind.
LAST = ("test_canaries.py", "test_least_privilege.py")


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: item.path.name in LAST)


@pytest.fixture(scope="session")
def root():
    return ROOT


@pytest.fixture(scope="session")
def template(root):
    return read(root / "template.yaml")


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
def issuer(owner):
    return Issuer(owner)


@pytest.fixture(scope="session")
def slug(stack):
    return stack["AGENT_SLUG"]


@pytest.fixture(scope="session")
def canaries():
    return Canaries()


@pytest.fixture
def submission(canaries):
    """A public form about two people whom nobody knows yet."""
    return canaries.submission()


@pytest.fixture(scope="session")
def pipeline(stack):
    return Pipeline(stack)


@pytest.fixture(scope="session")
def tap(stack):
    tap = Tap(stack)
    yield tap
    tap.close()


@pytest.fixture
def scene(api, owner, slug, pipeline, tap):
    return Scene(api, owner, slug, pipeline, tap)


@dataclass(frozen=True)
class Scene:
    """The whole way of a referral, from the form to the bus."""

    api: Api
    owner: str
    slug: str
    pipeline: Pipeline
    tap: Tap

    def submit(self, submission):
        self.api.captured(self.slug, submission)

    def lead(self, submission):
        """None until the friend is in the pipeline."""
        return self.api.lead(self.owner, submission["referredEmail"])

    def referral(self, submission):
        (found,) = self.api.referrals_to(self.owner, submission["referredEmail"])
        return found

    def enter(self, submission):
        """Submits, and waits until the lead is in the pipeline. Gives the referral and the lead."""
        self.submit(submission)
        self.pipeline.wait_until_quiet()
        return self.referral(submission), self.lead(submission)
