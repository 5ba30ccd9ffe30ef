"""What the relay did not do, the sweeper does; what nobody can do is set aside and blocks nobody."""

from __future__ import annotations

import json

import pytest
from cloud import ENTERED, RECEIVED, Function, Logs
from waiting import eventually

CAPTURES = 20
SWEEPS = 10
# Ids that no event of these tests has, old enough to be swept.
BAD = [f"evt_01ARZ3NDEKTSV4RRFFQ69G5FB{number}" for number in range(5)]


@pytest.fixture(scope="module")
def sweeper(stack):
    return Function(stack, "OutboxSweeperFunction")


@pytest.fixture
def held_back(pipeline):
    """Nothing is on its way, and the relay sleeps."""
    pipeline.wait_until_quiet()
    with pipeline.relay_held_back():
        yield


def sweep(sweeper, is_done):
    """Sweeps until it is done, whatever the age of what waits."""
    with sweeper.configured(SWEEP_AFTER_SECONDS="0"):
        for _ in range(SWEEPS):
            sweeper.invoke({})
            if is_done():
                return
    raise AssertionError(f"not done after {SWEEPS} sweeps")


def one_by_one(scene, submissions):
    """Each referral, its lead and its referrer: there is exactly one of each."""
    rows = {row["referredContact"]["email"]: row for row in scene.api.referrals(scene.owner)}
    people = scene.api.people(scene.owner)
    found = []
    for submission in submissions:
        referral = rows[submission["referredEmail"]]
        (lead,) = [person for person in people if person["email"] == submission["referredEmail"]]
        (referrer,) = [person for person in people if person["email"] == submission["referrerEmail"]]
        assert (lead["pipelineStage"], lead["id"]) == ("LEAD", referral["referredPersonId"])
        assert (referral["version"], referrer["totalReferrals"]) == (2, 1)
        found.append((referral, lead, referrer))
    return found


def announcements(scene, found, detail_type):
    """What the bus heard of each referral."""
    return [[message["detail"] for message in scene.tap.about(referral["id"], detail_type)] for referral, _, _ in found]


def test_the_sweeper_delivers_what_the_relay_has_not(stack, scene, canaries, sweeper):
    relayed = Logs(stack, "EventRelayLogGroup")
    submissions = [canaries.submission() for _ in range(CAPTURES)]
    scene.pipeline.wait_until_quiet()
    with scene.pipeline.relay_held_back():
        for submission in submissions:
            scene.submit(submission)
        ids = {item["sk"]["S"] for item in scene.pipeline.pending()}
        assert len(ids) == CAPTURES
        # The schedule calls it too, but what waits has not waited long enough for that.
        sweep(sweeper, lambda: not ids & {item["sk"]["S"] for item in scene.pipeline.pending()})

        def all_are_leads():
            sweeper.invoke({})
            people = {person["email"] for person in scene.api.people(scene.owner) if person["pipelineStage"]}
            return all(submission["referredEmail"] in people for submission in submissions)

        eventually(all_are_leads, 60, "all are leads")
        # The leads' own events wait for the sweeper too.
        with sweeper.configured(SWEEP_AFTER_SECONDS="0"):

            def is_swept():
                sweeper.invoke({})
                return not scene.pipeline.outbox() and not scene.pipeline.in_queue()

            eventually(is_swept, 60, "the outbox is empty")
        before = one_by_one(scene, submissions)
        announced = {kind: announcements(scene, before, kind) for kind in (RECEIVED, ENTERED)}
        for messages in announced.values():
            assert [len(those) for those in messages] == [1] * CAPTURES
        assert {those[0]["metadata"]["id"] for those in announced[RECEIVED]} == ids

    # Now the relay gets the stream's records of all that.
    late = [those[0]["metadata"]["id"] for messages in announced.values() for those in messages]
    eventually(lambda: all(relayed.naming(event) for event in late), 60, "the relay has seen every late record")
    scene.pipeline.wait_until_quiet()
    assert one_by_one(scene, submissions) == before
    # It may say again what was said, under the same id: whoever hears it knows that it is the same.
    for kind, messages in announced.items():
        for those, again in zip(messages, announcements(scene, before, kind), strict=True):
            assert again[: len(those)] == those
            assert {detail["metadata"]["id"] for detail in again} == {those[0]["metadata"]["id"]}
    assert scene.pipeline.dead_letters.bodies() == []


def test_the_sweeper_leaves_alone_what_is_young(scene, submission, sweeper, held_back):
    assert sweeper.variables()["SWEEP_AFTER_SECONDS"] == "60"
    scene.submit(submission)
    (waiting,) = scene.pipeline.pending()
    sweeper.invoke({})
    assert scene.pipeline.pending() == [waiting]
    sweep(sweeper, lambda: waiting not in scene.pipeline.pending())


# --- poison --------------------------------------------------------------------------------------------------------


@pytest.fixture
def malformed(pipeline):
    """Items that nobody can read, and what cleans up after them."""
    event = {"detailType": {"S": RECEIVED}, "occurredAt": {"S": "2026-11-22T07:00:00.000Z"}}
    odd = [
        {**event, "detail": {"S": "{"}},
        {**event, "detail": {"S": "[]"}},
        {**event, "detail": {"N": "1"}},
        {"detailType": {"S": RECEIVED}, "detail": {"S": "{}"}},
        {"something": {"S": "else"}},
    ]
    items = [
        {"pk": {"S": f"PENDING#{number}"}, "sk": {"S": BAD[number]}, **attributes}
        for number, attributes in enumerate(odd)
    ]
    yield items
    for item in items:
        for state in ("PENDING#", "POISON#"):
            pipeline.take_from_outbox({**item, "pk": {"S": item["pk"]["S"].replace("PENDING#", state)}})


def assert_set_aside(pipeline, items):
    """Whole, with the reason, so that somebody can mend them."""
    poison = pipeline.poison()
    assert poison.keys() == {item["sk"]["S"] for item in items}
    for item in items:
        kept = poison[item["sk"]["S"]]
        assert kept["pk"]["S"] == item["pk"]["S"].replace("PENDING#", "POISON#")
        assert kept.pop("poisonReason") == {"S": "unreadable"}
        assert kept.pop("poisonedAt")["S"].endswith("Z")
        assert kept == {**item, "pk": kept["pk"]}


def test_the_relay_sets_poison_aside_and_goes_on(stack, scene, submission, malformed):
    scene.pipeline.wait_until_quiet()
    with scene.pipeline.relay_held_back():
        # One batch of the stream, the good one in the middle.
        for item in malformed[:3]:
            scene.pipeline.put_in_outbox(item)
        scene.submit(submission)
        for item in malformed[3:]:
            scene.pipeline.put_in_outbox(item)
    eventually(lambda: scene.lead(submission), 30, "the good one is a lead")
    eventually(lambda: len(scene.pipeline.poison()) == len(malformed), 30, "the others are set aside")
    assert_set_aside(scene.pipeline, malformed)
    eventually(lambda: not scene.pipeline.pending(), 30, "nothing waits")
    assert_alarmed(Logs(stack, "EventRelayLogGroup"), malformed)


def test_the_sweeper_sets_poison_aside_and_goes_on(stack, scene, submission, sweeper, malformed):
    scene.pipeline.wait_until_quiet()
    with scene.pipeline.relay_held_back():
        for item in malformed:
            scene.pipeline.put_in_outbox(item)
        scene.submit(submission)
        (good,) = [item for item in scene.pipeline.pending() if item["sk"]["S"] not in BAD]
        # In the good one's shard too, and before it.
        neighbour = {**malformed[0], "pk": good["pk"], "sk": {"S": f"{BAD[0][:-1]}9"}}
        malformed.append(neighbour)
        scene.pipeline.put_in_outbox(neighbour)
        sweep(sweeper, lambda: good not in scene.pipeline.pending() and not poison_left(scene.pipeline))
        assert_set_aside(scene.pipeline, malformed)
        eventually(lambda: scene.lead(submission), 30, "the good one is a lead")
        assert_alarmed(Logs(stack, "OutboxSweeperLogGroup"), malformed)
        kept = scene.pipeline.poison()
    # The stream's late records change nothing of it.
    relayed = Logs(stack, "EventRelayLogGroup")
    eventually(lambda: relayed.naming(neighbour["sk"]["S"]), 30, "the relay has seen the late records")
    assert scene.pipeline.poison() == kept
    assert scene.referral(submission)["version"] == 2


def poison_left(pipeline):
    return [item for item in pipeline.pending() if item["sk"]["S"].startswith(BAD[0][:-1])]


def assert_alarmed(logs, items):
    """The line that the alarm counts is there for each."""
    for item in items:
        lines = eventually(lambda: logs.naming(item["sk"]["S"]), 30, "it is in the log")  # noqa: B023 - called at once
        assert "poison, set aside" in [line["message"] for line in lines], json.dumps(lines)
