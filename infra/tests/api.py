"""The API as its users call it, and raw, for what a client library would tidy up before it sends it."""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass
from urllib.parse import urlsplit

import requests

TIMEOUT_SECONDS = 60
# Of each answer its own.
UNIQUE_HEADERS = ("date", "x-request-id", "apigw-requestid", "x-amzn-requestid", "x-amz-request-id", "x-amzn-trace-id")

JSON = {"Content-Type": "application/json"}
# What a browser says on an agent's own site.
ORIGIN = {"Origin": "https://jane-doe-realty.example"}
ALLOW_ORIGIN = "access-control-allow-origin"
EXPOSED_HEADERS = {"etag", "link", "location", "retry-after", "x-request-id"}


@dataclass(frozen=True)
class RawAnswer:
    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def values(self, name):
        return [value for own, value in self.headers if own == name]

    def listed(self, name):
        """The words of a header that is there once."""
        (value,) = self.values(name)
        return {entry.strip().lower() for entry in value.split(",")}

    @property
    def request_id(self):
        (value,) = self.values("x-request-id")
        return value

    @property
    def comparable(self):
        """All that two answers can have in common."""
        headers = sorted(header for header in self.headers if header[0] not in UNIQUE_HEADERS)
        return self.status, headers, self.body


def assert_readable(answer):
    """A page of another origin may read it; said once, because browsers refuse what is said twice."""
    assert answer.values(ALLOW_ORIGIN) == ["*"]
    assert answer.listed("access-control-expose-headers") >= EXPOSED_HEADERS


def problem(answer):
    """Status, code and, field by field, what is wrong."""
    assert answer.values("content-type") == ["application/problem+json"]
    body = json.loads(answer.body)
    assert (body["type"], body["status"]) == ("about:blank", answer.status)
    assert body["title"]
    assert body.keys() <= {"type", "title", "status", "code", "errors"}
    return answer.status, body["code"], {error["pointer"]: error["code"] for error in body.get("errors", [])}


class Api:
    def __init__(self, url):
        self.url = url

    def request(self, method, path, token=None, **options):
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        headers |= options.pop("headers", {})
        return requests.request(method, self.url + path, headers=headers, timeout=TIMEOUT_SECONDS, **options)

    def raw(self, method, path, body=b"", headers=None):
        """The path goes out byte for byte: nothing is decoded, escaped or resolved."""
        base = urlsplit(self.url)
        connection = http.client.HTTPConnection(base.hostname, base.port, timeout=TIMEOUT_SECONDS)
        try:
            connection.request(method, base.path + path, body=body, headers=headers or {})
            answer = connection.getresponse()
            return RawAnswer(
                answer.status, [(name.lower(), value) for name, value in answer.getheaders()], answer.read()
            )
        finally:
            connection.close()

    def submit(self, slug, body, headers=JSON):
        """The public form from a browser, the body byte for byte."""
        return self.raw("POST", f"/api/public/referral/{slug}", body, ORIGIN | headers)

    def capture(self, slug, submission):
        return self.request("POST", f"/api/public/referral/{slug}", json=submission)

    def captured(self, slug, submission):
        """Captures what has to be accepted."""
        answer = self.capture(slug, submission)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def log(self, token, entry):
        return self.request("POST", "/api/reputation/referrals", token, json=entry)

    def get(self, path, token):
        answer = self.request("GET", path, token)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def people(self, token):
        return self._all("/api/people", "people", token)

    def referrals(self, token, **filters):
        return self._all("/api/reputation/referrals", "referrals", token, **filters)

    def people_with(self, token, email):
        return [person for person in self.people(token) if person["email"] == email]

    def rewards(self, token, **filters):
        return self._all("/api/reputation/rewards", "rewards", token, **filters)

    def referrals_to(self, token, email):
        return [row for row in self.referrals(token) if row["referredContact"]["email"] == email]

    def lead(self, token, email):
        """The one person of this address, once in the pipeline."""
        found = self.people_with(token, email)
        assert len(found) <= 1, f"{len(found)} people of one address"
        return found[0] if found and found[0]["pipelineStage"] else None

    def _all(self, path, name, token, **parameters):
        rows, cursor = [], None
        while True:
            page = self.request(
                "GET", path, token, params={"limit": 50, **parameters, **({"cursor": cursor} if cursor else {})}
            )
            assert page.status_code == 200, page.text
            assert set(page.json()) == {name, "nextCursor"}, json.dumps(sorted(page.json()))
            rows += page.json()[name]
            cursor = page.json()["nextCursor"]
            if cursor is None:
                return rows
