"""The CloudFormation stack: made or brought up to date from template.yaml exactly as it is committed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

import aws
import cfn
import packages
from failure import Failure
from settings import TEMPLATE, Settings

DEPLOY_SECONDS = 120
POLL_SECONDS = 0.2
MESSAGE_SHOWN = 500
TEMPLATE_KEY = "template.yaml"
CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]


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
    stack = cfn.find(cloudformation, settings.stack_name)
    if stack and stack["StackStatus"] in cfn.HOPELESS:
        cloudformation.delete_stack(StackName=settings.stack_name)
        _settle(cloudformation, settings.stack_name)
        stack = None
    if stack and stack["StackStatus"] in cfn.GOOD and _is_current(cloudformation, stack, template, url, parameters):
        return Deployment(cfn.outputs(stack), changed=False)

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
    if stack is None or stack["StackStatus"] not in cfn.GOOD:
        raise Failure(f"The deployment failed: {cfn.first_failure(cloudformation, settings.stack_name)}")
    packages.forget_other_uploads(s3, settings.artifact_bucket, build)
    return Deployment(cfn.outputs(stack), changed=True)


def _is_current(
    cloudformation: Any, stack: dict[str, Any], template: str, url: str, parameters: dict[str, str]
) -> bool:
    submitted = cloudformation.get_template(StackName=stack["StackName"], TemplateStage="Original")["TemplateBody"]
    return submitted == template and cfn.parameters(stack) == _declared_defaults(cloudformation, url) | parameters


def _declared_defaults(cloudformation: Any, url: str) -> dict[str, str]:
    summary = cloudformation.get_template_summary(TemplateURL=url)
    return {entry["ParameterKey"]: entry.get("DefaultValue", "") for entry in summary["Parameters"]}


def _settle(cloudformation: Any, name: str) -> dict[str, Any] | None:
    return cfn.settle(cloudformation, name, DEPLOY_SECONDS, POLL_SECONDS)
