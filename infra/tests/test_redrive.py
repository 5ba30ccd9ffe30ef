"""`make redrive`: what was set aside gets another try."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys

import pytest
from cloud import ENTERED, RECEIVED, DeadLetters, client, physical_id
from waiting import eventually

import redrive as program
import settings
import stages
from failure import Failure

# An id that no event of these tests has.
UNREADABLE = "evt_01ARZ3NDEKTSV4RRFFQ69G5FA0"


@pytest.fixture
def redrive(root):
    """Runs it and gives what it moved, by where it was: each queue's dead letters, `undelivered`, `poison`."""

    def run(**environment):
        command = [sys.executable, str(root / "infra" / "local" / "redrive.py")]
        done = subprocess.run(
            command, cwd=root, env={**os.environ, **environment}, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        counts = re.findall(r"^(\w+), .*: (\d+)$", done.stdout, flags=re.MULTILINE)
        assert {"pipeline", "deal", "undelivered", "poison"} <= {name for name, _ in counts}
        return {name: int(count) for name, count in counts if count != "0"}

    return run


@pytest.fixture
def undelivered(scene, submission):
    """The event of a submission, kept from pipeline-entry."""
    scene.pipeline.wait_until_quiet()
    with scene.pipeline.consumer_held_back():
        scene.submit(submission)
        return eventually(scene.pipeline.take_from_queue, 30, "the event is in the queue")


@pytest.mark.parametrize("place", ["pipeline", "undelivered"])
def test_a_dead_letter_is_handled_after_all(scene, submission, undelivered, redrive, place):
    dead_letters = scene.pipeline.set_aside(undelivered, was_delivered=place == "pipeline")
    scene.pipeline.wait_until_quiet()
    assert scene.lead(submission) is None
    assert dead_letters.bodies() == [undelivered]

    assert redrive() == {place: 1}
    lead = eventually(lambda: scene.lead(submission), 30, "the friend is a lead")
    scene.pipeline.wait_until_quiet()
    assert scene.lead(submission) == lead
    assert len(scene.tap.about(scene.referral(submission)["id"], ENTERED)) == 1
    assert dead_letters.bodies() == []
    assert redrive() == {}


def test_each_queue_gets_its_own_back(scene, stack, redrive):
    dead = DeadLetters(client(stack, "sqs"), stack["DEAL_DEAD_LETTER_QUEUE_URL"])
    told = {"organizationId": "org_winnerr_demo", "dealId": "deal_redriven", "dealRevision": 1}
    event = {"id": "1", "source": "crm", "detail-type": "DEAL_WON"}
    dead.put(json.dumps(event | {"detail": told | {"at": "2026-11-22T07:00:00Z"}}))
    assert redrive() == {"deal": 1}
    eventually(lambda: scene.pipeline.ledger_rows("pk", "#DEAL#deal_redriven"), 30, "the deal was heard of")
    assert (dead.bodies(), scene.pipeline.dead_letters.bodies()) == ([], [])


def test_what_does_not_say_where_it_belongs_stays(scene, redrive):
    scene.pipeline.delivery_dead_letters.put("from nowhere")
    assert redrive() == {}
    eventually(lambda: scene.pipeline.delivery_dead_letters.take("from nowhere"), 10, "it is visible again")


def test_more_dead_letters_than_one_call_takes(scene, submission, undelivered, redrive):
    for _ in range(25):
        scene.pipeline.dead_letters.put(undelivered)
    assert redrive() == {"pipeline": 25}
    eventually(lambda: scene.lead(submission), 30, "the friend is a lead")
    scene.pipeline.wait_until_quiet()
    assert scene.pipeline.dead_letters.bodies() == []
    # All the copies together did it once.
    assert scene.referral(submission)["version"] == 2


def test_poison_gets_another_try_and_stays_poison_if_it_is(scene, submission, redrive):
    referral, lead = scene.enter(submission)
    (received,) = scene.tap.about(referral["id"], RECEIVED)
    detail = received["detail"]
    readable = detail["metadata"]["id"]
    marks = {"poisonReason": {"S": "made-up"}, "poisonedAt": {"S": "2026-11-22T07:00:00.000Z"}}
    event = {"detailType": {"S": RECEIVED}, "occurredAt": {"S": detail["metadata"]["occurredAt"]}}
    items = [
        {"pk": {"S": "POISON#3"}, "sk": {"S": readable}, "detail": {"S": json.dumps(detail)}, **event, **marks},
        {"pk": {"S": "POISON#5"}, "sk": {"S": UNREADABLE}, "detail": {"S": "{"}, **event, **marks},
    ]
    for item in items:
        scene.pipeline.put_in_outbox(item)
    assert redrive() == {"poison": 2}

    def is_announced():
        return [message["detail"] for message in scene.tap.about(referral["id"], RECEIVED)] == [detail] * 2

    def is_set_aside_again():
        poison = scene.pipeline.poison()
        return poison.keys() == {UNREADABLE} and poison[UNREADABLE]["poisonReason"]["S"] == "unreadable"

    eventually(is_announced, 30, "the good one is on the bus again")
    eventually(is_set_aside_again, 30, "the bad one is set aside again")
    assert scene.pipeline.poison()[UNREADABLE]["poisonedAt"] != marks["poisonedAt"]
    scene.pipeline.take_from_outbox(items[1])
    scene.pipeline.wait_until_quiet()
    assert scene.pipeline.outbox() == []
    assert (scene.referral(submission), scene.lead(submission)) == (referral, lead)
    assert redrive() == {}


def test_a_stack_that_is_not_this_machines_own_is_found_by_its_outputs(
    scene, submission, undelivered, redrive, tmp_path
):
    # Without dev.env the SDK's own settings count: here they name the tests' stack.
    scene.pipeline.dead_letters.put(undelivered)
    assert redrive(STACK_DIR=str(tmp_path)) == {"pipeline": 1}
    eventually(lambda: scene.lead(submission), 30, "the friend is a lead")


def test_the_region_of_the_cli_is_the_commands_own(stack, redrive, monkeypatch, tmp_path):
    # The guide sets AWS_REGION, which boto3 does not read.
    assert stack["AWS_REGION"]
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    assert redrive(STACK_DIR=str(tmp_path)) == {}
    for region in ("us-east-1", "eu-central-1"):
        target = program.find(settings.from_environment({"STACK_DIR": str(tmp_path)}), {"AWS_REGION": region})
        assert target.client("sqs").meta.region_name == region


STAGE = {"stack": "referrals", "region": "us-east-1", "architecture": "arm64"}


@pytest.fixture
def staged(stack, monkeypatch):
    """What is found when STAGE names a stage, in a folder in which the local stack has been started."""
    own = settings.from_environment()
    assert own.env_file.exists()

    def find(**fields):
        stage = stages.parse(json.dumps({**STAGE, "stack": stack["STACK_NAME"], **fields}))
        monkeypatch.setattr(stages, "find", {"prod": stage}.get)
        return program.find(own, {"STAGE": "prod", "AWS_REGION": "ap-south-1"})

    return find


def test_a_stage_says_which_stack_wherever_a_local_one_was_started(stack, staged):
    target = staged()
    assert str(target) == f"the AWS stack {stack['STACK_NAME']} in us-east-1"
    found = target.client("cloudformation").describe_stack_resource(
        StackName=target.settings.stack_name, LogicalResourceId="LedgerTable"
    )
    assert found["StackResourceDetail"]["PhysicalResourceId"] == physical_id(stack, "LedgerTable")
    assert staged(stack="another").settings.stack_name == "another"


def test_a_stage_of_another_account_is_left_alone(staged):
    with pytest.raises(Failure, match="the stage is for 123456789012"):
        staged(account="123456789012")


def test_a_stack_that_is_not_there_is_said_in_a_line(root, stack, tmp_path):
    assert client(stack, "cloudformation")
    done = subprocess.run(
        [sys.executable, str(root / "infra" / "local" / "redrive.py")],
        cwd=root,
        env={**os.environ, "STACK_DIR": str(tmp_path), "STACK_NAME": "no-such-stack"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert len(done.stderr.splitlines()) == 1
