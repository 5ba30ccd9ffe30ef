"""What the measured calls and units cost on AWS, by the prices and assumptions of prices.json."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

MILLION = 1_000_000
MONTH_SECONDS = 30 * 24 * 3600
CAPTURES = 1_000_000
ORGANIZATIONS = 1_000
IMPORTED_ROWS = 10_000
CHUNK_ROWS = 100
# What runs by the clock, each minute.
SCHEDULED = ("outbox-sweeper", "hold-release")
# What queues wake.
CONSUMERS = ("pipeline-entry", "deal-won", "messenger", "delivery-feedback", "import-worker")
# A message of a queue is sent, received and deleted.
REQUESTS_PER_MESSAGE = 3
# An agent's requests that set nothing off, by what prices.json calls them.
READS = {
    "list_pages": "list, a page of 25",
    "referrals_opened": "one referral",
    "reports": "attribution by advocate",
}
# And those that do.
ACTIONS = {"changes_of_status": "a change of status", "conversions": "a conversion", "rewards_sent": "a reward sent"}
# Of a login, a member and an organization, each strongly consistent.
SIGN_IN_READ_UNITS = 3


@dataclass(frozen=True)
class Line:
    """So many of something at a price."""

    what: str
    count: float
    price: float

    @property
    def amount(self) -> float:
        return self.count * self.price


class Bill:
    """What the figures come to. A count that was measured for one is multiplied, never rounded up."""

    def __init__(self, figures: dict[str, Any], inputs: dict[str, Any]) -> None:
        # Of a function with several events, the last one: forms mostly have numbers.
        self._functions = {cost["name"]: cost for cost in figures["functions"]}
        self._operations = {cost["name"]: cost["small"] for cost in figures["operations"]}
        self._follow_ups = {follow_up["name"]: follow_up for follow_up in figures["follow_ups"]}
        self._prices = inputs["prices"]
        self._assumed = inputs["assumptions"]
        self._month = inputs["organization_month"]
        self._queues = figures["template"]["queues"]
        self._alarms = figures["template"]["alarms"]
        self._secrets = figures["template"]["secrets"]
        self._metrics = figures["template"]["metrics"]

    def captures(self, count: float) -> list[Line]:
        """Page to lead, the agent told, and that mail arrived; every event alone, no batch."""
        loads = count * self._assumed["page_loads_per_capture"]
        return _merged(
            [
                Line("API Gateway, requests", count + loads, self._million("api_gateway_million_requests")),
                *self._follow(count, "a capture"),
                *self._lambda({"public-capture": loads}),
                self._logs(loads),
            ]
        )

    def imported(self, rows: float) -> list[Line]:
        spent, chunks = self._operations["import, a row of 100 in a part"], rows / CHUNK_ROWS
        # The worker keeps its pace by waiting, and waiting is paid for.
        pace = max(self._assumed["aws_call_ms"] / 1000, 1 / self._assumed["import_rows_per_second"])
        # What stores the file: a unit for each KB of its rows, two for each part's event, two for the import.
        stored = rows * self._assumed["imported_row_bytes"] / 1024 + 2 * chunks + 2
        return _merged(
            [
                *self._units(rows * (spent["units"] - spent["write_units"]), rows * spent["write_units"] + stored),
                Line("Lambda, GB-seconds", rows * pace * self._gigabytes(), self._gb_second()),
                Line("Lambda, requests", chunks, self._million("lambda_million_requests")),
                *self._lambda({"event-relay": chunks, "referrals-api": 1}),
                Line("EventBridge, events", chunks, self._million("eventbridge_million_events")),
                Line("SQS, requests", chunks * REQUESTS_PER_MESSAGE, self._million("sqs_million_requests")),
                self._logs(2 * chunks),
            ]
        )

    def organizations(self, count: float) -> list[Line]:
        """A month of an office, its captures included."""
        month = {what: count * number for what, number in self._month.items()}
        reads = sum(month[what] * self._operations[operation]["units"] for what, operation in READS.items())
        looks = sum(month[what] for what in READS)
        actions = sum(month[what] for what in ACTIONS)
        stored = month["stored_kb"] / 1024 / 1024
        return _merged(
            [
                *self.captures(month["captures"]),
                *(line for what, name in ACTIONS.items() for line in self._follow(month[what], name)),
                Line("API Gateway, requests", looks + actions, self._million("api_gateway_million_requests")),
                *self._units(reads + month["sign_ins"] * SIGN_IN_READ_UNITS, 0),
                *self._lambda({"referrals-api": looks, "token-claims": month["sign_ins"]}),
                self._logs(looks + month["sign_ins"]),
                Line("DynamoDB, GB stored", stored, self._prices["dynamodb_gb_month"]),
                Line("DynamoDB, GB with point-in-time recovery", stored, self._prices["dynamodb_backup_gb_month"]),
            ]
        )

    def standing(self) -> list[Line]:
        """A month in which nobody comes."""
        minutes = MONTH_SECONDS / 60
        metrics = self._metrics + self._assumed["embedded_metrics"]
        receives = MONTH_SECONDS / self._assumed["seconds_between_empty_receives"] * self._assumed["pollers_per_queue"]
        # Eight shards of the outbox and one list of holds, each a consistent read that finds nothing.
        return [
            *self._lambda(dict.fromkeys(SCHEDULED, minutes)),
            Line("DynamoDB, read units", minutes * 9, self._million("dynamodb_million_read_units")),
            Line("SQS, empty receives", receives * self._queues, self._million("sqs_million_requests")),
            Line("CloudWatch, alarms", self._alarms, self._prices["alarm_month"]),
            # Embedded ones are paid for in the hours in which they are written, so this is the most that it comes to.
            Line("CloudWatch, metrics of our own", metrics, self._prices["metric_month"]),
            Line("Secrets Manager, secrets", self._secrets, self._prices["secret_month"]),
            self._logs(minutes * len(SCHEDULED)),
        ]

    def milliseconds(self, function: str) -> float:
        """What an invocation is paid for: waiting for AWS, a share of a processor, now and then a start."""
        cost, assumed = self._functions[function], self._assumed
        computing = cost["warm_cpu_us"] / 1000 * assumed["full_processor_mb"] / assumed["memory_mb"]
        warm = math.ceil(cost["calls"] * assumed["aws_call_ms"] + computing)
        return warm + assumed["cold_start_share"] * assumed["cold_start_ms"]

    def _follow(self, count: float, name: str) -> list[Line]:
        """A request of that name, and all that it sets off."""
        follow_up = self._follow_ups[name]
        spent, invocations = follow_up["spent"], follow_up["invocations"]
        messages = sum(number for function, number in invocations.items() if function in CONSUMERS)
        return [
            *self._units(count * (spent["units"] - spent["write_units"]), count * spent["write_units"]),
            *self._lambda({function: count * number for function, number in invocations.items()}),
            Line("EventBridge, events", count * follow_up["events"], self._million("eventbridge_million_events")),
            Line("SQS, requests", count * messages * REQUESTS_PER_MESSAGE, self._million("sqs_million_requests")),
            Line("SES, mails", count * follow_up["mails"], self._prices["ses_thousand_mails"] / 1000),
            self._logs(count * sum(invocations.values())),
        ]

    def _lambda(self, invocations: dict[str, float]) -> list[Line]:
        seconds = sum(self.milliseconds(name) / 1000 * number for name, number in invocations.items())
        return [
            Line("Lambda, GB-seconds", seconds * self._gigabytes(), self._gb_second()),
            Line("Lambda, requests", sum(invocations.values()), self._million("lambda_million_requests")),
        ]

    def _units(self, reads: float, writes: float) -> list[Line]:
        return [
            Line("DynamoDB, write units", writes, self._million("dynamodb_million_write_units")),
            Line("DynamoDB, read units", reads, self._million("dynamodb_million_read_units")),
        ]

    def _logs(self, invocations: float) -> Line:
        gigabytes = invocations * self._assumed["log_bytes_per_invocation"] / 1e9
        return Line("CloudWatch, GB of logs", gigabytes, self._prices["logs_gb"])

    def _gigabytes(self) -> float:
        return self._assumed["memory_mb"] / 1024

    def _gb_second(self) -> float:
        return self._prices[f"lambda_gb_second_{self._assumed['architecture']}"]

    def _million(self, price: str) -> float:
        return self._prices[price] / MILLION


def page(figures: dict[str, Any], inputs: dict[str, Any]) -> str:
    bill = Bill(figures, inputs)
    captures = bill.captures(CAPTURES)
    share = _total([line for line in captures if line.what == "DynamoDB, write units"]) / _total(captures)
    parts = [
        f"""# What it costs

Written by `make bench` from what it measured ({figures["machine"]["date"]}) and from `infra/bench/prices.json`:
prices of {inputs["date"]}, {inputs["region"]}, {inputs["currency"]}.
{inputs["source"]}
Change the inputs there and run it again.

Counts of calls, events, mails and capacity units are measured; what the engine does not count and AWS does, writes
that are refused (a returning referrer has one), is not in it. What the machine cannot show is assumed, and stands in
the same file: how long a call to DynamoDB takes ({inputs["assumptions"]["aws_call_ms"]} ms), how many starts are cold,
how much is logged, how many distinct metrics are written, how often a page is looked at. Not in it either: SMS (a
price for each country), Cognito beyond its free users, preflights of the widget, X-Ray's samples,
traffic out of AWS, support.

## A million captures

Each from the page to the lead in the pipeline, the mail to the agent and the news that it arrived, every event
delivered alone. Write units are {share:.0%} of it, which is why the design counts them.
""",
        _table(captures),
        f"For one capture: {_total(captures) / CAPTURES * 100:.4f} cents.\n",
        f"## An import of {IMPORTED_ROWS:,} rows\n\nEach row has a new referrer, at the pace that the template sets.\n",
        _table(bill.imported(IMPORTED_ROWS)),
        f"## A month of {ORGANIZATIONS:,} organizations\n\n{_habits(inputs['organization_month'])}\n",
        _table(bill.organizations(ORGANIZATIONS)),
        "## A month in which nobody comes\n\nWhat runs and waits anyway, once for a deployment; of the metrics the "
        "most that there can be.\n",
        _table(bill.standing()),
    ]
    return "\n".join(parts)


def _habits(month: dict[str, float]) -> str:
    return "Each of them: " + ", ".join(f"{number:,} {what.replace('_', ' ')}" for what, number in month.items()) + "."


def _merged(lines: list[Line]) -> list[Line]:
    merged: dict[str, Line] = {}
    for line in lines:
        before = merged.get(line.what)
        merged[line.what] = Line(line.what, line.count + (before.count if before else 0), line.price)
    return list(merged.values())


def _total(lines: list[Line]) -> float:
    return sum(line.amount for line in lines)


def _table(lines: list[Line]) -> str:
    rows = [f"| {line.what} | {_count(line.count)} | {line.amount:,.2f} |" for line in lines]
    together = f"| **Together** | | **{_total(lines):,.2f}** |"
    return "\n".join(["| What | How many | USD |", "| --- | ---: | ---: |", *rows, together, ""])


def _count(count: float) -> str:
    return f"{count:,.0f}" if count >= 100 else f"{count:.3g}"
