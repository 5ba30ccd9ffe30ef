"""Waiting for what happens by itself: look again and again, up to a deadline. Nothing here sleeps for luck."""

from __future__ import annotations

import time

POLL_SECONDS = 0.1


def eventually(look, timeout, what):
    """The first true answer of `look`. What it raises as an AssertionError counts as "not yet"."""
    deadline = time.monotonic() + timeout
    while True:
        try:
            seen = look()
            said = f"the last look gave {seen!r}"
        except AssertionError as error:
            seen, said = None, str(error)
        if seen:
            return seen
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout} s: {what}; {said}")
        time.sleep(POLL_SECONDS)
