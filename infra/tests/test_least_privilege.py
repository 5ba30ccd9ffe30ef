"""Runs after the others: whatever a role allows, some test has needed. That it allows enough is why they passed."""

from __future__ import annotations

import fnmatch
import json
import os

import pytest
from cloud import client
from template import listed

# Lambda makes these calls in the role's name: it writes log and traces, reads stream and queues, and sets aside what
# failed.
# Here it is the emulator who does, without asking.
LAMBDAS_OWN = {
    "logs:CreateLogStream",
    "logs:PutLogEvents",
    "dynamodb:DescribeStream",
    "dynamodb:GetRecords",
    "dynamodb:GetShardIterator",
    "dynamodb:ListStreams",
    "sqs:ChangeMessageVisibility",
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
    "sqs:ReceiveMessage",
    "sqs:SendMessage",
    "xray:PutTelemetryRecords",
    "xray:PutTraceSegments",
}


def only_aws_asks(action, resource):
    """What AWS wants for a mail, and the emulator does not: raw messages are an action of their own, the configuration
    set is a resource, too, and the sender's domain may be what is verified, in place of the address."""
    is_other_identity = ":configuration-set/" in resource or "@" not in resource
    return action == "ses:SendRawEmail" or (action == "ses:SendEmail" and is_other_identity)


@pytest.fixture(scope="module")
def allowed(stack):
    """(role, action, resource) of every role of the stack, one by one."""
    resources = client(stack, "cloudformation").describe_stack_resources(StackName=stack["STACK_NAME"])
    roles = [
        entry["PhysicalResourceId"]
        for entry in resources["StackResources"]
        if entry["ResourceType"] == "AWS::IAM::Role"
    ]
    assert roles
    iam = client(stack, "iam")
    found = set()
    for role in roles:
        for policy in iam.list_role_policies(RoleName=role)["PolicyNames"]:
            document = iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
            found |= {
                (role, action, resource)
                for statement in document["Statement"]
                if statement["Effect"] == "Allow"
                for action in listed(statement["Action"])
                for resource in listed(statement["Resource"])
            }
    return found


@pytest.fixture(scope="module")
def used(root):
    """The same of what was done, as the emulator wrote it down."""
    calls = root / os.environ["STACK_DIR"] / "allowed-calls"
    return {tuple(json.loads(line)) for line in calls.read_text().splitlines()}


def test_whatever_a_role_allows_is_needed(allowed, used):
    unused = {
        (role, action, resource)
        for role, action, resource in allowed
        if action not in LAMBDAS_OWN
        and not only_aws_asks(action, resource)
        and not any((role, action) == (one, does) and fnmatch.fnmatchcase(where, resource) for one, does, where in used)
    }
    assert sorted(unused) == []
