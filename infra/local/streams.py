"""What a restart of the emulator does to DynamoDB streams, made good.

It saves how far each consumer has read, but not the records: a stream begins at nought again, and the consumer would
skip as many new records as it had read before. What was still unread is gone. Neither happens on AWS.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import aws
from settings import REGION, Settings

POSITIONS = "dynamodb_stream_positions"
# As in the filter of the template's mapping.
PENDING = "PENDING#"
BATCH = 100


def forget_positions(state_directory: Path) -> None:
    """Before a start: let the consumers read the new, empty streams from their beginning."""
    saved = state_directory / "lambda.json"
    if not saved.exists():
        return
    document = json.loads(saved.read_text())
    document["payload"].pop(POSITIONS, None)
    unfinished = saved.with_suffix(".part")
    unfinished.write_text(json.dumps(document))
    unfinished.replace(saved)


def replay_pending(settings: Settings, outputs: dict[str, str]) -> None:
    """After a start: hand the relay what the lost stream would have handed it."""
    items = _pending(aws.client(settings, "dynamodb"), outputs["OutboxTableName"])
    client = aws.client(settings, "lambda")
    relay = client.get_event_source_mapping(UUID=outputs["RelayMappingId"])
    for start in range(0, len(items), BATCH):
        records = [_record(item, relay["EventSourceArn"]) for item in items[start : start + BATCH]]
        answer = client.invoke(FunctionName=relay["FunctionArn"], Payload=json.dumps({"Records": records}))
        if "FunctionError" in answer:
            # They stay in the outbox, and one bad entry must not keep the whole stack from starting.
            print(f"warning: event-relay failed on {len(records)} events of before the restart (see make dev-logs)")


def _pending(dynamodb: Any, table: str) -> list[dict[str, Any]]:
    pages = dynamodb.get_paginator("scan").paginate(
        TableName=table,
        ConsistentRead=True,
        FilterExpression="begins_with(pk, :pending)",
        ExpressionAttributeValues={":pending": {"S": PENDING}},
    )
    items = [item for page in pages for item in page["Items"]]
    return sorted(items, key=lambda item: item["sk"]["S"])


def _record(item: dict[str, Any], stream: str) -> dict[str, Any]:
    now = time.time_ns()
    return {
        "eventID": f"replay-{now}",
        "eventName": "INSERT",
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": REGION,
        "eventSourceARN": stream,
        "dynamodb": {
            "ApproximateCreationDateTime": now // 1_000_000_000,
            "Keys": {"pk": item["pk"], "sk": item["sk"]},
            "NewImage": item,
            "SequenceNumber": f"{now:021d}",
            "SizeBytes": len(json.dumps(item)),
            "StreamViewType": "NEW_IMAGE",
        },
    }
