"""Policies of template.yaml about what wakes somebody, and for how long it is kept."""

from __future__ import annotations

import json
import re

from template import named

FOURTEEN_DAYS = 14 * 24 * 3600


def test_every_dead_letter_queue_keeps_two_weeks_and_has_an_alarm(template):
    watched = {}
    for name, alarm in template.of_type("AWS::CloudWatch::Alarm").items():
        for dimension in alarm.get("Dimensions", []):
            if dimension["Name"] == "QueueName":
                assert dimension["Value"] == {"GetAtt": f"{named(dimension['Value'])}.QueueName"}, name
                watched[named(dimension["Value"])] = alarm
    for name in template.dead_letter_queues:
        queue = template.properties({"Ref": name}, "AWS::SQS::Queue")
        assert queue["MessageRetentionPeriod"] == FOURTEEN_DAYS, name
        alarm = watched[name]
        assert (alarm["Namespace"], alarm["MetricName"]) == ("AWS/SQS", "ApproximateNumberOfMessagesVisible"), name
        assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("GreaterThanThreshold", 0), name


def test_a_queue_that_nobody_reads_wakes_somebody_long_before_sqs_forgets(template):
    watched = {}
    for alarm in single(template, "AWS/SQS", "ApproximateAgeOfOldestMessage"):
        assert (alarm["Statistic"], alarm["ComparisonOperator"]) == ("Maximum", "GreaterThanThreshold")
        (dimension,) = alarm["Dimensions"]
        assert dimension == {"Name": "QueueName", "Value": {"GetAtt": f"{named(dimension['Value'])}.QueueName"}}
        watched[named(dimension["Value"])] = alarm["Threshold"]
    assert watched.keys() == template.feeding_queues.keys()
    for name, seconds in watched.items():
        queue = template.properties({"Ref": name}, "AWS::SQS::Queue")
        tries = queue["RedrivePolicy"]["maxReceiveCount"] * template.number(queue["VisibilityTimeout"])
        assert tries < seconds <= queue["MessageRetentionPeriod"] / 7, name
    # Two workers: the last part of a long history waits for all before it.
    pace = 2 * template.parameters["ImportRowsPerSecond"]["Default"]
    assert watched["ImportQueue"] > 1_000_000 / pace


def single(template, namespace, metric):
    """The alarms of that metric."""
    found = template.of_type("AWS::CloudWatch::Alarm").values()
    return [alarm for alarm in found if (alarm["Namespace"], alarm["MetricName"]) == (namespace, metric)]


def test_every_function_that_fails_wakes_somebody(template):
    watched = []
    for alarm in single(template, "AWS/Lambda", "Errors"):
        assert (alarm["Statistic"], alarm["ComparisonOperator"], alarm["Threshold"]) == (
            "Sum",
            "GreaterThanThreshold",
            0,
        )
        (dimension,) = alarm["Dimensions"]
        assert dimension["Name"] == "FunctionName"
        watched.append(named(dimension["Value"]))
    assert sorted(watched) == sorted(template.functions)
    (throttles,) = single(template, "AWS/Lambda", "Throttles")
    assert (throttles["Statistic"], throttles["Threshold"]) == ("Sum", 0)
    assert "Dimensions" not in throttles, "it is the account that turns calls away"


def test_a_slow_relay_and_answers_of_500_wake_somebody(template):
    (lag,) = single(template, "AWS/Lambda", "IteratorAge")
    assert named(lag["Dimensions"][0]["Value"]) == "EventRelayFunction"
    # Milliseconds; the sweeper is at work before that.
    assert 1000 * template.parameters["SweepAfterSeconds"]["Default"] < lag["Threshold"] <= 600_000
    (faults,) = single(template, "AWS/ApiGateway", "5xx")
    assert faults["Dimensions"] == [{"Name": "ApiId", "Value": {"Ref": "HttpApi"}}]


def test_what_only_logs_tell_is_counted_and_wakes_somebody(template):
    watched = {}
    for entry in template.of_type("AWS::Logs::MetricFilter").values():
        (metric,) = entry["MetricTransformations"]
        watched.setdefault(metric["MetricName"], set()).add(named(entry["LogGroupName"]))
    assert watched == {
        "PoisonEvents": {"EventRelayLogGroup", "OutboxSweeperLogGroup"},
        "LedgerDisagreements": {"LedgerReconcileLogGroup"},
        "UnknownMessages": {"MessengerLogGroup"},
        "RowsNotImported": {"ImportWorkerLogGroup"},
    }
    alarms = {alarm["MetricName"] for alarm in template.of_type("AWS::CloudWatch::Alarm").values()}
    assert watched.keys() <= alarms


def test_what_is_counted_is_what_the_functions_say(template, root):
    sources = "".join(
        path.read_text() for folder in ("functions", "shared/src") for path in (root / folder).rglob("*.rs")
    )
    for name, entry in template.of_type("AWS::Logs::MetricFilter").items():
        message = re.fullmatch(r'\{ \$\.message = ("[^"]+") \}', entry["FilterPattern"])[1]
        assert message in sources, name


def test_every_alarm_wakes_the_same_people_and_is_quiet_without_news(template):
    for name, alarm in template.of_type("AWS::CloudWatch::Alarm").items():
        assert alarm["AlarmDescription"], name
        assert alarm["TreatMissingData"] == "notBreaching", name
        assert alarm["AlarmActions"] == {"If": ["AlarmTopicGiven", [{"Ref": "AlarmTopicArn"}], {"Ref": "AWS::NoValue"}]}
        assert alarm["Period"] == 60, name


def test_every_queue_is_encrypted_and_no_log_is_kept_for_ever(template):
    for name, queue in template.of_type("AWS::SQS::Queue").items():
        assert queue["SqsManagedSseEnabled"] is True, name
    for name, group in template.of_type("AWS::Logs::LogGroup").items():
        assert group["RetentionInDays"] == {"Ref": "LogRetentionDays"}, name


def test_the_runbook_has_a_section_for_each_alarm(template, root):
    text = (root / "infra" / "docs" / "RUNBOOK.md").read_text()
    sections = {
        re.sub(r"[^a-z0-9 -]", "", title.lower()).replace(" ", "-") for title in re.findall("^## (.+)$", text, re.M)
    }
    told = {}
    for row in re.findall(r"^\| (`.+Alarm`) \| (.+) \|$", text, re.M):
        targets = re.findall(r"\(#([^)]+)\)", row[1])
        assert targets
        assert set(targets) <= sections, row
        told |= dict.fromkeys(re.findall(r"`(\w+)`", row[0]), targets)
    assert told.keys() == template.of_type("AWS::CloudWatch::Alarm").keys()


def test_the_dashboard_shows_what_the_functions_measure(template, root):
    """Each metric of theirs, by the words that it is told apart by."""
    sources = "".join(
        path.read_text() for folder in ("functions", "shared/src") for path in (root / folder).rglob("*.rs")
    )
    measured = set(re.findall(r'metrics::put\([^"]*?"(\w+)"', sources))
    assert len(measured) > 3
    (dashboard,) = template.of_type("AWS::CloudWatch::Dashboard").values()
    widgets = json.loads(dashboard["DashboardBody"]["Sub"])["widgets"]
    shown, stack = set(), "${AWS::StackName}"
    for entry in (entry for widget in widgets for entry in widget["properties"]["metrics"]):
        if isinstance(entry[0], dict):
            if found := re.search(r"SEARCH\('\{(\S+?),\S+\} MetricName=\"(\w+)\"", entry[0]["expression"]):
                shown.add((found[1], found[2]))
        else:
            shown.add((entry[0], entry[1]))
    assert {metric for namespace, metric in shown if namespace == stack} == measured
    assert {"AWS/Lambda", "AWS/ApiGateway", "AWS/SQS"} <= {namespace for namespace, _ in shown}
    for name, alarm in template.of_type("AWS::CloudWatch::Alarm").items():
        counted = {
            entry["MetricTransformations"][0]["MetricName"]
            for entry in template.of_type("AWS::Logs::MetricFilter").values()
        }
        if alarm["Namespace"] == {"Ref": "AWS::StackName"}:
            assert alarm["MetricName"] in measured | counted, name
