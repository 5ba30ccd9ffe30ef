"""Gives what was set aside another try: dead letters go back into their queues, poison back into the outbox.

On the stack of the stage that STAGE names. Without one on the running local stack; where none was ever started, on AWS,
with the operator's own credentials, region and endpoint.
Running it again does no harm: an event that was done already changes nothing, and what fails again is set aside again.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

import aws
import envfile
import settings as configuration
from failure import Failure
from settings import ROOT, Settings

sys.path.insert(0, str(ROOT / "infra" / "deploy"))

import session as sessions
import stages

OUTBOX = "OUTBOX_TABLE_NAME"
QUEUE, DEAD_LETTERS = "_QUEUE_URL", "_DEAD_LETTER_QUEUE_URL"
# Where EventBridge puts what it could not deliver, and the attribute by which it says to which queue.
UNDELIVERED = "DELIVERY" + DEAD_LETTERS
TARGET = "TARGET_ARN"
MAX_MESSAGES = 10
# Longer than it takes to move as many.
VISIBILITY_SECONDS = 60
# SQS asks all of its servers only when it may wait.
WAIT_SECONDS = 1
POISON, PENDING = "POISON#", "PENDING#"
MARKS = ("poisonReason", "poisonedAt")


@dataclass(frozen=True)
class Target:
    """The stack to work on."""

    settings: Settings
    # None for the local stack, whose clients can reach nothing else.
    session: boto3.Session | None

    def client(self, service: str) -> Any:
        if self.session is None:
            return aws.client(self.settings, service)
        return self.session.client(service, config=sessions.CONFIG)

    def values(self) -> dict[str, str]:
        if self.session is None:
            return envfile.read(self.settings.env_file)
        stack = self.client("cloudformation").describe_stacks(StackName=self.settings.stack_name)["Stacks"][0]
        values = {envfile.name_of(entry["OutputKey"]): entry["OutputValue"] for entry in stack.get("Outputs", [])}
        missing = [name for name in (UNDELIVERED, OUTBOX) if name not in values]
        if missing:
            raise Failure(f"the stack {self.settings.stack_name} has no output for {', '.join(missing)}")
        return values

    def __str__(self) -> str:
        if self.session is None:
            return f"the local stack {self.settings.stack_name}"
        return f"the AWS stack {self.settings.stack_name} in {self.session.region_name}"


def find(settings: Settings, environment: Mapping[str, str] = os.environ) -> Target:
    if name := environment.get("STAGE"):
        stage = stages.find(name)
        return Target(replace(settings, stack_name=stage.stack), sessions.begin(stage).boto)
    if settings.env_file.exists():
        return Target(settings, None)
    # The CLI goes by AWS_REGION, and so has whoever set it. boto3 does not know it.
    return Target(settings, boto3.Session(region_name=environment.get("AWS_REGION") or None))


def queues(values: Mapping[str, str]) -> dict[str, str]:
    """Name -> URL of each queue that feeds a function and has a dead-letter queue."""
    found = {}
    for name in values:
        if name.endswith(DEAD_LETTERS):
            stem = name.removesuffix(DEAD_LETTERS)
            if stem + QUEUE in values:
                found[stem] = values[stem + QUEUE]
    return found


def move_messages(sqs: Any, source: str, destination: Callable[[dict[str, Any]], str | None]) -> tuple[int, int]:
    """How many were moved, and how many stay because nobody knows where they belong. Sends before it deletes: whatever
    happens in between, the message is somewhere.
    """
    sent: set[str] = set()
    kept: dict[str, str] = {}
    while True:
        answer = sqs.receive_message(
            QueueUrl=source,
            MaxNumberOfMessages=MAX_MESSAGES,
            VisibilityTimeout=VISIBILITY_SECONDS,
            WaitTimeSeconds=WAIT_SECONDS,
            MessageAttributeNames=[TARGET],
        )
        # What failed again meanwhile is back under the id that it was sent with: it stays for the next time.
        messages = [message for message in answer.get("Messages", []) if message["MessageId"] not in sent | kept.keys()]
        if not messages:
            for handle in kept.values():
                sqs.change_message_visibility(QueueUrl=source, ReceiptHandle=handle, VisibilityTimeout=0)
            return len(sent), len(kept)
        for message in messages:
            url = destination(message)
            if url is None:
                kept[message["MessageId"]] = message["ReceiptHandle"]
                continue
            sent.add(sqs.send_message(QueueUrl=url, MessageBody=message["Body"])["MessageId"])
            sqs.delete_message(QueueUrl=source, ReceiptHandle=message["ReceiptHandle"])


def missed_queue(message: dict[str, Any], urls: Mapping[str, str]) -> str | None:
    """The queue that EventBridge could not reach: the ARN and the URL both end in its name."""
    target = message.get("MessageAttributes", {}).get(TARGET, {}).get("StringValue", "").rsplit(":", 1)[-1]
    return next((url for url in urls.values() if url.rsplit("/", 1)[-1] == target), None)


def release_poison(dynamodb: Any, table: str) -> int:
    pages = dynamodb.get_paginator("scan").paginate(
        TableName=table,
        ConsistentRead=True,
        FilterExpression="begins_with(pk, :poison)",
        ExpressionAttributeValues={":poison": {"S": POISON}},
    )
    return sum(_release(dynamodb, table, item) for page in pages for item in page["Items"])


def _release(dynamodb: Any, table: str, item: dict[str, Any]) -> bool:
    key = {"pk": item["pk"], "sk": item["sk"]}
    pending = {name: value for name, value in item.items() if name not in MARKS}
    pending["pk"] = {"S": PENDING + item["pk"]["S"].removeprefix(POISON)}
    # Both or neither, and not a second time when somebody else was quicker.
    delete = {"TableName": table, "Key": key, "ConditionExpression": "attribute_exists(pk)"}
    try:
        dynamodb.transact_write_items(
            TransactItems=[{"Delete": delete}, {"Put": {"TableName": table, "Item": pending}}]
        )
    except dynamodb.exceptions.TransactionCanceledException as error:
        if "ConditionalCheckFailed" in [reason.get("Code") for reason in error.response["CancellationReasons"]]:
            return False
        raise
    return True


def redrive(target: Target) -> None:
    print(f"Redriving {target} ...", flush=True)
    values, sqs = target.values(), target.client("sqs")
    urls = queues(values)

    def move_back(name: str) -> int:
        return move_messages(sqs, values[name + DEAD_LETTERS], lambda _: urls[name])[0]

    # Together: of each, the last look waits whether there is another.
    with ThreadPoolExecutor(len(urls)) as pool:
        names = sorted(urls)
        for name, moved in zip(names, pool.map(move_back, names), strict=True):
            print(f"{name.lower()}, dead letters back into their queue: {moved}", flush=True)
    moved, kept = move_messages(sqs, values[UNDELIVERED], lambda message: missed_queue(message, urls))
    print(f"undelivered, into the queues that they were for: {moved}", flush=True)
    if kept:
        print(f"{kept} messages of {values[UNDELIVERED]} do not say where they belong and stay there", file=sys.stderr)
    released = release_poison(target.client("dynamodb"), values[OUTBOX])
    print(f"poison, back to the outbox's pending events: {released}", flush=True)


def main() -> int:
    try:
        redrive(find(configuration.from_environment()))
    except (BotoCoreError, ClientError, Failure, OSError) as failure:
        print(f"error: {failure}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
