"""A CloudFormation stack as it is: found, waited for, and why it failed."""

from __future__ import annotations

import time
from typing import Any

from botocore.exceptions import ClientError

from failure import Failure

GOOD = ("CREATE_COMPLETE", "UPDATE_COMPLETE")
BEGUN = ("CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS")
# A stack whose creation failed cannot be updated, only made anew.
HOPELESS = ("CREATE_FAILED", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "UPDATE_ROLLBACK_FAILED", "DELETE_FAILED")


def find(cloudformation: Any, name: str) -> dict[str, Any] | None:
    try:
        return cloudformation.describe_stacks(StackName=name)["Stacks"][0]
    except ClientError as error:
        if "does not exist" in str(error):
            return None
        raise


def settle(cloudformation: Any, name: str, seconds: float, poll_seconds: float) -> dict[str, Any] | None:
    """The stack when nothing is done to it any more; None when it is gone."""
    deadline = time.monotonic() + seconds
    while True:
        stack = find(cloudformation, name)
        if stack is None or not stack["StackStatus"].endswith("_IN_PROGRESS"):
            return stack
        if time.monotonic() > deadline:
            raise Failure(f"The stack was still {stack['StackStatus']} after {seconds:.0f} s")
        time.sleep(poll_seconds)


def outputs(stack: dict[str, Any]) -> dict[str, str]:
    return {entry["OutputKey"]: entry["OutputValue"] for entry in stack.get("Outputs", [])}


def parameters(stack: dict[str, Any]) -> dict[str, str]:
    return {entry["ParameterKey"]: entry.get("ParameterValue", "") for entry in stack.get("Parameters", [])}


def first_failure(cloudformation: Any, name: str) -> str:
    """What failed first in the newest operation: the rest is cancelled because of it."""
    failure = "no reason was given"
    for page in cloudformation.get_paginator("describe_stack_events").paginate(StackName=name):
        # Newest first; the newest operation begins with an event about the stack itself.
        for event in page["StackEvents"]:
            if event["ResourceStatus"].endswith("_FAILED") and event.get("ResourceStatusReason"):
                failure = f"{event['LogicalResourceId']}: {event['ResourceStatusReason']}"
            if event["LogicalResourceId"] == name and event["ResourceStatus"] in BEGUN:
                return failure
    return failure
