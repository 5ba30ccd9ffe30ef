"""Made-up people, new for every use, so that no test meets another's.

Every text about them carries the word of this run, or is noted, so that the last module can search for it where no
personal data may be.
"""

from __future__ import annotations

import itertools
import secrets
import string
from dataclasses import dataclass


@dataclass(frozen=True)
class Friend:
    name: str
    email: str


class Canaries:
    """What the tests have typed into forms: one word that is in all of it, and what cannot carry the word."""

    def __init__(self):
        # Letters that no id, code or message of the system has in this order.
        self.word = "quokka" + "".join(secrets.choice(string.ascii_lowercase) for _ in range(10))
        self.others = set()
        self._numbers = itertools.count()
        self._first_number = secrets.randbelow(1_000_000)

    def person(self):
        mark = f"{self.word}{next(self._numbers)}"
        return Friend(name=f"Robin {mark.capitalize()}", email=f"robin.{mark}@example.com")

    def phone(self):
        # 212 is an area code in use, and 2 to 9 begins an exchange.
        number = f"212{2_000_000 + (self._first_number + next(self._numbers)) % 1_000_000}"
        self.others.add(number)
        return f"+1{number}"

    def notes(self):
        return f"Met {self.word} at the open house."

    def submission(self, **fields):
        """A public form about two people whom nobody knows yet."""
        referrer, referred = self.person(), self.person()
        return {
            "referrerName": referrer.name,
            "referrerEmail": referrer.email,
            "referredName": referred.name,
            "referredEmail": referred.email,
            "notes": self.notes(),
            **fields,
        }

    def remember(self, *texts):
        """Texts that are sent as they are."""
        self.others |= {text.lower() for text in texts}

    def found_in(self, text):
        """What of all that stands in the text."""
        text = text.lower()
        return sorted(canary for canary in {self.word, *self.others} if canary in text)
