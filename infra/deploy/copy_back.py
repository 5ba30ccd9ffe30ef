"""`make copy-back`: the items of a restored table, back into the ledger that the stack works with.

A restore makes another table, and the stack's cannot be exchanged. What the ledger has stays as it is, unless OVERWRITE
says otherwise; nothing is deleted. It may be run again.

What expires by itself does not come back: it would live a second time, and holds what people typed. Nor do people who
were erased since then: their rows are there, and their addresses are left out. Rows about them that were gone may come
back, so they are named in the end, to be erased again.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "infra" / "local"))

import cfn  # noqa: E402
import session as sessions  # noqa: E402
import stages  # noqa: E402
from failure import Failure  # noqa: E402

# As many puts at once: a table on demand takes them, and live captures find room beside them.
WORKERS = 8
PROGRESS_ITEMS = 5000
# Rows of a file that wait, and answers to named requests.
EXPIRING = ("CHUNK#", "IDEMPOTENCY", "ANSWER#")


def copy(dynamodb: Any, source: str, target: str, *, overwrite: bool, erased: set[str]) -> tuple[int, int]:
    """How many items were put, and how many were there or are left out."""
    condition = {} if overwrite else {"ConditionExpression": "attribute_not_exists(pk)"}

    def put(item: dict[str, Any]) -> bool:
        if item["sk"]["S"].startswith(EXPIRING):
            return False
        if is_address_of(item, erased) and not overwrite:
            return False
        try:
            dynamodb.put_item(TableName=target, Item=item, **condition)
        except dynamodb.exceptions.ConditionalCheckFailedException:
            return False
        return True

    done = [0, 0]
    # One page at a time: a table is larger than memory.
    with ThreadPoolExecutor(WORKERS) as pool:
        for page in _pages(dynamodb, source):
            for was_put in pool.map(put, page):
                done[was_put] += 1
                if sum(done) % PROGRESS_ITEMS == 0:
                    print(f"... {sum(done)} items", flush=True)
    there, copied = done
    return copied, there


def is_address_of(item: dict[str, Any], people: set[str]) -> bool:
    """Whether it is the key of an address, by which one of them is found."""
    return item["sk"]["S"] == "CONTACT" and item["personId"]["S"] in people


def take_addresses_back(dynamodb: Any, source: str, target: str, people: set[str]) -> None:
    """Those of people who were erased while their addresses were copied."""
    for page in _pages(dynamodb, source):
        for item in page:
            if is_address_of(item, people):
                key = {name: item[name] for name in ("pk", "sk")}
                own = {":person": item["personId"]}
                with contextlib.suppress(dynamodb.exceptions.ConditionalCheckFailedException):
                    dynamodb.delete_item(
                        TableName=target,
                        Key=key,
                        ConditionExpression="personId = :person",
                        ExpressionAttributeValues=own,
                    )


def find_erased(dynamodb: Any, table: str) -> set[str]:
    """Ids of people who are erased there."""
    wanted = {"FilterExpression": "attribute_exists(erasedAt)", "ProjectionExpression": "id"}
    return {item["id"]["S"] for page in _pages(dynamodb, table, **wanted) for item in page}


def _pages(dynamodb: Any, table: str, **wanted: str) -> Iterator[list[dict[str, Any]]]:
    for page in dynamodb.get_paginator("scan").paginate(TableName=table, ConsistentRead=True, **wanted):
        yield page["Items"]


def main() -> int:
    source, overwrite = os.environ.get("FROM", ""), os.environ.get("OVERWRITE") == "1"
    try:
        stage = stages.find(os.environ.get("STAGE", ""))
        if not source:
            raise Failure("say from which table: FROM=<the restored one>")
        session = sessions.begin(stage)
        stack = cfn.find(session.client("cloudformation"), stage.stack)
        target = cfn.outputs(stack or {}).get("TableName")
        if target is None:
            raise Failure(f"there is no stack {stage.stack} in {stage.region}")
        if source == target:
            raise Failure(f"{source} is the ledger itself")
        print(f"Copying {source} into {target} of {stage.stack}, account {session.account} ...", flush=True)
        dynamodb = session.client("dynamodb")
        erased = find_erased(dynamodb, target)
        copied, there = copy(dynamodb, source, target, overwrite=overwrite, erased=erased)
        meanwhile = find_erased(dynamodb, target) - erased
        if meanwhile:
            take_addresses_back(dynamodb, source, target, meanwhile)
    except (BotoCoreError, ClientError, Failure, OSError) as failure:
        print(f"error: {failure}", file=sys.stderr)
        return 1
    print(f"{copied} items copied, {there} were there already or are left out")
    if copied and erased | meanwhile:
        print("Erase these people again, of whom something may be back:", *sorted(erased | meanwhile), sep="\n  ")
    return 0


if __name__ == "__main__":
    sys.exit(main())
