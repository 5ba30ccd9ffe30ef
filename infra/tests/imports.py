"""An organization that imports files, and what became of them."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

from office import ANN, BEN, OWNER
from waiting import eventually

IMPORTS = "/api/reputation/imports"
# Some dozens of rows, on a machine that does other things too.
IMPORT_SECONDS = 60
LOCAL = Path(__file__).resolve().parents[1] / "local"
# Of a file's columns those that say something about a person.
PERSONAL = ("referrerName", "referrerEmail", "referrerPhone", "referredName", "referredEmail", "referredPhone", "notes")


def table(text):
    """The rows of a CSV file by column, each with its line."""
    reader = csv.reader(io.StringIO(text, newline=""))
    header, rows, line = next(reader), {}, reader.line_num + 1
    for cells in reader:
        rows[line] = dict(zip(header, cells, strict=False))
        line = reader.line_num + 1
    return rows


def _forms(cell):
    """What could stand somewhere of a cell: itself, where it is nobody else's word, and the digits of a number."""
    digits = re.sub(r"\D", "", cell)
    return {form for form in (cell, digits[-10:]) if len(form) >= 10 and "\n" not in form}


class Desk:
    def __init__(self, api, office, canaries):
        self.api = api
        self.office = office
        self.owner = office.tokens[OWNER]
        self._canaries = canaries

    def sample(self, path):
        """A file of the demo organization, with the agents of this one in their place."""
        text = path.read_text(encoding="utf-8")
        rows = table(text).values() if path.suffix == ".csv" else map(json.loads, text.splitlines())
        self._canaries.remember(*{form for row in rows for name in PERSONAL for form in _forms(row.get(name) or "")})
        for user, address, own in [
            ("user_789", "jane.doe@doe-realty.example", ANN),
            ("user_790", "ben.ito@doe-realty.example", BEN),
        ]:
            text = text.replace(user, own).replace(address, self.office.members[own].email)
        return text

    def upload(self, content, kind="text/csv", token=None, query="", **headers):
        content = content.encode() if isinstance(content, str) else content
        headers |= {"Content-Type": kind}
        return self.api.request("POST", IMPORTS + query, token or self.owner, data=content, headers=headers)

    def imported(self, content, **options):
        """The import of a file that has to be taken, when it is done."""
        return self.finished(self.upload(content, **options))

    def finished(self, answer):
        assert answer.status_code == 202, answer.text
        path = f"{IMPORTS}/{answer.json()['id']}"
        assert answer.headers["location"] == path
        assert answer.headers["etag"]

        def is_done():
            view = self.api.get(path, self.owner)
            return view if view["status"] == "COMPLETED" else None

        return eventually(is_done, IMPORT_SECONDS, "the file is imported")

    def report(self, view, limit=100, outcome=None):
        """Of all rows, or those with one outcome, page by page."""
        rows, query = [], f"?limit={limit}" + (f"&outcome={outcome}" if outcome else "")
        following = ""
        while following is not None:
            page = self.api.get(f"{IMPORTS}/{view['id']}/rows{query}{following}", self.owner)
            assert len(page["rows"]) <= limit
            rows += page["rows"]
            following = page["nextCursor"] and f"&cursor={page['nextCursor']}"
        return rows

    def referrals(self):
        return self.api.referrals(self.owner)

    def attribution(self, query):
        return self.api.get(f"/api/reputation/attribution?{query}", self.owner)

    def command(self, script, *arguments, demo=False):
        """One of the project's commands, for this organization or as it is: exit code and the lines of both outputs."""
        others = {name: value for name, value in os.environ.items() if name not in ("API", "TOKEN")}
        environment = others if demo else others | {"API": self.api.url, "TOKEN": self.owner}
        command = [sys.executable, str(LOCAL / script), *map(str, arguments)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=300)
        return done.returncode, done.stdout.splitlines(), done.stderr.splitlines()
