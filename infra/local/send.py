"""Hands a golden event to the running stack: `emit` puts it on the bus, `invoke` calls a function with it."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

import aws
import envfile
import settings as configuration
from failure import Failure
from settings import FUNCTIONS, Settings


def emit(settings: Settings, event: dict[str, Any], detail: dict[str, Any]) -> None:
    try:
        event["detail"].update(detail)
        entry = {"Source": event["source"], "DetailType": event["detail-type"], "Detail": json.dumps(event["detail"])}
    except KeyError as missing:
        raise Failure(f"the file is no event of the bus: it has no {missing}") from missing
    bus = envfile.read(settings.env_file)["EVENT_BUS"]
    answer = aws.client(settings, "events").put_events(Entries=[{**entry, "EventBusName": bus}])
    if answer["FailedEntryCount"]:
        raise Failure(f"the bus refused the event: {answer['Entries'][0].get('ErrorCode')}")
    print(f"{entry['DetailType']} is on the bus")


def invoke(settings: Settings, function: str, event: dict[str, Any]) -> None:
    logical = "".join(part.capitalize() for part in function.split("-")) + "Function"
    resource = aws.client(settings, "cloudformation").describe_stack_resource(
        StackName=settings.stack_name, LogicalResourceId=logical
    )
    name = resource["StackResourceDetail"]["PhysicalResourceId"]
    answer = aws.client(settings, "lambda").invoke(FunctionName=name, Payload=json.dumps(event))
    print(answer["Payload"].read().decode())
    if "FunctionError" in answer:
        raise Failure(f"{function} failed (make dev-logs says more)")


def main() -> int:
    parser = argparse.ArgumentParser(description="Hands a golden event to the running stack.")
    parser.add_argument("event", type=Path, help="a file of events/")
    parser.add_argument("--function", choices=FUNCTIONS, help="the function to call; without it, to the bus")
    parser.add_argument("--detail", help="JSON; its fields stand in for those of the event's detail")
    arguments = parser.parse_args()
    try:
        settings = configuration.from_environment()
        if not settings.env_file.exists():
            raise Failure("the local stack has not been started yet: make dev-up")
        event = json.loads(arguments.event.read_text())
        if arguments.function:
            invoke(settings, arguments.function, event)
        else:
            emit(settings, event, json.loads(arguments.detail or "{}"))
    except (BotoCoreError, ClientError, Failure, OSError, ValueError) as failure:
        print(f"error: {failure}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
