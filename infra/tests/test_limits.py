"""How often one network may come, and how often one slug may be used: exactly so often, whoever asks."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import time

import pytest
import yaml
from api import JSON, assert_readable, problem
from cloud import Function, RateLimitTable
from template import Loader
from together import at_once
from waiting import eventually

import settings

POSTS = 200
LIMIT = 20
MINUTE = 60
# What a rush, and a few calls in a row, take on a slow machine. Windows end with the minute of the clock, so it all has
# to fit into one.
RUSH_SECONDS = 20
FEW_SECONDS = 8
ATTEMPTS = 8
UNLIMITED = {name: "100000" for name in settings.PARAMETERS if name.startswith("CAPTURE_")}


class Door:
    """The public door of the running stack, whose limits can be set for a while."""

    def __init__(self, stack, api, slug, canaries):
        self.function = Function(stack, "PublicCaptureFunction")
        self.counters = RateLimitTable(stack)
        self._api = api
        self._slug = slug
        self._canaries = canaries

    def limits(self, **changed):
        """While it lasts, only these limits matter."""
        return self.function.configured(**(UNLIMITED | changed))

    def form(self, **fields):
        return json.dumps(self._canaries.submission(**fields)).encode()

    def submit(self, body, to=None, headers=JSON):
        return self._api.submit(to or self._slug, body, headers)

    def within_a_minute(self, do, seconds=FEW_SECONDS):
        """What `do` gives when all of it happens in one minute of the clock, in which nobody came before.

        What came across the end of a minute is done again; so is what gave nothing.
        """
        for _ in range(ATTEMPTS):
            eventually(lambda: time.time() % MINUTE < MINUTE - seconds, MINUTE, "enough of the minute is left")
            minute = time.time() // MINUTE
            self.counters.clear()
            given = do()
            if given and time.time() // MINUTE == minute:
                return given
        raise AssertionError(f"not within one minute, {ATTEMPTS} times over")

    def warm(self, calls):
        """So many processes of the function, each with a connection to the table: no rush begins with all of that."""
        for _ in range(ATTEMPTS):
            answers = at_once(lambda _: self.submit(b"{").status, range(calls))
            assert set(answers) <= {400, 429, 503}
            if 503 not in answers:
                break

    def rush(self, posts, limit, to=None, headers=({},)):
        """Different submissions, all at once. Gives the ones that passed, and the answers to those that did not.

        None when the emulator could not answer so many in the time that the function gives it: such a call was counted
        or not, or twice when the SDK asked again, so the limit is kept, but not reached for certain.
        """
        posted = [self._canaries.submission() for _ in range(posts)]
        extra = list(itertools.islice(itertools.cycle(headers), posts))

        def post(number):
            return self.submit(json.dumps(posted[number]).encode(), to, JSON | extra[number])

        answers = at_once(post, range(posts))
        passed = [submission for submission, answer in zip(posted, answers, strict=True) if answer.status == 201]
        refused = [answer for answer in answers if answer.status != 201]
        assert len(passed) <= limit
        if len(passed) < limit or any(answer.status == 503 for answer in refused):
            return None
        return passed, refused


@pytest.fixture(scope="module")
def door(stack, api, slug, canaries):
    return Door(stack, api, slug, canaries)


@pytest.fixture
def undisturbed(pipeline):
    """What passes goes on only when the rush is over: nobody else has to compete with it for the emulator."""
    pipeline.wait_until_quiet()
    with pipeline.relay_held_back():
        yield


@pytest.fixture
def stored(api, owner):
    """How many of the submissions became a row."""

    def count(submissions):
        addresses = {row["referredContact"]["email"] for row in api.referrals(owner)}
        return sum(submission["referredEmail"] in addresses for submission in submissions)

    return count


def assert_refused(answer, longest=MINUTE):
    """429, with the seconds to wait. Gives them."""
    assert problem(answer) == (429, "too_many_requests", {})
    assert_readable(answer)
    (seconds,) = answer.values("retry-after")
    assert seconds == str(int(seconds))
    assert 1 <= int(seconds) <= longest
    return int(seconds)


# --- the network ---------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("undisturbed")
def test_of_two_hundred_at_once_exactly_the_limit_passes(door, stored):
    # What a client says of where it comes from is its own invention.
    spoofed = [
        {},
        {"X-Forwarded-For": "198.51.100.9"},
        {"X-Forwarded-For": "2001:db8::1, 198.51.100.10"},
        {"X-Real-IP": "198.51.100.11", "Forwarded": "for=198.51.100.12", "X-Forwarded-For": ""},
    ]
    with door.limits(CAPTURE_IP_PER_MINUTE=str(LIMIT)):
        door.warm(POSTS)
        passed, refused = door.within_a_minute(lambda: door.rush(POSTS, LIMIT, headers=spoofed), RUSH_SECONDS)
        assert (len(passed), len(refused)) == (LIMIT, POSTS - LIMIT)
        wait = max(assert_refused(answer) for answer in refused)
        # The minute that is over counts no more, although its counter is still there.
        eventually(lambda: door.submit(door.form()).status == 201, wait + 5, "the next minute is open")
        counted = [value for item in door.counters.items() for name, value in item.items() if name.startswith("m")]
        assert {"N": str(LIMIT)} in counted
    assert stored(passed) == LIMIT


@pytest.mark.usefixtures("undisturbed")
def test_a_refused_network_leaves_the_quota_of_the_slug_alone(stack, door):
    left = 5
    quota = str(LIMIT + left)
    with door.limits(CAPTURE_IP_PER_MINUTE=str(LIMIT), CAPTURE_SLUG_PER_DAY=quota):
        passed, refused = door.within_a_minute(lambda: door.rush(60, LIMIT), RUSH_SECONDS)
        assert (len(passed), len(refused)) == (LIMIT, 40)
    with door.limits(CAPTURE_SLUG_PER_DAY=quota):
        # One by one: what is left is exact, whatever the machine does meanwhile.
        answers = [door.submit(door.form()) for _ in range(2 * left)]
        assert [answer.status for answer in answers] == [201] * left + [429] * left
        for answer in answers[left:]:
            assert_refused(answer, longest=24 * 60 * MINUTE)
        # Another slug has a quota of its own.
        assert door.submit(door.form(), to=stack["OTHER_SLUG"]).status == 201


def test_the_hour_is_counted_beside_the_minute(door):
    with door.limits(CAPTURE_IP_PER_HOUR="5"):
        # Anywhere in a minute is far enough from the end of the hour, unless it is the last.
        answers = door.within_a_minute(lambda: [door.submit(door.form()) for _ in range(8)])
        assert [answer.status for answer in answers] == [201] * 5 + [429] * 3
        for answer in answers[5:]:
            assert_refused(answer, longest=60 * MINUTE)


def test_only_what_gets_past_the_checks_before_it_is_counted(api, slug, door):
    good = door.form()

    def come():
        before = [
            api.raw("GET", f"/api/public/referral/{slug}"),
            api.raw("POST", "/api/public/reviews", good, JSON),
            door.submit(good, headers={"Content-Type": "text/plain"}),
            door.submit(good, headers=JSON | {"Content-Encoding": "gzip"}),
            door.submit(b" " * 32_769),
        ]
        # What follows the count is counted: its body is not even read when the limit is reached.
        after = [
            door.submit(b"{"),
            door.submit(good, to="somebody-else"),
            door.submit(good),
            door.submit(b"{"),
            door.submit(b"{}"),
            door.submit(good, to="somebody-else"),
        ]
        return [answer.status for answer in before], [answer.status for answer in after]

    with door.limits(CAPTURE_IP_PER_MINUTE="3"):
        before, after = door.within_a_minute(come)
    assert before == [405, 404, 415, 415, 413]
    assert after == [400, 404, 201, 429, 429, 429]


# --- the slug ------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("undisturbed")
def test_of_two_hundred_at_once_exactly_the_slugs_limit_passes(door, stored):
    def come():
        rushed = door.rush(POSTS, LIMIT)
        trapped = door.form(website="https://spam.example")
        return rushed and (*rushed, door.submit(trapped), door.submit(b"{}"), door.submit(trapped, to="somebody-else"))

    with door.limits(CAPTURE_SLUG_PER_MINUTE=str(LIMIT)):
        door.warm(POSTS)
        passed, refused, trapped, bad, elsewhere = door.within_a_minute(come, RUSH_SECONDS)
    assert (len(passed), len(refused)) == (LIMIT, POSTS - LIMIT)
    for answer in refused:
        assert_refused(answer)
    assert stored(passed) == LIMIT
    # What is answered before the slug's quota is looked at, is answered as ever.
    assert [trapped.status, bad.status, elsewhere.status] == [201, 422, 404]


def test_what_stores_nothing_uses_up_nothing_of_the_slugs(door):
    good, trapped = door.form(), door.form(website="https://spam.example")
    with door.limits(CAPTURE_SLUG_PER_MINUTE="1"):
        bodies = [b"{", b"{}", trapped, good, good]
        answers = door.within_a_minute(lambda: [door.submit(body).status for body in bodies])
    assert answers == [400, 422, 201, 201, 429]


# --- setting them --------------------------------------------------------------------------------------------------

NAMES = {
    "CAPTURE_IP_PER_MINUTE": ("CaptureIpPerMinute", 10),
    "CAPTURE_IP_PER_HOUR": ("CaptureIpPerHour", 60),
    "CAPTURE_SLUG_PER_MINUTE": ("CaptureSlugPerMinute", 30),
    "CAPTURE_SLUG_PER_DAY": ("CaptureSlugPerDay", 300),
}


def test_limits_are_taken_from_the_environment():
    chosen = settings.from_environment({name: str(number) for number, name in enumerate(NAMES, start=1)}).parameters
    for number, (parameter, _) in enumerate(NAMES.values(), start=1):
        assert chosen[parameter] == str(number)


def test_what_the_environment_leaves_out_keeps_the_templates_default(root):
    template = yaml.load((root / "template.yaml").read_text(), Loader=Loader)  # noqa: S506 - a SafeLoader
    unset = settings.from_environment({name: "" for name in NAMES}).parameters
    variables = template["Resources"]["PublicCaptureFunction"]["Properties"]["Environment"]["Variables"]
    for name, (parameter, default) in NAMES.items():
        assert parameter not in unset
        assert template["Parameters"][parameter]["Default"] == default
        assert variables[name] == {"Ref": parameter}


def test_a_running_stack_takes_new_limits_and_loses_nothing(root, scene, door):
    def bring_up(**changed):
        command = [sys.executable, str(root / "infra" / "local" / "stack.py"), "up"]
        done = subprocess.run(
            command, cwd=root, env={**os.environ, **changed}, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def come():
        return [door.submit(door.form()).status for _ in range(5)]

    scene.pipeline.wait_until_quiet()
    before = door.function.variables()
    rows = scene.api.referrals(scene.owner)
    try:
        bring_up(CAPTURE_IP_PER_MINUTE="3", CAPTURE_SLUG_PER_DAY="77")
        assert door.function.variables() == before | {"CAPTURE_IP_PER_MINUTE": "3", "CAPTURE_SLUG_PER_DAY": "77"}
        assert door.within_a_minute(come) == [201] * 3 + [429] * 2
    finally:
        bring_up()
    assert door.function.variables() == before
    assert come() == [201] * 5
    kept = {row["id"]: row for row in scene.api.referrals(scene.owner)}
    assert [kept[row["id"]] for row in rows] == rows
