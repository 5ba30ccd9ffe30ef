"""The pages of the API's CSV list, one after another, whatever passes in between. The token goes to this API alone."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import NewConnectionError

from failure import Failure

PATH = "/api/reputation/referrals.csv"
LOOPBACK = ("127.0.0.1", "::1", "localhost")
TIMEOUT_SECONDS = (10, 60)
# So often a page is asked for, whatever it failed with, before the export is given up.
ATTEMPTS = 6
# Before the second attempt, and doubled each time, unless the answer says how long.
PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 120
# The last two are the gateway's, for a function that did not answer it.
PASSING = (429, 503, 502, 504)
LOST = (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError)
HINTS = {
    401: "the access token is not valid or has expired (locally, make dev-up writes fresh ones)",
    403: "the access token does not allow this",
    404: "there is no such list at this address",
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


class _Bearer(requests.auth.AuthBase):
    """Given as the session's own, no .netrc takes its place."""

    def __init__(self, token: str) -> None:
        self._header = f"Bearer {token}"

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = self._header
        return request


@dataclass(frozen=True)
class Page:
    # The line of column names, and what is below it.
    header: bytes
    rows: bytes
    count: int
    # Path and query of the next page.
    following: str | None


def read(api: Api, filters: str, say: Callable[[str], None]) -> Iterator[Page]:
    """All pages of the list with these query parameters. `say` hears of what delays them."""
    seen: set[str] = set()
    target: str | None = f"{PATH}?{filters}" if filters else PATH
    with requests.Session() as session:
        session.auth = _Bearer(api.token)
        # A proxy has no way to this machine.
        session.trust_env = urlsplit(api.url).hostname not in LOOPBACK
        while target:
            if target in seen:
                raise Failure("the API names a page again that it gave before; the export would never end")
            # What answered once is waited for.
            answer = _ask(session, api.url, target, say, patient=bool(seen))
            seen.add(target)
            page = _page(answer)
            yield page
            target = page.following


def _ask(
    session: requests.Session, url: str, target: str, say: Callable[[str], None], *, patient: bool
) -> requests.Response:
    for attempt in range(ATTEMPTS):
        pause = PAUSE_SECONDS * 2**attempt
        try:
            # A redirect would take the token elsewhere.
            answer = session.get(url + target, timeout=TIMEOUT_SECONDS, allow_redirects=False)
        except LOST as error:
            if not patient and _never_connected(error):
                raise Failure(f"nothing answers at {url}") from error
            reason = "the connection was lost"
        except requests.RequestException as error:
            raise Failure(f"{url} cannot be asked: {error}") from error
        else:
            if answer.status_code == 200:
                return answer
            reason = _refusal(answer)
            if answer.status_code not in PASSING:
                raise Failure(reason)
            pause = _seconds(answer.headers.get("Retry-After"), pause)
        if pause > LONGEST_PAUSE_SECONDS:
            raise Failure(f"{reason}, and it asks for {pause:.0f} s of patience: try again later")
        if attempt + 1 < ATTEMPTS:
            say(f"{reason}; trying again in {pause:g} s")
            time.sleep(pause)
    raise Failure(f"{reason}, {ATTEMPTS} times in a row")


def _never_connected(error: requests.RequestException) -> bool:
    reason = getattr(error.args[0], "reason", None) if error.args else None
    return isinstance(reason, NewConnectionError)


def _seconds(retry_after: str | None, otherwise: float) -> float:
    # The header's other form is a date, which this API never uses.
    return float(retry_after) if retry_after and retry_after.isascii() and retry_after.isdigit() else otherwise


def _page(answer: requests.Response) -> Page:
    kind = answer.headers.get("Content-Type", "none").partition(";")[0].strip().lower()
    if kind != "text/csv":
        raise Failure(f"the answer is {kind} instead of text/csv: is this the API's address?")
    try:
        # A quoted line end is none of a row.
        count = sum(1 for _ in csv.reader(io.StringIO(answer.content.decode(), newline=""), strict=True)) - 1
    except (UnicodeDecodeError, csv.Error) as error:
        raise Failure(f"the API sent a page that is no CSV: {error}") from error
    if count < 0:
        raise Failure("the API sent a page without the line of column names")
    header, end, rows = answer.content.partition(b"\n")
    if rows and not rows.endswith(b"\n"):
        rows += b"\r\n"
    return Page(header + (end or b"\r\n"), rows, count, _following(answer))


def _following(answer: requests.Response) -> str | None:
    target = answer.links.get("next", {}).get("url")
    if target is not None and not target.startswith(f"{PATH}?"):
        raise Failure("the API names a next page that is none of its own")
    return target


def _refusal(answer: requests.Response) -> str:
    """A line about an answer that is no page: our problems, the gateway's messages, and whatever else."""
    try:
        body = answer.json()
    except ValueError:
        body = None
    body = body if isinstance(body, dict) else {}
    code = body.get("code") or body.get("message")
    text = f"the API answered {answer.status_code}" + (f" {code}" if code else "")
    if code == "invalid_cursor":
        return f"{text}: the list that was begun is no longer valid. Run the export again"
    if fields := [f"{error.get('pointer')} {error.get('code')}" for error in body.get("errors", [])]:
        return f"{text}: {', '.join(fields)}"
    return f"{text}: {HINTS[answer.status_code]}" if answer.status_code in HINTS else text
