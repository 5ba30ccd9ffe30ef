"""The one way in which a command of the local stack ends badly: a line that says what to do."""

from __future__ import annotations


class Failure(Exception):
    """Something the person at the keyboard can act on; shown as one line, without a traceback."""
