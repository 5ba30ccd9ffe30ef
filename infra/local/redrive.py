"""Gives what was set aside another try: dead letters go back into the pipeline queue, poison back into the outbox.

On the running local stack; where none was ever started, on AWS, with the SDK's own credentials, region and endpoint.
Running it again does no harm: an event that was done already changes nothing, and what fails again is set aside again.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

import aws
import envfile
import settings as configuration
from failure import Failure
from settings import Settings

# As dev.env calls it -> as the stack's outputs do.
NAMES = {
    "PIPELINE_QUEUE_URL": "PipelineQueueUrl",
    "PIPELINE_DEAD_LETTER_QUEUE_URL": "PipelineDeadLetterQueueUrl",
    "DELIVERY_DEAD_LETTER_QUEUE_URL": "DeliveryDeadLetterQueueUrl",
    "OUTBOX_TABLE_NAME": "OutboxTableName",
}
SOURCES = {
    "PIPELINE_DEAD_LETTER_QUEUE_URL": "the pipeline's dead-letter queue",
    "DELIVERY_DEAD_LETTER_QUEUE_URL": "the delivery's dead-letter queue",
}
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
    is_local: bool

    def client(self, service: str) -> Any:
        if self.is_local:
            return aws.client(self.settings, service)
        return boto3.client(service, config=Config(retries={"mode": "standard"}, connect_timeout=5, read_timeout=60))

    def values(self) -> dict[str, str]:
        if self.is_local:
            return envfile.read(self.settings.env_file)
        stack = self.client("cloudformation").describe_stacks(StackName=self.settings.stack_name)["Stacks"][0]
        outputs = {entry["OutputKey"]: entry["OutputValue"] for entry in stack.get("Outputs", [])}
        missing = [output for output in NAMES.values() if output not in outputs]
        if missing:
            raise Failure(f"the stack {self.settings.stack_name} has no output {', '.join(missing)}")
        return {name: outputs[output] for name, output in NAMES.items()}

    def __str__(self) -> str:
        return f"the {'local stack' if self.is_local else 'AWS stack'} {self.settings.stack_name}"


def find(settings: Settings) -> Target:
    return Target(settings, is_local=settings.env_file.exists())


def move_messages(sqs: Any, source: str, destination: str) -> int:
    """Sends before it deletes: whatever happens in between, the message is somewhere."""
    sent: set[str] = set()
    while True:
        answer = sqs.receive_message(
            QueueUrl=source,
            MaxNumberOfMessages=MAX_MESSAGES,
            VisibilityTimeout=VISIBILITY_SECONDS,
            WaitTimeSeconds=WAIT_SECONDS,
        )
        # What failed again meanwhile is back under the id that it was sent with: it stays for the next time.
        messages = [message for message in answer.get("Messages", []) if message["MessageId"] not in sent]
        if not messages:
            return len(sent)
        for message in messages:
            sent.add(sqs.send_message(QueueUrl=destination, MessageBody=message["Body"])["MessageId"])
            sqs.delete_message(QueueUrl=source, ReceiptHandle=message["ReceiptHandle"])


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
    for name, text in SOURCES.items():
        moved = move_messages(sqs, values[name], values["PIPELINE_QUEUE_URL"])
        print(f"from {text} into the pipeline queue: {moved}", flush=True)
    released = release_poison(target.client("dynamodb"), values["OUTBOX_TABLE_NAME"])
    print(f"from the outbox's poison to its pending events: {released}", flush=True)


def main() -> int:
    try:
        redrive(find(configuration.from_environment()))
    except (BotoCoreError, ClientError, Failure, OSError) as failure:
        print(f"error: {failure}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
