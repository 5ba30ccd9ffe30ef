"""`make deploy`: packages and template into the bucket, a change set that is shown and judged, and then done.

With the operator's own credentials. Whatever may not be done ends before the stack is touched.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "infra" / "local"))

import bucket  # noqa: E402
import cfn  # noqa: E402
import changes  # noqa: E402
import manifest  # noqa: E402
import packages  # noqa: E402
import session as sessions  # noqa: E402
import stages  # noqa: E402
from failure import Failure  # noqa: E402
from settings import TEMPLATE  # noqa: E402

# SAM's transform is CloudFormation's to apply, and the roles have no names of their own.
CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]
TEMPLATES = "templates/"
REVIEW, HALF_BACK = "REVIEW_IN_PROGRESS", "UPDATE_ROLLBACK_FAILED"
NOTHING = ("didn't contain changes", "No updates are to be performed")
CHANGE_SET_SECONDS, STACK_SECONDS = 300, 3600
POLL_SECONDS = 2.0
YES = "yes"


@dataclass(frozen=True)
class Proposal:
    """A change set, and the stack that it is of, each by its ARN: a name may be another stack's by now."""

    change_set: str
    stack: str


class Deployment:
    """One run for one stage."""

    def __init__(self, stage: stages.Stage, session: sessions.Session) -> None:
        self._stage, self._session = stage, session
        self._cloudformation, self._s3 = session.client("cloudformation"), session.client("s3")
        self._bucket = stage.bucket_in(session.account)

    def run(self, replace: list[str]) -> dict[str, str]:
        """The stack's outputs, when it is as it should be."""
        directory = manifest.DIRECTORY / self._stage.architecture
        build = manifest.verified(directory).build(directory)
        stack = cfn.find(self._cloudformation, self._stage.stack)
        _deployable(self._stage, stack)
        bucket.ensure(self._session, self._s3, self._bucket)
        print(f"Uploading packages to {self._bucket}/{build.prefix} ...", flush=True)
        packages.upload(self._s3, self._bucket, build)
        is_new = stack is None or stack["StackStatus"] == REVIEW
        proposal = self._propose(build, None if is_new else stack)
        if proposal is None:
            print("Nothing to change: the stack is as the template, the packages and the stage say.", flush=True)
            return cfn.outputs(stack or {})
        try:
            found = changes.read(self._entries(proposal.change_set))
            print(f"What would be done to {self._stage.stack}:\n{changes.table(found)}", flush=True)
            changes.refuse_losses(found, replace)
            _confirm(len(found))
        except (Failure, KeyboardInterrupt):
            self._withdraw(proposal)
            raise
        return self._execute(proposal.change_set)

    def _propose(self, build: packages.Build, stack: dict[str, Any] | None) -> Proposal | None:
        """None when there is nothing to change."""
        content = TEMPLATE.read_bytes()
        # By its content: what was deployed stays where a rollback and the stack itself find it.
        key = f"{TEMPLATES}{hashlib.sha256(content).hexdigest()[: packages.HASH_LENGTH]}.yaml"
        self._s3.put_object(Bucket=self._bucket, Key=key, Body=content)
        url = f"{self._s3.meta.endpoint_url}/{self._bucket}/{key}"
        summary = self._cloudformation.get_template_summary(TemplateURL=url)
        ours = {
            "ArtifactBucket": self._bucket,
            "ArtifactPrefix": build.prefix,
            "Architecture": self._stage.architecture,
        }
        told = stages.parameters(
            self._stage,
            ours,
            declared={entry["ParameterKey"]: entry.get("DefaultValue") for entry in summary["Parameters"]},
            deployed=set(cfn.parameters(stack)) if stack else set(),
        )
        created = self._cloudformation.create_change_set(
            StackName=self._stage.stack,
            ChangeSetName=f"deploy-{int(time.time())}",
            ChangeSetType="UPDATE" if stack else "CREATE",
            TemplateURL=url,
            Parameters=told,
            Capabilities=CAPABILITIES,
        )
        proposal = Proposal(created["Id"], created["StackId"])
        described = self._proposed(proposal.change_set)
        if described["Status"] != "FAILED":
            return proposal
        reason = described.get("StatusReason", "no reason was given")
        self._withdraw(proposal)
        if stack and any(words in reason for words in NOTHING):
            return None
        raise Failure(f"CloudFormation refused the change: {reason}")

    def _proposed(self, change_set: str) -> dict[str, Any]:
        deadline = time.monotonic() + CHANGE_SET_SECONDS
        while True:
            described = self._cloudformation.describe_change_set(ChangeSetName=change_set)
            if described["Status"] in ("CREATE_COMPLETE", "FAILED"):
                return described
            if time.monotonic() > deadline:
                raise Failure(f"the change set was still {described['Status']} after {CHANGE_SET_SECONDS} s")
            time.sleep(POLL_SECONDS)

    def _entries(self, change_set: str) -> list[dict[str, Any]]:
        pages = self._cloudformation.get_paginator("describe_change_set").paginate(ChangeSetName=change_set)
        return [entry for page in pages for entry in page["Changes"]]

    def _withdraw(self, proposal: Proposal) -> None:
        """Nothing of an attempt stays: neither what was proposed nor a stack that consists of it. The stack is looked
        at now: while one operator thought about it, another may have made it one that works.
        """
        # Where another one was executed meanwhile, CloudFormation has deleted this one already.
        with contextlib.suppress(self._cloudformation.exceptions.ChangeSetNotFoundException):
            self._cloudformation.delete_change_set(ChangeSetName=proposal.change_set)
        stack = cfn.find(self._cloudformation, self._stage.stack)
        if stack is None or (stack["StackId"], stack["StackStatus"]) != (proposal.stack, REVIEW):
            return
        pages = self._cloudformation.get_paginator("list_change_sets").paginate(StackName=self._stage.stack)
        proposed = {entry["ChangeSetId"] for page in pages for entry in page["Summaries"]}
        if proposed <= {proposal.change_set}:
            self._cloudformation.delete_stack(StackName=proposal.stack)

    def _execute(self, change_set: str) -> dict[str, str]:
        begun = time.monotonic()
        print("Deploying; a first deployment takes some minutes ...", flush=True)
        self._cloudformation.execute_change_set(ChangeSetName=change_set)
        # It may say what it was before for a moment: that is no end.
        self._begun(change_set)
        stack = cfn.settle(self._cloudformation, self._stage.stack, STACK_SECONDS, POLL_SECONDS)
        if stack is None or stack["StackStatus"] not in cfn.GOOD:
            status = stack["StackStatus"] if stack else "gone"
            reason = cfn.first_failure(self._cloudformation, self._stage.stack)
            raise Failure(f"the deployment failed, and the stack is {status}. The first that failed was {reason}")
        print(f"Deployed in {time.monotonic() - begun:.0f} s.", flush=True)
        return cfn.outputs(stack)

    def _begun(self, change_set: str) -> None:
        deadline = time.monotonic() + CHANGE_SET_SECONDS
        while time.monotonic() < deadline:
            try:
                status = self._cloudformation.describe_change_set(ChangeSetName=change_set)["ExecutionStatus"]
            except self._cloudformation.exceptions.ChangeSetNotFoundException:
                return
            stack = cfn.find(self._cloudformation, self._stage.stack)
            if status not in ("AVAILABLE", "EXECUTE_IN_PROGRESS") or (
                stack and stack["StackStatus"].endswith("_IN_PROGRESS") and stack["StackStatus"] != REVIEW
            ):
                return
            time.sleep(POLL_SECONDS)


def _deployable(stage: stages.Stage, stack: dict[str, Any] | None) -> None:
    status = stack["StackStatus"] if stack else REVIEW
    command = f"aws cloudformation %s --region {stage.region} --stack-name {stage.stack}"
    if status == HALF_BACK:
        raise Failure(f"the stack is {status}. Mend what its events name, then: {command % 'continue-update-rollback'}")
    if status in cfn.HOPELESS:
        raise Failure(
            f"the stack is {status}: it was never whole and can only be made anew. What it left behind is listed by "
            f"`{command % 'list-stack-resources'}`; then: {command % 'delete-stack'}"
        )
    if status.endswith("_IN_PROGRESS") and status != REVIEW:
        raise Failure(f"the stack is {status}: somebody else is deploying it")


def _confirm(count: int) -> None:
    if os.environ.get("CONFIRM") == "1":
        return
    if not sys.stdin.isatty():
        raise Failure("nothing was changed. To have it done: CONFIRM=1")
    try:
        answer = input(f"{count} changes. Do them? Type {YES}: ").strip()
    except EOFError:
        answer = ""
    if answer != YES:
        raise Failure("nothing was changed")


def main() -> int:
    replace = [name for name in os.environ.get("REPLACE", "").split(",") if name]
    try:
        stage = stages.find(os.environ.get("STAGE", ""))
        session = sessions.begin(stage)
        print(f"{stage.stack} in {session.region}, account {session.account}, {stage.architecture}", flush=True)
        outputs = Deployment(stage, session).run(replace)
    except (BotoCoreError, ClientError, Failure, OSError) as failure:
        print(f"error: {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    width = max(map(len, outputs), default=0)
    print("\n".join(f"  {name.ljust(width)}  {value}" for name, value in sorted(outputs.items())))
    return 0


if __name__ == "__main__":
    sys.exit(main())
