"""Follows one referral through all functions: every log line about it, in the order of time.

What is given is the receipt's id, a referral's, an event's or a request's. The lines that name it name others (the
referral of a receipt, the events of a referral, the message that an event came in), and their lines belong to it too.

On the stack of the stage that STAGE names. Without one on the running local stack; where none was ever started, on AWS,
with the operator's own credentials, region and endpoint.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

import redrive
import settings as configuration
from failure import Failure

# Fields by which lines about one referral hang together. A deal or an organization is about others too.
TIES = ("receipt.id", "referral.id", "event.id", "message.id", "request.id")
HOUR_SECONDS = 3600


@dataclass(frozen=True)
class Line:
    at: int
    function: str
    text: str

    def names(self) -> set[str]:
        try:
            fields = json.loads(self.text)
        except ValueError:
            return set()
        if not isinstance(fields, dict):
            return set()
        fields |= fields.get("span") or {}
        return {fields[name] for name in TIES if isinstance(fields.get(name), str)}

    def __str__(self) -> str:
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(self.at / 1000))
        return f"{moment}.{self.at % 1000:03}Z {self.function}: {self.text}"


def groups(target: redrive.Target) -> dict[str, str]:
    """Log group -> what its function is called in the template."""
    pages = target.client("cloudformation").get_paginator("list_stack_resources")
    return {
        entry["PhysicalResourceId"]: entry["LogicalResourceId"].removesuffix("LogGroup")
        for page in pages.paginate(StackName=target.settings.stack_name)
        for entry in page["StackResourceSummaries"]
        if entry["ResourceType"] == "AWS::Logs::LogGroup"
    }


def lines_with(logs: Any, names: dict[str, str], one: str, since: int) -> Iterator[Line]:
    pages = logs.get_paginator("filter_log_events")
    for group, function in names.items():
        for page in pages.paginate(logGroupName=group, filterPattern=f'"{one}"', startTime=since):
            for event in page["events"]:
                yield Line(event["timestamp"], function, event["message"].rstrip())


def trace(target: redrive.Target, given: str, hours: float) -> list[Line]:
    logs, names = target.client("logs"), groups(target)
    since = int((time.time() - hours * HOUR_SECONDS) * 1000)
    # In the order of their finding, which is the next best where two were written in one millisecond.
    found: dict[Line, None] = {}
    waiting, asked = [given], {given}
    while waiting:
        for line in lines_with(logs, names, waiting.pop(), since):
            found[line] = None
            fresh = line.names() - asked
            asked |= fresh
            waiting += sorted(fresh)
    return sorted(found, key=lambda line: line.at)


def main() -> int:
    parser = argparse.ArgumentParser(description="Every log line about one referral.")
    parser.add_argument("id", help="of a receipt, a referral, an event or a request")
    parser.add_argument("--hours", type=float, default=24.0, help="how far to look back")
    arguments = parser.parse_args()
    try:
        lines = trace(redrive.find(configuration.from_environment()), arguments.id, arguments.hours)
    except (BotoCoreError, ClientError, Failure, OSError) as failure:
        print(f"error: {failure}", file=sys.stderr)
        return 1
    for line in lines:
        print(line)
    if not lines:
        print(f"error: no line of the last {arguments.hours:g} hours names {arguments.id}", file=sys.stderr)
    return 0 if lines else 1


if __name__ == "__main__":
    sys.exit(main())
