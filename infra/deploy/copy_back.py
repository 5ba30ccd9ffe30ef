"""`make copy-back`: the items of a restored table, back into the ledger that the stack works with.

A restore makes another table, and the stack's cannot be exchanged. What the ledger has stays as it is, unless OVERWRITE
says otherwise; nothing is deleted. It may be run again.

What expires by itself does not come back: it would live a second time, and holds what people typed. Nor do people who
were erased since then: their rows are there, and their addresses are left out. Rows about them that were gone may come
back, so they are named in the end, to be erased again.

What somebody has decided since then holds, with OVERWRITE too: a referral that was deleted stays deleted, unless
DELETED says otherwise, and whoever said no is not written to. Without OVERWRITE, nobody is found by an address that
they do not have any more, and no referral has its former lead again.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
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
# Rows that go with their referral. Its history and its messages stay, and so do the links from whom they tell of.
REFERRAL, DEAL, PERSON, CONTACT = "REFERRAL", "DEAL", "PERSON", "CONTACT"
LEAD_OF = "LEAD_OF#"
LINKS, OWN = ("REFERRED#", LEAD_OF), ("PAIR", "ORIGIN")
DUE_HOLDS = "DUE_HOLDS"
# Of a deal, what says whose it is.
BELONGING = ("referralId", "appliedRevision")
# Channel of a person's decisions -> what the person's row says of it.
CONSENTS = {"EMAIL": "emailMarketingConsent", "SMS": "smsMarketingConsent"}
SILENCE = "doNotContact"


@dataclass
class Gone:
    """Ids of what is gone from a ledger on purpose: people who were erased, referrals that were deleted."""

    people: set[str] = field(default_factory=set)
    referrals: set[str] = field(default_factory=set)

    def __sub__(self, other: Gone) -> Gone:
        return Gone(self.people - other.people, self.referrals - other.referrals)


def copy(dynamodb: Any, source: str, target: str, *, overwrite: bool, gone: Gone) -> tuple[int, int, list[str]]:
    """How many items were put, how many were there or are left out, and the deleted referrals that are."""
    condition = {} if overwrite else {"ConditionExpression": "attribute_not_exists(pk)"}
    deleted: list[str] = []

    def put(item: dict[str, Any]) -> bool:
        sort = item["sk"]["S"]
        if sort.startswith(EXPIRING):
            return False
        if is_of_deleted(item, gone.referrals):
            deleted.extend([item["id"]["S"]] if sort == REFERRAL else [])
            return False
        if not overwrite and (is_address_of(item, gone.people) or _is_over(dynamodb, target, item)):
            return False
        if sort == PERSON:
            return _put_person(dynamodb, target, item, overwrite=overwrite)
        if is_deal_of(item, gone.referrals):
            item = {name: value for name, value in item.items() if name not in BELONGING}
        return _put(dynamodb, target, item, condition)

    done = [0, 0]
    # One page at a time: a table is larger than memory.
    with ThreadPoolExecutor(WORKERS) as pool:
        for page in _pages(dynamodb, source):
            for was_put in pool.map(put, page):
                done[was_put] += 1
                if sum(done) % PROGRESS_ITEMS == 0:
                    print(f"... {sum(done)} items", flush=True)
    there, copied = done
    return copied, there, deleted


def _put(dynamodb: Any, table: str, item: dict[str, Any], condition: dict[str, Any]) -> bool:
    try:
        dynamodb.put_item(TableName=table, Item=item, **condition)
    except dynamodb.exceptions.ConditionalCheckFailedException:
        return False
    return True


def _put_person(dynamodb: Any, table: str, then: dict[str, Any], *, overwrite: bool) -> bool:
    """As they were then, but with every no that they have said since."""
    while True:
        now = dynamodb.get_item(TableName=table, Key=key_of(then), ConsistentRead=True).get("Item")
        if now and not overwrite:
            return False
        condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(pk)"}
        if now:
            values = {":read": now["version"]}
            condition = {"ConditionExpression": "version = :read", "ExpressionAttributeValues": values}
        # Whoever says no at this very moment is asked again.
        if _put(dynamodb, table, silenced(then, now, _decisions(dynamodb, table, then["pk"])), condition):
            return True


def silenced(then: dict[str, Any], now: dict[str, Any] | None, decisions: dict[str, str]) -> dict[str, Any]:
    """`then` without the consents that are gone. Of who was lost the decisions tell: they have rows of their own."""
    person = dict(then)
    for channel, consent in CONSENTS.items():
        if decisions.get(channel) == "REVOKED" or (now and not now[consent]["BOOL"]):
            person[consent] = {"BOOL": False}
    if now and now[SILENCE]["BOOL"]:
        person[SILENCE] = {"BOOL": True}
    return person


def _decisions(dynamodb: Any, table: str, person: dict[str, str]) -> dict[str, str]:
    """Channel -> what was decided last."""
    pages = dynamodb.get_paginator("query").paginate(
        TableName=table,
        ConsistentRead=True,
        KeyConditionExpression="pk = :pk AND begins_with(sk, :consent)",
        ExpressionAttributeValues={":pk": person, ":consent": {"S": "CONSENT#"}},
    )
    # Of each channel in the order of time, by their keys.
    return {item["channel"]["S"]: item["decision"]["S"] for page in pages for item in page["Items"]}


def _is_over(dynamodb: Any, table: str, item: dict[str, Any]) -> bool:
    """Whether the ledger has the person with another address by now, or the referral with another lead."""
    partition, sort = item["pk"]["S"], item["sk"]["S"]
    if sort == CONTACT:
        organization, _, address = partition.partition("#CONTACT#")
        place = f"{organization}#PERSON#{item['personId']['S']}", PERSON
        names, known = ("email", "phone"), address.partition("#")[2]
    elif sort.startswith(LEAD_OF):
        organization, _, known = partition.partition("#PERSON#")
        place = f"{organization}#REFERRAL#{item['referralId']['S']}", REFERRAL
        names = ("referredPersonId",)
    else:
        return False
    key = {name: {"S": part} for name, part in zip(("pk", "sk"), place, strict=True)}
    now = dynamodb.get_item(TableName=table, Key=key, ConsistentRead=True).get("Item")
    return now is not None and known not in [now[name]["S"] for name in names if name in now]


def key_of(item: dict[str, Any]) -> dict[str, Any]:
    return {name: item[name] for name in ("pk", "sk")}


def is_address_of(item: dict[str, Any], people: set[str]) -> bool:
    """Whether it is the key of an address, by which one of them is found."""
    return item["sk"]["S"] == CONTACT and item["personId"]["S"] in people


def is_of_deleted(item: dict[str, Any], referrals: set[str]) -> bool:
    """Whether it is the row of one of them, or one that goes with it."""
    sort = item["sk"]["S"]
    if sort == REFERRAL:
        return item["id"]["S"] in referrals
    goes_with_it = sort.startswith(LINKS) or sort in OWN or item["pk"]["S"] == DUE_HOLDS
    return goes_with_it and item["referralId"]["S"] in referrals


def is_deal_of(item: dict[str, Any], referrals: set[str]) -> bool:
    """Whether it is a deal that belongs to one of them."""
    return item["sk"]["S"] == DEAL and item.get("referralId", {}).get("S") in referrals


def take_back(dynamodb: Any, source: str, target: str, gone: Gone) -> None:
    """What was copied of people who were erased meanwhile, and of referrals that were deleted."""
    for page in _pages(dynamodb, source):
        for item in page:
            with contextlib.suppress(dynamodb.exceptions.ConditionalCheckFailedException):
                if is_address_of(item, gone.people):
                    dynamodb.delete_item(**_own(target, item, "personId"))
                elif is_of_deleted(item, gone.referrals):
                    dynamodb.delete_item(**_own(target, item, "id" if item["sk"]["S"] == REFERRAL else "referralId"))
                elif is_deal_of(item, gone.referrals):
                    dynamodb.update_item(
                        **_own(target, item, "referralId"), UpdateExpression=f"REMOVE {', '.join(BELONGING)}"
                    )


def _own(table: str, item: dict[str, Any], owner: str) -> dict[str, Any]:
    """The row, if it is still theirs whose it was."""
    return {
        "TableName": table,
        "Key": key_of(item),
        "ConditionExpression": f"{owner} = :owner",
        "ExpressionAttributeValues": {":owner": item[owner]},
    }


def find_gone(dynamodb: Any, table: str) -> Gone:
    """By the rows of people, and by the histories of referrals, which outlive them."""
    found = Gone()
    pages = _pages(
        dynamodb,
        table,
        FilterExpression="attribute_exists(erasedAt) OR (begins_with(sk, :history) AND #action = :deleted)",
        ExpressionAttributeNames={"#action": "action"},
        ExpressionAttributeValues={":history": {"S": "AUDIT#"}, ":deleted": {"S": "DELETED"}},
    )
    for item in (item for page in pages for item in page):
        if item["sk"]["S"] == PERSON:
            found.people.add(item["id"]["S"])
        else:
            found.referrals.add(item["pk"]["S"].rsplit("#REFERRAL#", 1)[-1])
    return found


def _pages(dynamodb: Any, table: str, **wanted: Any) -> Iterator[list[dict[str, Any]]]:
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
        before = find_gone(dynamodb, target)
        gone = Gone(before.people) if os.environ.get("DELETED") == "1" else before
        copied, there, deleted = copy(dynamodb, source, target, overwrite=overwrite, gone=gone)
        meanwhile = find_gone(dynamodb, target) - before
        if meanwhile.people or meanwhile.referrals:
            take_back(dynamodb, source, target, meanwhile)
    except (BotoCoreError, ClientError, Failure, OSError) as failure:
        print(f"error: {failure}", file=sys.stderr)
        return 1
    print(f"{copied} items copied, {there} were there already or are left out")
    if deleted:
        print(
            "Left out, because somebody has deleted them since (DELETED=1 copies them):", *sorted(deleted), sep="\n  "
        )
    erased = before.people | meanwhile.people
    if copied and erased:
        print("Erase these people again, of whom something may be back:", *sorted(erased), sep="\n  ")
    return 0


if __name__ == "__main__":
    sys.exit(main())
