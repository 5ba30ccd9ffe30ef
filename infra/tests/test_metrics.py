"""What the functions measure stands in their logs as CloudWatch reads it."""

from __future__ import annotations

import json

from cloud import client, physical_id
from waiting import eventually


def measured(stack, function):
    pages = client(stack, "logs").get_paginator("filter_log_events")
    found = pages.paginate(logGroupName=physical_id(stack, f"{function}LogGroup"), filterPattern='"_aws"')
    return [json.loads(event["message"]) for page in found for event in page["events"]]


def test_a_referral_is_counted_on_its_way(stack, scene, submission):
    assert scene.enter(submission)

    def told():
        relay, entry, messenger = (measured(stack, name) for name in ("EventRelay", "PipelineEntry", "Messenger"))
        kinds = {line["kind"] for line in relay if "Events" in line}
        assert kinds >= {"REFERRAL_RECEIVED", "LEAD_ENTERED_PIPELINE"}
        assert any("LeadLag" in line for line in entry)
        outcomes = {(line["kind"], line["outcome"]) for line in messenger if "Messages" in line}
        assert ("NEW_REFERRAL", "SUBMITTED") in outcomes
        return relay + entry + messenger

    for line in eventually(told, 60, "event, lag and notice are counted"):
        (directive,) = line["_aws"]["CloudWatchMetrics"]
        assert directive["Namespace"] == stack["STACK_NAME"]
        (metric,), (words,) = directive["Metrics"], directive["Dimensions"]
        assert isinstance(line[metric["Name"]], int)
        assert metric["Unit"] in ("Count", "Milliseconds", "Seconds")
        # A field that is no dimension would be kept for nothing.
        assert line.keys() == {"_aws", metric["Name"], *words}


def test_what_is_refused_is_counted_by_function_and_status(stack, api, slug):
    assert api.capture(slug, {}).status_code == 422

    def counted():
        found = {(line["function"], line["status"]) for line in measured(stack, "PublicCapture") if "Refused" in line}
        return ("public-capture", "422") in found

    assert eventually(counted, 30, "the refusal is counted")


def test_the_oldest_of_the_outbox_is_told_each_minute(stack):
    def told():
        return [line["PendingAge"] for line in measured(stack, "OutboxSweeper") if "PendingAge" in line]

    assert min(eventually(told, 90, "the sweeper has come by")) >= 0
