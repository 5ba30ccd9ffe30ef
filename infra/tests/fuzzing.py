"""Runs Schemathesis on a committed OpenAPI document against the running stack, and reads what it has to say."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
# With the short form, `make test` takes one pass with few examples of an operation; `make fuzz-api` gives others.
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES") or 6)
SEED = int(os.environ.get("FUZZ_SEED") or 20_260_105)
SECONDS = 3600
METHODS = ("get", "put", "post", "delete", "patch", "head", "options", "trace")


def operations(document):
    """`GET /path` of all that a document describes."""
    paths = json.loads(document.read_text())["paths"]
    return {f"{method.upper()} {path}" for path, item in paths.items() for method in item if method in METHODS}


def dictionary(path, values):
    """Values that Schemathesis is to draw from."""
    path.write_text("".join(f"{json.dumps(value)}\n" for value in values))


def identities(path, tokens):
    """Who asks, by name."""
    path.write_text(
        json.dumps(
            {
                "schema_version": "0.2.0",
                "auth": [
                    {"name": name, "fixedHeaders": [{"name": "Authorization", "value": f"Bearer {token}"}]}
                    for name, token in tokens.items()
                ],
            }
        )
    )


def fuzz(document, configuration, directory, stand_ins):
    """All of the document's operations. Gives Schemathesis's report, and what it said.

    `stand_ins`: what its examples name -> what there is of the kind, so that they succeed, and where they may.
    """
    report = directory / f"{document.stem}-report.json"
    described = document.read_text()
    for example, stand_in in stand_ins.items():
        described = described.replace(f'"{example}"', f'"{stand_in}"')
    (directory / document.name).write_text(described)
    # The files that a configuration names are looked for beside it.
    for name in (configuration, "uploads.py"):
        shutil.copy(HERE / name, directory)
    command = [
        sys.executable, "-m", "schemathesis.cli", "--no-color", "--config-file", configuration,
        "run", document.name, "--seed", str(SEED), "--max-examples", str(EXAMPLES), "--report-json-path", str(report),
    ]  # fmt: skip
    done = subprocess.run(
        command,
        cwd=directory,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=SECONDS,
        check=False,
    )
    assert report.exists(), done.stdout
    return json.loads(report.read_text()), done.stdout


def assert_sound(document, report, said):
    """No failure of any check, and every operation did at least once what it is there for."""
    print(said)
    assert (report["failures"], report["errors"]) == ([], []), said
    assert (report["exit_code"], report["stop_reason"], report["seed"]) == (0, "completed", SEED), said
    described = operations(document)
    counted = {name: report["operations"][name] for name in ("total", "tested", "errored", "skipped")}
    assert counted == {"total": len(described), "tested": len(described), "errored": 0, "skipped": 0}, said
    accepted = {
        operation: sum(phase["accepted"] for phase in phases.values())
        for operation, phases in report["valid_rates"].items()
    }
    assert [operation for operation in sorted(described) if not accepted.get(operation)] == [], said
