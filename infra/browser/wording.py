"""What the form says, as it is written down for the page and the widget. The tests know no sentence of it by heart."""

from __future__ import annotations

import json
import re
from pathlib import Path

DIRECTORY = Path(__file__).resolve().parents[2] / "functions" / "public-capture" / "assets" / "wording"


class Wording:
    def __init__(self, language):
        self._text = json.loads((DIRECTORY / f"{language}.json").read_text())

    def __getitem__(self, name):
        return self._text["form"][name]

    @property
    def page(self):
        """What only the page says."""
        return self._text["page"]

    def problem(self, name):
        return self._text["form"]["problems"][name]

    def too_many(self):
        """The sentence about too many requests, with any time in it that people read."""
        before, after = map(re.escape, self.problem("too_many_requests").split("{time}"))
        times = "|".join(re.escape(time).replace(re.escape("{n}"), r"[1-9]\d*") for time in self["times"].values())
        return re.compile(f"{before}({times}){after}")


ENGLISH, SPANISH = Wording("en"), Wording("es")
