"""The link in a message: looking shows, posting ends one channel, and no form brings it back."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json

import pytest
from api import JSON
from cloud import Function

FORM = "form-v1"
ONE_CLICK = b"List-Unsubscribe=One-Click"
FORM_ENCODED = {"Content-Type": "application/x-www-form-urlencoded"}
PURPOSE = b"unsubscribe-link-v1"


class Links:
    """Seals links as the mails carry them, under the stack's own key."""

    def __init__(self, stack):
        self._key = Function(stack, "UnsubscribeFunction").variables()["UNSUBSCRIBE_KEY"].encode()
        # Resolved from the secret, and not the reference to it.
        assert len(self._key) == 64

    def path(self, person, channel="EMAIL"):
        payload = f"{channel} {person['organizationId']} {person['id']}".encode()
        parts = b"".join(len(part).to_bytes(8, "big") + part for part in (PURPOSE, payload))
        sealed = hmac.new(self._key, parts, hashlib.sha256).digest() + payload
        return "/u/" + base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()


@pytest.fixture(scope="module")
def links(stack):
    return Links(stack)


@pytest.fixture
def form(canaries):
    """A form with both boxes ticked."""
    return canaries.submission(
        referrerPhone=canaries.phone(), referrerEmailConsent=True, referrerSmsConsent=True, consentTextId=FORM
    )


class Referrer:
    """Whoever sent the form, as the API shows them."""

    def __init__(self, scene, form):
        self._scene, self._form = scene, form
        scene.submit(form)

    @property
    def person(self):
        (person,) = self._scene.api.people_with(self._scene.owner, self._form["referrerEmail"])
        return person

    @property
    def agreed(self):
        return self.person["emailMarketingConsent"], self.person["smsMarketingConsent"]

    def revocations(self):
        rows = self._scene.pipeline.ledger_rows("pk", self.person["id"])
        entries = [row for row in rows if row["sk"]["S"].startswith("CONSENT#")]
        return [entry for entry in entries if entry["decision"]["S"] == "REVOKED"]


@pytest.fixture
def referrer(scene, form):
    referrer = Referrer(scene, form)
    assert referrer.agreed == (True, True)
    return referrer


def page(answer, status=200):
    """The text of a page that nothing can be loaded into and that no other page can show."""
    assert answer.status == status
    assert answer.values("content-type") == ["text/html; charset=utf-8"]
    (policy,) = answer.values("content-security-policy")
    for part in ("default-src 'none'", "form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'"):
        assert part in policy
    for name, value in [
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("cache-control", "no-store"),
    ]:
        assert answer.values(name) == [value]
    assert answer.values("set-cookie") == []
    return answer.body.decode()


def test_looking_changes_nothing(scene, links, referrer, canaries):
    path = links.path(referrer.person)
    shown = page(scene.api.raw("GET", path))
    assert '<form method="post">' in shown
    assert "emails" in shown
    assert canaries.found_in(shown) == []
    head = scene.api.raw("HEAD", path)
    assert (head.status, head.body) == (200, b"")
    assert referrer.agreed == (True, True)


# As the page's form is sent by a browser, and as a mail program follows the link.
POSTS = {"the button": (b"", FORM_ENCODED), "one click": (ONE_CLICK, FORM_ENCODED), "bare": (b"", {})}


LEFT = {"EMAIL": (False, True), "SMS": (True, False)}


@pytest.mark.parametrize("post", POSTS.values(), ids=POSTS.keys())
@pytest.mark.parametrize("channel", LEFT)
def test_a_post_ends_one_channel_once(scene, links, referrer, post, channel):
    path = links.path(referrer.person, channel)
    body, headers = post
    first = scene.api.raw("POST", path, body, headers)
    assert "You will get no more of these" in page(first)
    assert referrer.agreed == LEFT[channel]
    again = scene.api.raw("POST", path, body, headers)
    assert again.comparable == first.comparable
    (entry,) = referrer.revocations()
    said = {name: entry[name]["S"] for name in ("channel", "method", "actor", "requestId")}
    assert said == {"channel": channel, "method": "ONE_CLICK", "actor": "public", "requestId": first.request_id}


def test_no_form_brings_it_back(scene, links, referrer, form, canaries):
    for channel in ("EMAIL", "SMS"):
        page(scene.api.raw("POST", links.path(referrer.person, channel), ONE_CLICK, FORM_ENCODED))
    friend = canaries.person()
    others = form | {"referredName": friend.name, "referredEmail": friend.email}
    for again in (form, others):
        answer = scene.api.submit(scene.slug, json.dumps(again).encode(), JSON)
        assert answer.status == 201
        assert referrer.agreed == (False, False)
    assert referrer.person["totalReferrals"] == 2


def test_every_link_that_is_none_is_one_page(scene, links, referrer):
    path = links.path(referrer.person)
    altered = path[:-1] + ("A" if path[-1] != "A" else "B")
    answers = [
        scene.api.raw(method, other, ONE_CLICK if method == "POST" else b"")
        for other in (altered, path[:-2], path + "AAAA", "/u/" + "A" * 90, "/u/x")
        for method in ("GET", "POST")
    ]
    assert "does not work" in page(answers[0], 404)
    assert all(answer.comparable == answers[0].comparable for answer in answers)
    assert referrer.agreed == (True, True)


def test_who_is_gone_gets_nothing_more_either(scene, links, referrer):
    nobody = referrer.person | {"id": "person_nobody"}
    assert "You will get no more of these emails." in page(scene.api.raw("POST", links.path(nobody)))


def test_other_methods_are_told_which_there_are(scene, links, referrer):
    for method in ("PUT", "PATCH", "DELETE"):
        answer = scene.api.raw(method, links.path(referrer.person))
        page(answer, 405)
        assert answer.values("allow") == ["GET, HEAD, POST"]
    assert referrer.agreed == (True, True)
