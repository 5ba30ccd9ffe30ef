"""Proves that an organization's counters and figures agree with its ledger, page by page, and corrects what does not.

On the stack of the stage that STAGE names. Without one on the running local stack; where none was ever started, on AWS,
with the operator's own credentials, region and endpoint. It may run at any time, and again: captures go on meanwhile.
Exit code 0 when nothing differed or all was put right.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

import redrive
import settings as configuration
from failure import Failure

DEMO_ORGANIZATION = "org_winnerr_demo"
FUNCTION = "LedgerReconcileFunction"
# Whole walks, for those who kept moving under the one before.
WALKS = 3
# For one page, whatever it failed with.
ATTEMPTS = 5
PAUSE_SECONDS = 1.0
PROGRESS_SECONDS = 2.0


@dataclass
class Walk:
    """What one walk through the organization found."""

    checked: dict[str, int] = field(default_factory=lambda: {"referrals": 0, "people": 0, "links": 0, "cells": 0})
    mended: int = 0
    unmended: int = 0
    busy: set[str] = field(default_factory=set)

    def add(self, page: dict[str, Any]) -> None:
        for name, count in page["checked"].items():
            self.checked[name] += count
        for entry in page["corrected"]:
            print(f"corrected: {entry['personId']} from {entry['was']} to {entry['is']} referrals", flush=True)
        for entry in page["correctedCells"]:
            print(
                f"corrected: the figures of {entry['personId']} in {entry['month']},"
                f" {entry['agentUserId']}, {entry['channel']}",
                flush=True,
            )
        for entry in page["restored"]:
            print(f"restored: the link from {entry['personId']} to {entry['referralId']}", flush=True)
        for entry in page["dangling"]:
            print(
                f"dangling: the link from {entry['personId']} to {entry['referralId']}, no referral of theirs",
                flush=True,
            )
        for entry in page["orphaned"]:
            print(f"orphaned: {entry['referralId']}, whose referrer {entry['personId']} is gone", flush=True)
        self.mended += sum(len(page[kind]) for kind in ("corrected", "correctedCells", "restored"))
        self.unmended += len(page["dangling"]) + len(page["orphaned"])
        self.busy.update(page["busy"])

    def __str__(self) -> str:
        return ", ".join(f"{count} {name}" for name, count in self.checked.items())


def pages(client: Any, function: str, organization: str) -> Iterator[dict[str, Any]]:
    after = None
    while True:
        page = _invoke(client, function, {"organizationId": organization, **({"after": after} if after else {})})
        yield page
        after = page["next"]
        if after is None:
            return


def _invoke(client: Any, function: str, request: dict[str, Any]) -> dict[str, Any]:
    """A page can be asked for again: what it put right stays so."""
    for attempt in range(ATTEMPTS):
        answer = client.invoke(FunctionName=function, Payload=json.dumps(request))
        payload = json.load(answer["Payload"])
        if "FunctionError" not in answer:
            return payload
        reason = str(payload.get("errorMessage", payload)) if isinstance(payload, dict) else str(payload)
        # The function's own word for what passes.
        if "is not available now" not in reason and "timed out" not in reason.lower():
            break
        if attempt + 1 < ATTEMPTS:
            print(f"{reason}; trying again", flush=True)
            time.sleep(PAUSE_SECONDS * 2**attempt)
    raise Failure(f"ledger-reconcile refused: {reason}")


def walk(client: Any, function: str, organization: str) -> Walk:
    found, said = Walk(), time.monotonic()
    for page in pages(client, function, organization):
        found.add(page)
        if time.monotonic() - said > PROGRESS_SECONDS:
            print(f"... {found}", flush=True)
            said = time.monotonic()
    return found


def reconcile(target: redrive.Target, organization: str) -> bool:
    """Whether all of it agrees in the end."""
    print(f"Reconciling {organization} on {target} ...", flush=True)
    name = target.client("cloudformation").describe_stack_resource(
        StackName=target.settings.stack_name, LogicalResourceId=FUNCTION
    )["StackResourceDetail"]["PhysicalResourceId"]
    mended = 0
    for attempt in range(WALKS):
        found = walk(target.client("lambda"), name, organization)
        mended += found.mended
        print(f"checked: {found}", flush=True)
        if not found.busy:
            break
        print(f"busy: {', '.join(sorted(found.busy))}", flush=True)
        if attempt + 1 < WALKS:
            time.sleep(PAUSE_SECONDS)
    print(f"put right: {mended}; left: {found.unmended}; busy: {len(found.busy)}", flush=True)
    return not found.unmended and not found.busy


def main() -> int:
    parser = argparse.ArgumentParser(description="Proves counters and figures by the ledger, and corrects them.")
    parser.add_argument("organization", nargs="?", default=DEMO_ORGANIZATION)
    arguments = parser.parse_args()
    try:
        return 0 if reconcile(redrive.find(configuration.from_environment()), arguments.organization) else 1
    except (BotoCoreError, ClientError, Failure, OSError) as failure:
        print(f"error: {failure}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
