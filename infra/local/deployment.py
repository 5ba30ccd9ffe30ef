"""The CloudFormation stack: made or brought up to date from template.yaml exactly as it is committed."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

import aws
import packages
from failure import Failure
from settings import TEMPLATE, Settings

DEPLOY_SECONDS = 120
POLL_SECONDS = 0.2
MESSAGE_SHOWN = 500
TEMPLATE_KEY = "template.yaml"
CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]
GOOD = ("CREATE_COMPLETE", "UPDATE_COMPLETE")
BEGUN = ("CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS")
# A stack whose creation failed cannot be updated, only made anew.
HOPELESS = ("CREATE_FAILED", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "UPDATE_ROLLBACK_FAILED", "DELETE_FAILED")


@dataclass(frozen=True)
class Deployment:
    outputs: dict[str, str]
    changed: bool


def deploy(settings: Settings, build: packages.Build) -> Deployment:
    cloudformation = aws.client(settings, "cloudformation")
    template = TEMPLATE.read_text()
    parameters = {**settings.parameters, "ArtifactBucket": settings.artifact_bucket, "ArtifactPrefix": build.prefix}
    s3 = aws.client(settings, "s3")
    packages.make_bucket(s3, settings.artifact_bucket)
    # A template this large is not taken in the request itself.
    s3.put_object(Bucket=settings.artifact_bucket, Key=TEMPLATE_KEY, Body=template.encode())
    url = f"{settings.endpoint}/{settings.artifact_bucket}/{TEMPLATE_KEY}"
    stack = _find(cloudformation, settings.stack_name)
    if stack and stack["StackStatus"] in HOPELESS:
        cloudformation.delete_stack(StackName=settings.stack_name)
        _settle(cloudformation, settings.stack_name)
        stack = None
    if stack and stack["StackStatus"] in GOOD and _is_current(cloudformation, stack, template, url, parameters):
        return Deployment(_outputs(stack), changed=False)

    packages.upload(s3, settings.artifact_bucket, build)
    request = {
        "StackName": settings.stack_name,
        "TemplateURL": url,
        "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        "Capabilities": CAPABILITIES,
    }
    try:
        if stack:
            cloudformation.update_stack(**request)
        else:
            cloudformation.create_stack(**request)
    except ClientError as error:
        # A change of the template's comments alone is none to CloudFormation.
        if not (stack and "No updates" in str(error)):
            reason = error.response["Error"]["Message"]
            raise Failure(f"the template was refused: {reason[-MESSAGE_SHOWN:]}") from error
    stack = _settle(cloudformation, settings.stack_name)
    if stack is None or stack["StackStatus"] not in GOOD:
        raise Failure(f"The deployment failed: {_first_failure(cloudformation, settings.stack_name)}")
    packages.forget_other_uploads(s3, settings.artifact_bucket, build)
    return Deployment(_outputs(stack), changed=True)


def _find(cloudformation: Any, name: str) -> dict[str, Any] | None:
    try:
        return cloudformation.describe_stacks(StackName=name)["Stacks"][0]
    except ClientError as error:
        if "does not exist" in str(error):
            return None
        raise


def _is_current(
    cloudformation: Any, stack: dict[str, Any], template: str, url: str, parameters: dict[str, str]
) -> bool:
    deployed = {entry["ParameterKey"]: entry.get("ParameterValue", "") for entry in stack.get("Parameters", [])}
    submitted = cloudformation.get_template(StackName=stack["StackName"], TemplateStage="Original")["TemplateBody"]
    return submitted == template and deployed == _declared_defaults(cloudformation, url) | parameters


def _declared_defaults(cloudformation: Any, url: str) -> dict[str, str]:
    summary = cloudformation.get_template_summary(TemplateURL=url)
    return {entry["ParameterKey"]: entry.get("DefaultValue", "") for entry in summary["Parameters"]}


def _settle(cloudformation: Any, name: str) -> dict[str, Any] | None:
    deadline = time.monotonic() + DEPLOY_SECONDS
    while True:
        stack = _find(cloudformation, name)
        if stack is None or not stack["StackStatus"].endswith("_IN_PROGRESS"):
            return stack
        if time.monotonic() > deadline:
            raise Failure(f"The stack was still {stack['StackStatus']} after {DEPLOY_SECONDS} s")
        time.sleep(POLL_SECONDS)


def _outputs(stack: dict[str, Any]) -> dict[str, str]:
    return {entry["OutputKey"]: entry["OutputValue"] for entry in stack.get("Outputs", [])}


def _first_failure(cloudformation: Any, name: str) -> str:
    events = cloudformation.describe_stack_events(StackName=name)["StackEvents"]
    # Newest first; the newest operation begins with an event about the stack itself.
    failure = "no reason was given"
    for event in events:
        if event["ResourceStatus"].endswith("_FAILED") and event.get("ResourceStatusReason"):
            failure = f"{event['LogicalResourceId']}: {event['ResourceStatusReason']}"
        if event["LogicalResourceId"] == name and event["ResourceStatus"] in (
            "CREATE_IN_PROGRESS",
            "UPDATE_IN_PROGRESS",
        ):
            break
    return failure
