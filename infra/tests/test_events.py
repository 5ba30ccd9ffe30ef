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
    """The schema of each detail, by the name that its golden event has too."""
    return {path.name: json.loads(path.read_text()) for path in (root / "infra" / "schemas").glob("*.json")}


@pytest.fixture(scope="module")
def golden(root):
    return {path.name: json.loads(path.read_text()) for path in (root / "events" / "bus").glob("*.json")}


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
    assert len(schemas) >= 2
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
        for part, field in [("metadata", "id"), ("metadata", "organizationId"), ("data", "referralId")]:
            detail = copy.deepcopy(golden[name]["detail"])
            del detail[part][field]
            assert errors(schema, detail), f"{name} does not need {part}.{field}"


def test_a_capture_is_announced_once_and_causes_one_lead(capture_lead, tap, schemas, golden):
    _, referral, lead = capture_lead()
    received = the_one(tap.about(referral["id"], RECEIVED))
    entered = the_one(tap.about(referral["id"], ENTERED))
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


def test_a_logged_referral_is_announced_alike(api, owner, pipeline, tap, schemas, canaries):
    entry = {"referrerPersonId": "person_111", "agentUserId": "user_789", "referredName": canaries.person().name}
    logged = api.log(owner, entry).json()
    pipeline.wait_until_quiet()
    received = the_one(tap.about(logged["id"], RECEIVED))
    assert errors(schemas[schema_name(received)], received["detail"]) == []
    assert received["detail"]["data"]["channel"] == "MANUAL"
    assert the_one(tap.about(logged["id"], ENTERED))


def test_a_repeated_submission_is_not_announced(api, slug, owner, pipeline, tap, capture_lead):
    submission, referral, _ = capture_lead()
    api.captured(slug, submission)
    pipeline.wait_until_quiet()
    assert the_one(api.referrals_to(owner, submission["referredEmail"])) == referral
    assert the_one(tap.about(referral["id"], RECEIVED))


# --- once ----------------------------------------------------------------------------------------------------------


def assert_entered_once(api, owner, pipeline, tap, submission, event_id):
    """One lead, one link, one note that the event was applied, one announcement. Gives the rows."""
    lead = the_one(api.people_with(owner, submission["referredEmail"]))
    referral = the_one(api.referrals_to(owner, submission["referredEmail"]))
    referrer = the_one(api.people_with(owner, submission["referrerEmail"]))
    assert (referral["referredPersonId"], referrer["totalReferrals"]) == (lead["id"], 1)
    links = [item for item in pipeline.ledger_rows("sk", referral["id"]) if lead["id"] in item["pk"]["S"]]
    assert the_one(links)
    assert the_one(pipeline.ledger_rows("pk", event_id))
    assert the_one(tap.about(referral["id"], ENTERED))
    return lead, referral, referrer


def test_an_event_delivered_five_times_over_makes_one_lead(api, owner, pipeline, tap, capture_lead):
    submission, referral, _ = capture_lead()
    detail = the_one(tap.about(referral["id"], RECEIVED))["detail"]
    event_id = detail["metadata"]["id"]
    before = assert_entered_once(api, owner, pipeline, tap, submission, event_id)
    pipeline.publish([json.dumps(detail)] * COPIES)
    pipeline.enqueue([envelope(detail)] * COPIES)
    pipeline.wait_until_quiet()
    # The bus carried the copies.
    assert len(tap.about(referral["id"], RECEIVED)) == 1 + COPIES
    # Not even a version moved.
    assert assert_entered_once(api, owner, pipeline, tap, submission, event_id) == before


@pytest.fixture
def held_pipeline(pipeline):
    pipeline.hold_back()
    yield pipeline
    pipeline.let_go()


def test_five_copies_that_arrive_together_make_one_lead(api, slug, owner, held_pipeline, tap, canaries):
    submission = canaries.submission()
    api.captured(slug, submission)
    waiting = the_one(api.referrals_to(owner, submission["referredEmail"]))
    assert (waiting["referredPersonId"], waiting["version"]) == (None, 1)
    (event,) = eventually(lambda: tap.about(waiting["id"], RECEIVED), 30, "the event is on the bus")
    held_pipeline.enqueue([envelope(event["detail"])] * (COPIES - 1))
    assert api.people_with(owner, submission["referredEmail"]) == []

    held_pipeline.let_go()
    eventually(lambda: api.lead(owner, submission["referredEmail"]), 30, "the friend is a lead")
    held_pipeline.wait_until_quiet()
    _, referral, _ = assert_entered_once(
        api, owner, held_pipeline, tap, submission, event["detail"]["metadata"]["id"]
    )
    assert referral["version"] == 2


def test_an_event_in_the_name_of_another_organization_changes_nothing(api, owner, stack, pipeline, tap, capture_lead):
    submission, referral, lead = capture_lead()
    detail = copy.deepcopy(the_one(tap.about(referral["id"], RECEIVED))["detail"])
    detail["metadata"] |= {"id": "evt_01ARZ3NDEKTSV4RRFFQ69G5FAV", "organizationId": "org_other_demo"}
    pipeline.publish([json.dumps(detail)])
    pipeline.wait_until_quiet()
    assert api.referrals_to(owner, submission["referredEmail"]) == [referral]
    assert api.people_with(owner, submission["referredEmail"]) == [lead]
    assert api.people_with(stack["OTHER_TOKEN"], submission["referredEmail"]) == []


# --- unreadable ----------------------------------------------------------------------------------------------------


def test_unreadable_events_end_in_the_dead_letter_queue_and_block_nobody(
    api, slug, owner, pipeline, tap, canaries, capture_lead
):
    _, referral, _ = capture_lead()
    good = the_one(tap.about(referral["id"], RECEIVED))["detail"]
    # No personal data: it is looked for in the dead letters later on.
    mark = f"unreadable-{uuid.uuid4().hex}"

    def other(**metadata):
        return {"metadata": good["metadata"] | metadata, "data": good["data"] | {"mark": mark}}

    without_data = {"metadata": good["metadata"] | {"mark": mark}}
    on_the_bus = [
        {"mark": mark},
        without_data,
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
    pipeline.publish([json.dumps(detail) for detail in on_the_bus])
    pipeline.enqueue(in_the_queue)
    submission = canaries.submission()
    api.captured(slug, submission)
    eventually(lambda: api.lead(owner, submission["referredEmail"]), PIPELINE_SECONDS, "the good one is a lead")

    expected = len(on_the_bus) + len(in_the_queue)
    eventually(
        lambda: sum(mark in body for body in pipeline.dead_letters.bodies()) >= expected,
        DEAD_LETTER_SECONDS,
        "every unreadable event is in the dead-letter queue",
    )
    dead = []
    eventually(lambda: dead.extend(pipeline.dead_letters.take(mark)) or len(dead) >= expected, 10, "they are taken out")
    assert len(dead) == expected
    # As they were sent, so that they can be mended and sent again.
    assert set(in_the_queue) <= set(dead)
    details = [json.loads(body)["detail"] for body in set(dead) - set(in_the_queue)]
    assert sorted(map(json.dumps, details)) == sorted(map(json.dumps, on_the_bus))
    # None of them did anything.
    assert api.get(f"/api/reputation/referrals/{referral['id']}", owner) == referral
