"""The pages of the API's CSV list, one after another."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import requests

import remote
from failure import Failure
from remote import Api, Refusal

PATH = "/api/reputation/referrals.csv"
HINTS = {404: "there is no such list at this address"}


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
    with remote.connected(api, say, HINTS) as conversation:
        while target:
            if target in seen:
                raise Failure("the API names a page again that it gave before; the export would never end")
            try:
                answer = conversation.ask("GET", target)
            except Refusal as refusal:
                if refusal.code != "invalid_cursor":
                    raise
                raise Failure(f"{refusal}: the list that was begun is no longer valid. Run the export again") from None
            seen.add(target)
            page = _page(answer)
            yield page
            target = page.following


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
