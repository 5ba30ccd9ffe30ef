"""`make bench` fails when something got worse: every budget is broken here once. And what costs.py adds up."""

import copy
import json

import pytest

import budgets
import costs
from settings import FUNCTIONS

SPENT = {"calls": 1, "units": 1.0, "write_units": 0.0}


def function(name):
    return {
        "name": name,
        "event": "an event",
        "init_cpu_ms": 2.0,
        "floor_init_cpu_ms": 1.0,
        "init_wall_ms": 4.0,
        "first_cpu_ms": 5.0,
        "first_wall_ms": 9.0,
        "warm_cpu_us": 500.0,
        "floor_warm_cpu_us": 50.0,
        "bare_warm_cpu_us": 450.0,
        "warm_bare": 1.3,
        "floor_peak_memory_mib": 3.0,
        "warm_p50_ms": 3.0,
        "warm_p99_ms": 5.0,
        "peak_memory_mib": 10.0,
        "calls": 3,
        "zip_bytes": 3_000_000,
    }


def follow_up(name):
    invocations = {"public-capture": 1, "event-relay": 2, "pipeline-entry": 1}
    spent = {"calls": 20, "units": 50.0, "write_units": 40.0}
    return {"name": name, "spent": spent, "invocations": invocations, "events": 2, "mails": 1}


def crowd(name):
    return {"name": name, "at_once": 200, "taken": 200, "sent_again": 0, "violations": []}


def figures():
    with_numbers = {**function("public-capture"), "event": "an event with numbers", "warm_bare": 1.7}
    return {
        "functions": [*(function(name) for name in FUNCTIONS), with_numbers],
        "operations": [{"name": name, "small": dict(SPENT), "large": dict(SPENT)} for name in budgets.OPERATIONS],
        "follow_ups": [follow_up(name) for name in ("a capture", *costs.ACTIONS.values())],
        "throughput": [{"at_once": number, "cpu_us": 1000.0} for number in (1, 8, 32)],
        "contention": [crowd("one advocate"), crowd("one slug")],
        "template": {"queues": 5, "alarms": 10, "secrets": 3, "metrics": 5},
        "machine": {"date": "2026-11-22"},
    }


def missed(measured):
    return [verdict.what for verdict in budgets.judge(measured) if not verdict.is_met]


def worse(path, value):
    measured = copy.deepcopy(figures())
    *parents, last = path
    place = measured
    for parent in parents:
        place = place[parent]
    place[last] = value
    return measured


def test_good_figures_meet_every_budget():
    measured = figures()
    # At the limit is within it.
    for cost in measured["operations"]:
        for size in ("small", "large"):
            cost[size]["calls"], cost[size]["units"] = budgets.OPERATIONS[cost["name"]]
    assert missed(measured) == []
    assert len(budgets.judge(measured)) > 100


@pytest.mark.parametrize(
    ("path", "value", "wanted"),
    [
        (("functions", 0, "init_cpu_ms"), 2.51, "public-capture, an event: init"),
        (("functions", 1, "init_cpu_ms"), 3.01, "event-relay, an event: init"),
        (("functions", 0, "floor_init_cpu_ms"), 0.79, "public-capture, an event: init"),
        (("functions", 0, "zip_bytes"), 3_500_001, "public-capture, an event: zip"),
        (("functions", FUNCTIONS.index("token-claims"), "zip_bytes"), 4_000_001, "token-claims, an event: zip"),
        (("functions", 0, "first_cpu_ms"), 10.1, "public-capture, an event: first call over TLS"),
        (("functions", 0, "warm_bare"), 1.51, "public-capture, an event: warm"),
        (("functions", -1, "warm_bare"), 1.81, "public-capture, an event with numbers: warm"),
        (("functions", 0, "peak_memory_mib"), 16.1, "public-capture, an event: peak memory"),
        (("functions", 0, "calls"), 4, "public-capture, an event: calls"),
        (("operations", 0, "small", "calls"), 4, "capture, new referrer with an address: calls, small ledger"),
        (("operations", 0, "large", "units"), 23.5, "capture, new referrer with an address: units, large ledger"),
        (("operations", 6, "large", "units"), 1.2, "list, a page of 25: more units in the large ledger"),
        (("operations", 6, "large", "calls"), 2, "list, a page of 25: more calls in the large ledger"),
        (("operations", 3, "name"), "something new", "capture, repetition: not measured"),
        (("operations", 0, "name"), "something new", "something new: calls, small ledger"),
        (("contention", 0, "taken"), 199, "200 at once of one advocate: lost"),
        (("throughput", 2, "cpu_us"), 2001.0, "a capture among 32 at once, to one alone"),
        (("contention", 0, "sent_again"), 201, "200 at once of one advocate: sent again"),
        (("contention", 1, "sent_again"), 1, "200 at once of one slug: sent again"),
        (("contention", 1, "name"), "somebody", "one slug: not measured"),
        (("functions", 2, "name"), "another", "outbox-sweeper: not measured"),
        (("contention", 0, "violations"), ["two rows"], "200 at once of one advocate: violations"),
    ],
)
def test_each_budget_fails_when_it_is_missed(path, value, wanted):
    assert wanted in missed(worse(path, value))


@pytest.fixture
def inputs(root):
    return json.loads((root / "infra" / "bench" / "prices.json").read_text())


def test_a_capture_costs_what_its_parts_cost(inputs):
    bill = costs.Bill(figures(), inputs)
    lines = {line.what: line for line in bill.captures(1_000_000)}
    # 40 write units and 10 read units a capture.
    assert lines["DynamoDB, write units"].amount == pytest.approx(40 * 0.625)
    assert lines["DynamoDB, read units"].amount == pytest.approx(10 * 0.125)
    # One consumer's message: sent, received, deleted.
    assert lines["SQS, requests"].amount == pytest.approx(3 * 0.40)
    assert lines["EventBridge, events"].amount == pytest.approx(2 * 1.00)
    assert lines["SES, mails"].amount == pytest.approx(100)
    # The form, after three looks at the page.
    assert lines["API Gateway, requests"].amount == pytest.approx(4 * 1.00)
    assert lines["Lambda, requests"].amount == pytest.approx((4 + 3) * 0.20)
    # 3 calls of 6 ms, 0.5 ms of a whole processor at 256 MB of 1,769, rounded up; a cold start of 60 ms in fifty.
    assert bill.milliseconds("public-capture") == pytest.approx(22 + 1.2)
    assert lines["Lambda, GB-seconds"].count == pytest.approx(7 * 1_000_000 * 0.0232 * 0.25)
    assert costs.page(figures(), inputs).count("**Together**") == 4


def test_an_import_is_paid_for_while_it_waits(inputs):
    lines = {line.what: line for line in costs.Bill(figures(), inputs).imported(10_000)}
    # 25 rows a second at 256 MB, and a little for relay and API.
    assert lines["Lambda, GB-seconds"].count == pytest.approx(400 * 0.25, rel=0.01)


def test_what_is_bought_twice_costs_twice(inputs):
    bill = costs.Bill(figures(), inputs)
    for of in (bill.captures, bill.organizations):
        once, twice = (sum(line.amount for line in of(count)) for count in (1, 2))
        assert twice == pytest.approx(2 * once)
        assert once > 0
