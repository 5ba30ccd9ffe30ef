"""A stage: where a stack is deployed and with which parameters. A file that the operator writes; no secrets in it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

from failure import Failure
from settings import ROOT

DIRECTORY = ROOT / "infra" / "stages"
EXAMPLE = "example"
STAGE_NAME = re.compile(r"[a-z0-9][a-z0-9-]*")
# The deployment's own to say.
TAKEN = {
    "ArtifactBucket": "bucket",
    "ArtifactPrefix": "nothing: it follows from the packages",
    "Architecture": "architecture",
}


@dataclass(frozen=True)
class Stage:
    stack: str
    region: str
    architecture: str
    # The only account that it may be deployed to. Without it any that the credentials are of.
    account: str | None
    # Where the packages go. Without it one that is named after stack, account and region, and made if it is missing.
    bucket: str | None
    parameters: dict[str, str]

    def bucket_in(self, account: str) -> str:
        return self.bucket or f"{self.stack}-artifacts-{account}-{self.region}".lower()


def find(name: str, directory: Path = DIRECTORY) -> Stage:
    if not name:
        raise Failure("say which stage: STAGE=<name>, for infra/stages/<name>.json")
    if not STAGE_NAME.fullmatch(name):
        raise Failure(f"STAGE must be a name of small letters, digits and hyphens, not {name!r}")
    path = directory / f"{name}.json"
    if not path.is_file():
        raise Failure(f"there is no infra/stages/{name}.json. Begin with a copy of {EXAMPLE}.json")
    try:
        return parse(path.read_text())
    except Failure as failure:
        raise Failure(f"infra/stages/{name}.json: {failure}") from failure


def parse(text: str) -> Stage:
    try:
        content = json.loads(text, object_pairs_hook=_once)
    except ValueError as error:
        raise Failure(f"it is no JSON: {error}") from error
    if not isinstance(content, dict):
        raise Failure("it must be an object")
    unknown = content.keys() - FIELDS.keys() - {"parameters"}
    if unknown:
        raise Failure(f"unknown: {', '.join(sorted(unknown))}. There are {', '.join([*FIELDS, 'parameters'])}")
    fields = {name: _field(content, name) for name in FIELDS}
    return Stage(**fields, parameters=_parameters(content.get("parameters", {})))


@dataclass(frozen=True)
class Field:
    pattern: str
    hint: str
    is_required: bool = True


FIELDS = {
    "stack": Field(r"[A-Za-z][A-Za-z0-9-]{0,50}", "a name of letters, digits and hyphens, 51 characters at most"),
    "region": Field(r"[a-z]{2}(-[a-z]+)+-\d", "a region like us-east-1"),
    "architecture": Field(r"x86_64|arm64", "x86_64 or arm64"),
    "account": Field(r"\d{12}", "twelve digits, between quotes", is_required=False),
    "bucket": Field(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]", "the name of a bucket, without dots", is_required=False),
}


def _field(content: dict[str, object], name: str) -> str | None:
    field, value = FIELDS[name], content.get(name)
    if value is None and not field.is_required:
        return None
    if not isinstance(value, str) or not re.fullmatch(field.pattern, value):
        raise Failure(f"{name} must be {field.hint}, not {json.dumps(value)}")
    return value


def _parameters(content: object) -> dict[str, str]:
    if not isinstance(content, dict):
        raise Failure("parameters must be an object")
    for name, value in content.items():
        if name in TAKEN:
            raise Failure(f"parameters: {name} is not set there, but by {TAKEN[name]}")
        # true and 1.5 have more than one way to be written; what CloudFormation is given is text.
        if not isinstance(value, (str, int)) or isinstance(value, bool):
            raise Failure(f"parameters: {name} must be text or a whole number, not {json.dumps(value)}")
    return {name: str(value) for name, value in content.items()}


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise Failure("it names something twice")
    return found


def parameters(
    stage: Stage, ours: dict[str, str], declared: dict[str, str | None], deployed: set[str]
) -> list[dict[str, object]]:
    """What CloudFormation is told: what is set, and of the rest that it stays as it is on the stack.

    `declared` is each parameter of the template with its default, `deployed` those that the stack has already.
    """
    wanted = stage.parameters | ours
    unknown = wanted.keys() - declared.keys()
    if unknown:
        raise Failure(f"the template has no parameter {', '.join(sorted(unknown))}")
    missing = sorted(
        name for name, default in declared.items() if default is None and name not in wanted and name not in deployed
    )
    if missing:
        raise Failure(f"the template needs a value of {', '.join(missing)}: write it into the stage's parameters")
    told: list[dict[str, object]] = [
        {"ParameterKey": name, "ParameterValue": value} for name, value in sorted(wanted.items())
    ]
    kept = sorted((declared.keys() & deployed) - wanted.keys())
    return told + [{"ParameterKey": name, "UsePreviousValue": True} for name in kept]
