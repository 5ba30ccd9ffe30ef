"""What stays of a deployment that an operator said no to, on a real engine."""

from __future__ import annotations

import secrets
from types import SimpleNamespace

import deploy
import pytest
from cloud import client

import cfn
import packages
import session
import stages
from failure import Failure

TEMPLATE = """
Parameters:
  ArtifactBucket: { Type: String }
  ArtifactPrefix: { Type: String }
  Architecture: { Type: String }
Resources:
  Queue: { Type: "AWS::SQS::Queue" }
"""
NO = "nothing was changed"
SECONDS = 30


class Refusal:
    """An operator who thinks for a while, in which somebody else does something, and then says no."""

    def __init__(self, stack, monkeypatch, tmp_path):
        self.name = f"withdrawn-{secrets.token_hex(4)}"
        self._cloudformation, self._s3 = client(stack, "cloudformation"), client(stack, "s3")
        template = tmp_path / "template.yaml"
        template.write_text(TEMPLATE)
        build = SimpleNamespace(build=lambda _directory: packages.Build("builds/none", {}))
        monkeypatch.setattr(deploy, "TEMPLATE", template)
        monkeypatch.setattr(deploy, "POLL_SECONDS", 0.1)
        monkeypatch.setattr(deploy.manifest, "verified", lambda _directory: build)
        self._monkeypatch = monkeypatch

    def after(self, meanwhile):
        def think(_count):
            (summary,) = self.change_sets()
            meanwhile(self, summary["ChangeSetId"])
            raise Failure(NO)

        self._monkeypatch.setattr(deploy, "_confirm", think)
        stage = stages.Stage(self.name, "us-east-1", "x86_64", None, None, {})
        with pytest.raises(Failure, match=NO):
            deploy.Deployment(stage, session.begin(stage)).run([])

    def status(self):
        """Of the stack; None when there is none, or it is on its way there."""
        found = cfn.find(self._cloudformation, self.name)
        return found["StackStatus"] if found and not found["StackStatus"].startswith("DELETE_") else None

    def change_sets(self):
        return self._cloudformation.list_change_sets(StackName=self.name)["Summaries"]

    def nothing(self, change_set):
        assert change_set

    def executed(self, change_set):
        self._cloudformation.execute_change_set(ChangeSetName=change_set)
        cfn.settle(self._cloudformation, self.name, SECONDS, 0.1)

    def proposed(self, _change_set):
        # One of the kind CREATE would be of the same stack on AWS. The emulator makes another stack for it.
        self._cloudformation.create_change_set(
            StackName=self.name,
            ChangeSetName="somebody-elses",
            ChangeSetType="UPDATE",
            TemplateBody=TEMPLATE,
            Parameters=[
                {"ParameterKey": key, "ParameterValue": "another"}
                for key in ("ArtifactBucket", "ArtifactPrefix", "Architecture")
            ],
        )

    def clear(self):
        self._cloudformation.delete_stack(StackName=self.name)
        for bucket in self._s3.list_buckets()["Buckets"]:
            if bucket["Name"].startswith(self.name):
                for entry in self._s3.list_objects_v2(Bucket=bucket["Name"]).get("Contents", []):
                    self._s3.delete_object(Bucket=bucket["Name"], Key=entry["Key"])
                self._s3.delete_bucket(Bucket=bucket["Name"])


@pytest.fixture
def refusal(stack, monkeypatch, tmp_path):
    made = Refusal(stack, monkeypatch, tmp_path)
    yield made
    made.clear()


def test_a_stack_that_consists_of_what_was_refused_is_gone(refusal):
    refusal.after(Refusal.nothing)
    assert refusal.status() is None


def test_a_stack_that_somebody_else_has_made_of_it_meanwhile_stays(refusal):
    refusal.after(Refusal.executed)
    assert refusal.status() == "CREATE_COMPLETE"


def test_a_stack_that_somebody_else_has_a_change_for_stays(refusal):
    refusal.after(Refusal.proposed)
    assert refusal.status() == "REVIEW_IN_PROGRESS"
    assert [entry["ChangeSetName"] for entry in refusal.change_sets()] == ["somebody-elses"]
