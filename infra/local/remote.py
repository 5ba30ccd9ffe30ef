"""The API, asked until it answers, whatever passes in between. The token goes to this API alone."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import NewConnectionError

import envfile
from failure import Failure
from settings import Settings

LOOPBACK = ("127.0.0.1", "::1", "localhost")
TIMEOUT_SECONDS = (10, 60)
# So often the same is asked, whatever it failed with, before it is given up.
ATTEMPTS = 6
# Before the second attempt, and doubled each time, unless the answer says how long.
PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 120
# The last two are the gateway's, for a function that did not answer it.
PASSING = (429, 503, 502, 504)
FAULT = ("GET", 500)
LOST = (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError)
HINTS = {
    401: "the access token is not valid or has expired (locally, make dev-up writes fresh ones)",
    403: "the access token does not allow this",
}


@dataclass(frozen=True)
class Api:
    """Where to ask, and with which access token."""

    url: str
    token: str

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise Failure("API must be an address like https://api.example.com")
        if parts.scheme == "http" and parts.hostname not in LOOPBACK:
            raise Failure("API must be https: the token would cross the network in the clear")
        # Otherwise the message of whoever refuses it would show it.
        if not (self.token.isascii() and self.token.isprintable() and " " not in self.token):
            raise Failure("TOKEN must be an access token, without anything around it")


def find_api(settings: Settings, environment: Mapping[str, str], command: str) -> Api:
    """What API and TOKEN name, or the running local stack, whose own token goes nowhere else."""
    url, token = environment.get("API"), environment.get("TOKEN")
    if url:
        if not token:
            raise Failure(f"API needs a TOKEN of its own: {command} API=https://... TOKEN=...")
        return Api(url.rstrip("/"), token)
    if not settings.env_file.exists():
        raise Failure("the local stack has not been started yet: make dev-up. For another one, name its API and TOKEN")
    values = envfile.read(settings.env_file)
    token = token or values.get("TOKEN")
    if not token:
        raise Failure("the local stack has an issuer of its own: name a TOKEN of it")
    return Api(values["API_URL"], token)


class Refusal(Failure):
    """An answer that will not become another one: our problems, the gateway's messages, and whatever else."""

    def __init__(self, answer: requests.Response, hints: Mapping[int, str]) -> None:
        self.status = answer.status_code
        try:
            body = answer.json()
        except ValueError:
            body = None
        body = body if isinstance(body, dict) else {}
        self.code = body.get("code") or body.get("message")
        # What is wrong, and where.
        self.errors = [(error.get("pointer"), error.get("code")) for error in body.get("errors", [])]
        text = f"the API answered {self.status}" + (f" {self.code}" if self.code else "")
        if self.errors:
            text += ": " + ", ".join(f"{pointer} {code}" for pointer, code in self.errors)
        elif self.status in hints:
            text += f": {hints[self.status]}"
        super().__init__(text)


@dataclass
class Remote:
    """One conversation with the API. `say` hears of what delays it."""

    api: Api
    say: Callable[[str], None]
    hints: Mapping[int, str]
    _session: requests.Session
    # Whether a fault met while reading may be gone the next time: for who watches what goes on by itself.
    watches: bool = False
    # What answered once is waited for.
    _patient: bool = field(default=False)

    def ask(
        self,
        method: str,
        target: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        status: int = 200,
    ) -> requests.Response:
        """The answer with this status. The request is sent again as it was: a POST needs its `Idempotency-Key`."""
        for attempt in range(ATTEMPTS):
            pause = PAUSE_SECONDS * 2**attempt
            try:
                # A redirect would take the token elsewhere.
                answer = self._session.request(
                    method,
                    self.api.url + target,
                    data=body,
                    headers=headers,
                    timeout=TIMEOUT_SECONDS,
                    allow_redirects=False,
                )
            except LOST as error:
                if not self._patient and _never_connected(error):
                    raise Failure(f"nothing answers at {self.api.url}") from error
                reason = "the connection was lost"
            except requests.RequestException as error:
                raise Failure(f"{self.api.url} cannot be asked: {error}") from error
            else:
                if answer.status_code == status:
                    self._patient = True
                    return answer
                refusal = Refusal(answer, self.hints)
                is_passing = refusal.status in PASSING or (self.watches and (method, refusal.status) == FAULT)
                if not is_passing:
                    raise refusal
                reason = str(refusal)
                pause = _seconds(answer.headers.get("Retry-After"), pause)
            if pause > LONGEST_PAUSE_SECONDS:
                raise Failure(f"{reason}, and it asks for {pause:.0f} s of patience: try again later")
            if attempt + 1 < ATTEMPTS:
                self.say(f"{reason}; trying again in {pause:g} s")
                time.sleep(pause)
        raise Failure(f"{reason}, {ATTEMPTS} times in a row")


@contextmanager
def connected(
    api: Api, say: Callable[[str], None], hints: Mapping[int, str], *, watches: bool = False
) -> Iterator[Remote]:
    with requests.Session() as session:
        session.auth = _Bearer(api.token)
        # A proxy has no way to this machine.
        session.trust_env = urlsplit(api.url).hostname not in LOOPBACK
        yield Remote(api, say, {**HINTS, **hints}, session, watches)


class _Bearer(requests.auth.AuthBase):
    """Given as the session's own, no .netrc takes its place."""

    def __init__(self, token: str) -> None:
        self._header = f"Bearer {token}"

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = self._header
        return request


def _never_connected(error: requests.RequestException) -> bool:
    reason = getattr(error.args[0], "reason", None) if error.args else None
    return isinstance(reason, NewConnectionError)


def _seconds(retry_after: str | None, otherwise: float) -> float:
    # The header's other form is a date, which this API never uses.
    return float(retry_after) if retry_after and retry_after.isascii() and retry_after.isdigit() else otherwise
