"""The bus: what is announced, in which shape, how often, and what happens to what cannot be read."""

from __future__ import annotations

import copy
import json
import uuid

import pytest
from cloud import ENTERED, RECEIVED, SOURCE
from jsonschema import Draft202012Validator
from waiting import eventually

PIPELINE_SECONDS = 5
# Five receives, two seconds apart, and then some for a slow machine.
DEAD_LETTER_SECONDS = 60
COPIES = 5


@pytest.fixture(scope="module")
def schemas(root):
    """The schema of each detail of ours, by the name that its golden event has too."""
    return {path.name: json.loads(path.read_text()) for path in (root / "infra" / "schemas").glob("*.v*.json")}


@pytest.fixture(scope="module")
def golden(root):
    return {path.name: json.loads(path.read_text()) for path in (root / "events" / "bus").glob("*.v*.json")}


def schema_name(message):
    version = message["detail"]["metadata"]["version"]
    return f"{message['detail-type'].lower().replace('_', '-')}.v{version}.json"


def errors(schema, detail):
    validator = Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(detail)]


def the_one(found):
    assert len(found) == 1, f"{len(found)} instead of one"
    return found[0]


def envelope(detail, detail_type=RECEIVED):
    """A message of the queue, as EventBridge writes it."""
    return json.dumps(
        {
            "version": "0",
            "id": str(uuid.uuid4()),
            "detail-type": detail_type,
            "source": SOURCE,
            "account": "000000000000",
            "time": "2026-11-22T07:00:00Z",
            "region": "us-east-1",
            "resources": [],
            "detail": detail,
        }
    )


# --- shape ---------------------------------------------------------------------------------------------------------


def test_every_golden_event_has_a_schema_and_every_schema_one(schemas, golden):
    assert schemas.keys() == golden.keys()
    assert len(schemas) >= 10
    for name, message in golden.items():
        assert (schema_name(message), message["source"]) == (name, SOURCE)


def test_golden_events_keep_to_their_schemas(schemas, golden):
    for name, message in golden.items():
        assert errors(schemas[name], message["detail"]) == [], name


def test_schemas_are_sound_and_refuse_what_they_do_not_name(schemas, golden):
    for name, schema in schemas.items():
        Draft202012Validator.check_schema(schema)
        for part in ([], ["metadata"], ["data"]):
            detail = copy.deepcopy(golden[name]["detail"])
            place = detail
            for step in part:
                place = place[step]
            place["name"] = "Sam Lee"
            assert errors(schema, detail), f"{name} takes an unknown field in {part}"
        others = {"import-chunk-ready.v1.json": "importId", "person-erased.v1.json": "personId"}
        subject = others.get(name, "referralId")
        for part, field in [("metadata", "id"), ("metadata", "organizationId"), ("data", subject)]:
            detail = copy.deepcopy(golden[name]["detail"])
            del detail[part][field]
            assert errors(schema, detail), f"{name} does not need {part}.{field}"


def test_what_is_told_of_deals_keeps_to_its_schema_and_may_say_more(root):
    schema = json.loads((root / "infra" / "schemas" / "deal-told.json").read_text())
    Draft202012Validator.check_schema(schema)
    told = [json.loads(path.read_text()) for path in (root / "events" / "bus").glob("deal-*.json")]
    assert {"DEAL_WON", "deal.closed_won", "DEAL_REOPENED", "DEAL_LOST"} == {message["detail-type"] for message in told}
    for message in told:
        assert message["source"] != SOURCE
        detail = message["detail"]
        assert errors(schema, detail) == []
        assert errors(schema, detail | {"stage": "closing"}) == []
        for field in ("organizationId", "dealId", "dealRevision"):
            assert errors(schema, {name: value for name, value in detail.items() if name != field}), field
        assert errors(schema, {name: value for name, value in detail.items() if name not in ("at", "wonAt")})


def test_a_capture_is_announced_once_and_causes_one_lead(scene, submission, schemas, golden):
    referral, lead = scene.enter(submission)
    received = the_one(scene.tap.about(referral["id"], RECEIVED))
    entered = the_one(scene.tap.about(referral["id"], ENTERED))
    for message in (received, entered):
        name = schema_name(message)
        assert errors(schemas[name], message["detail"]) == []
        assert message.keys() == golden[name].keys()
        assert message["detail"]["metadata"]["organizationId"] == referral["organizationId"]
        assert message["detail"]["metadata"]["subject"] == referral["id"]

    cause, effect = received["detail"]["metadata"], entered["detail"]["metadata"]
    assert "causationId" not in cause
    assert effect["causationId"] == cause["id"]
    assert (cause["aggregateVersion"], effect["aggregateVersion"]) == (1, referral["version"])
    assert cause["occurredAt"] == referral["createdAt"]
    assert effect["occurredAt"] >= cause["occurredAt"]
    assert received["detail"]["data"] == {
        "referralId": referral["id"],
        "referrerPersonId": referral["referrerPersonId"],
        "agentUserId": "user_789",
        "channel": "PUBLIC_PROFILE",
        "leadSource": "REFERRAL",
        "relationshipStage": "ADVOCATE",
    }
    assert entered["detail"]["data"] == {
        "referralId": referral["id"],
        "personId": lead["id"],
        "ownerUserId": "user_789",
        "leadSource": "REFERRAL",
        "relationshipStage": "ADVOCATE",
        "pipelineStage": "LEAD",
    }


def test_a_logged_referral_is_announced_alike(scene, schemas, canaries):
    entry = {"referrerPersonId": "person_111", "agentUserId": "user_789", "referredName": canaries.person().name}
    logged = scene.api.log(scene.owner, entry).json()
    scene.pipeline.wait_until_quiet()
    received = the_one(scene.tap.about(logged["id"], RECEIVED))
    assert errors(schemas[schema_name(received)], received["detail"]) == []
    assert received["detail"]["data"]["channel"] == "MANUAL"
    assert the_one(scene.tap.about(logged["id"], ENTERED))


def test_a_repeated_submission_is_not_announced(scene, submission):
    referral, _ = scene.enter(submission)
    scene.submit(submission)
    scene.pipeline.wait_until_quiet()
    assert scene.referral(submission) == referral
    assert the_one(scene.tap.about(referral["id"], RECEIVED))


# --- once ----------------------------------------------------------------------------------------------------------


def assert_entered_once(scene, submission, event_id):
    """One lead, one link, one note that the event was applied, one announcement. Gives the rows."""
    lead = the_one(scene.api.people_with(scene.owner, submission["referredEmail"]))
    referrer = the_one(scene.api.people_with(scene.owner, submission["referrerEmail"]))
    referral = scene.referral(submission)
    assert (referral["referredPersonId"], referrer["totalReferrals"]) == (lead["id"], 1)
    rows = scene.pipeline.ledger_rows("sk", referral["id"])
    assert the_one([row for row in rows if lead["id"] in row["pk"]["S"]])
    assert the_one(scene.pipeline.ledger_rows("pk", event_id))
    assert the_one(scene.tap.about(referral["id"], ENTERED))
    return lead, referral, referrer


def test_an_event_delivered_five_times_over_makes_one_lead(scene, submission):
    referral, _ = scene.enter(submission)
    detail = the_one(scene.tap.about(referral["id"], RECEIVED))["detail"]
    event_id = detail["metadata"]["id"]
    before = assert_entered_once(scene, submission, event_id)
    scene.pipeline.publish([json.dumps(detail)] * COPIES)
    scene.pipeline.enqueue([envelope(detail)] * COPIES)
    scene.pipeline.wait_until_quiet()
    # The bus carried the copies.
    assert len(scene.tap.about(referral["id"], RECEIVED)) == 1 + COPIES
    # Not even a version moved.
    assert assert_entered_once(scene, submission, event_id) == before


def test_five_copies_that_arrive_together_make_one_lead(scene, submission):
    with scene.pipeline.consumer_held_back():
        scene.submit(submission)
        waiting = scene.referral(submission)
        assert (waiting["referredPersonId"], waiting["version"]) == (None, 1)
        event = the_one(eventually(lambda: scene.tap.about(waiting["id"], RECEIVED), 30, "the event is on the bus"))
        scene.pipeline.enqueue([envelope(event["detail"])] * (COPIES - 1))
        assert scene.api.people_with(scene.owner, submission["referredEmail"]) == []

    eventually(lambda: scene.lead(submission), 30, "the friend is a lead")
    scene.pipeline.wait_until_quiet()
    _, referral, _ = assert_entered_once(scene, submission, event["detail"]["metadata"]["id"])
    assert referral["version"] == 2


def test_what_the_relay_has_not_sent_yet_is_kept_and_sent_later(scene, submission, schemas, canaries):
    scene.pipeline.wait_until_quiet()
    with scene.pipeline.relay_held_back():
        scene.submit(submission)
        referral = scene.referral(submission)
        # Not yet handed to the relay, and already safe.
        kept = the_one(scene.pipeline.outbox())
        assert kept["detailType"]["S"] == RECEIVED
        assert canaries.found_in(json.dumps(kept)) == []
        detail = json.loads(kept["detail"]["S"])
        assert detail["data"]["referralId"] == referral["id"]
        assert errors(schemas["referral-received.v1.json"], detail) == []
        assert scene.tap.about(referral["id"], RECEIVED) == []

    eventually(lambda: scene.lead(submission), 30, "the friend is a lead")
    scene.pipeline.wait_until_quiet()
    assert_entered_once(scene, submission, detail["metadata"]["id"])
    assert the_one(scene.tap.about(referral["id"], RECEIVED))["detail"] == detail


def test_an_event_in_the_name_of_another_organization_changes_nothing(scene, submission, stack):
    referral, lead = scene.enter(submission)
    detail = copy.deepcopy(the_one(scene.tap.about(referral["id"], RECEIVED))["detail"])
    detail["metadata"] |= {"id": "evt_01ARZ3NDEKTSV4RRFFQ69G5FAV", "organizationId": "org_other_demo"}
    scene.pipeline.publish([json.dumps(detail)])
    scene.pipeline.wait_until_quiet()
    assert (scene.referral(submission), scene.lead(submission)) == (referral, lead)
    assert scene.api.people_with(stack["OTHER_TOKEN"], submission["referredEmail"]) == []


# --- unreadable ----------------------------------------------------------------------------------------------------


def test_unreadable_events_end_in_the_dead_letter_queue_and_block_nobody(scene, submission, canaries):
    referral, _ = scene.enter(canaries.submission())
    good = the_one(scene.tap.about(referral["id"], RECEIVED))["detail"]
    mark = f"unreadable-{uuid.uuid4().hex}"

    def other(**metadata):
        return {"metadata": good["metadata"] | metadata, "data": good["data"] | {"mark": mark}}

    on_the_bus = [
        {"mark": mark},
        {"metadata": good["metadata"] | {"mark": mark}},
        other(version=2),
        other(version="1"),
        other(id="not-an-id"),
        other(organizationId="org_1#PERSON"),
        other(occurredAt="yesterday"),
    ]
    in_the_queue = [
        f"no JSON, {mark}",
        f'"{mark}"',
        json.dumps([mark]),
        json.dumps({"detail-type": RECEIVED, "mark": mark}),
        envelope(f"text, {mark}"),
        envelope(good | {"mark": mark}, detail_type="REFERRAL_IMAGINED"),
    ]
    scene.pipeline.publish([json.dumps(detail) for detail in on_the_bus])
    scene.pipeline.enqueue(in_the_queue)
    scene.submit(submission)
    eventually(lambda: scene.lead(submission), PIPELINE_SECONDS, "the good one is a lead")

    dead_letters, expected = scene.pipeline.dead_letters, len(on_the_bus) + len(in_the_queue)

    def all_are_there():
        return sum(mark in body for body in dead_letters.bodies()) == expected

    eventually(all_are_there, DEAD_LETTER_SECONDS, "every unreadable event is in the dead-letter queue")
    dead = dead_letters.take(mark)
    assert len(dead) == expected
    # As they were sent, so that they can be mended and sent again.
    assert set(in_the_queue) <= set(dead)
    details = [json.loads(body)["detail"] for body in set(dead) - set(in_the_queue)]
    assert sorted(map(json.dumps, details)) == sorted(map(json.dumps, on_the_bus))
    # None of them did anything.
    assert scene.api.get(f"/api/reputation/referrals/{referral['id']}", scene.owner) == referral
