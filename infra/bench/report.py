"""What was measured, as a page and as a few lines."""

from __future__ import annotations

from typing import Any

from budgets import MEGABYTE, Verdict

HEAD = """# Results of `make bench`

Written by `make bench`; do not edit. Every figure is of one run of the release build on the machine below.
Processor time (CPU) and counts are what to compare; wall time depends on whoever else is on the machine.
"""
FUNCTIONS = """
The real binaries under a Lambda Runtime API host, with all their calls over TLS 1.3 (RSA 2048, a chain of two under
a root, {roots} roots to load) to an engine on the same machine. {cold} cold starts and {warm} warm events of each.
Of processor times the one that a quarter does not exceed is given, because whoever else is on the machine only ever
adds to them; wall times are medians.

*Floors*: init in multiples of a runtime client that does nothing, measured in turns with each function ({init:.2f}
ms; a warm event {floor:.0f} µs, {memory:.1f} MiB). *First event*: connecting, TLS, and whatever a process makes
only once. *Bare*: warm in multiples of what the same number of calls costs whoever makes them, from hold-release
with nothing due: {call:.0f} µs a call, over the floor.
"""
OPERATIONS = """
What the same binaries called, and the capacity units that the engine counted, reads and writes together. It counts
as DynamoDB does but for writes that are refused, which it takes for free and DynamoDB does not: the first transaction
of a returning referrer, a repetition's, and a refused count. *Large* has {large:,} referrals in one organization,
*small* 1,000.
"""
THROUGHPUT = """
One environment takes one capture after the other, as Lambda's do. Functions, engine and the measuring program share
the machine's processors, so the rate is the machine's. How much more CPU a capture takes among others than alone is
judged: who waits for others has to wait without computing.
"""
CONTENTION = """
No local engine refuses what DynamoDB refuses when transactions meet at one item, so the line before it does: a write
holds its items until {write:.0f} ms after the engine has done it, and who comes meanwhile gets DynamoDB's conflict.
*Sent again* are answers 503 with `Retry-After`, after which the same form was sent again.
"""
LAG = """
On the local stack, from the answer 201 until the API shows the lead, one referral at a time: {captures} of them,
p50 {p50:.0f} ms, p99 {p99:.0f} ms. The emulator's own polling is in it and AWS's is not.
"""
Row = list[str]


def summary(figures: dict[str, Any], judged: list[Verdict]) -> str:
    met = sum(verdict.is_met for verdict in judged)
    return "\n".join([_functions(figures), f"{met} of {len(judged)} budgets are met."])


def page(figures: dict[str, Any], judged: list[Verdict]) -> str:
    lag, idle = figures["lag"], next(cost for cost in figures["functions"] if cost["calls"] == 1)
    counts = {
        "cold": figures["cold_starts"],
        "warm": figures["warm_events"],
        "roots": figures["roots"],
        "init": idle["floor_init_cpu_ms"],
        "floor": idle["floor_warm_cpu_us"],
        "memory": idle["floor_peak_memory_mib"],
        "call": idle["bare_warm_cpu_us"] - idle["floor_warm_cpu_us"],
    }
    parts = [
        HEAD,
        "\n".join(f"- {name}: {value}" for name, value in figures["machine"].items()) + "\n",
        "## Budgets\n",
        _table(["Budget", "Figure", "At most", ""], [_budget(verdict) for verdict in judged]),
        f"## Functions\n{FUNCTIONS.format(**counts)}",
        _functions(figures),
        f"## Operations\n{OPERATIONS.format(large=figures['large'])}",
        _operations(figures),
        f"## Captures at the same time\n{THROUGHPUT}",
        _rates(figures),
        f"## Many at one row\n{CONTENTION.format(write=figures['contention'][0]['write_ms'])}",
        _crowds(figures),
        f"## From 201 to the lead\n{LAG.format(captures=lag['captures'], p50=lag['p50_ms'], p99=lag['p99_ms'])}",
    ]
    return "\n".join(parts)


def _table(head: Row, rows: list[Row]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _budget(verdict: Verdict) -> Row:
    figure, limit = (f"{number:,.4g}{verdict.unit}" for number in (verdict.figure, verdict.limit))
    return [verdict.what, figure, limit, "met" if verdict.is_met else "**missed**"]


def _functions(figures: dict[str, Any]) -> str:
    rows = [
        [
            cost["name"],
            f"{cost['init_cpu_ms']:.2f}",
            f"{cost['init_cpu_ms'] / cost['floor_init_cpu_ms']:.2f}",
            f"{cost['first_cpu_ms']:.1f}",
            f"{cost['warm_cpu_us']:.0f}",
            f"{cost['warm_bare']:.2f}",
            f"{cost['warm_p50_ms']:.1f}",
            f"{cost['warm_p99_ms']:.1f}",
            f"{cost['peak_memory_mib']:.1f}",
            f"{cost['zip_bytes'] / MEGABYTE:.2f}",
            f"{cost['event']}; {cost['calls']} calls",
        ]
        for cost in figures["functions"]
    ]
    head = ["Function", "init, CPU ms", "floors", "first event, CPU ms", "warm, CPU µs", "bare", "p50 ms", "p99 ms"]
    return _table([*head, "peak MiB", "zip MB", "event"], rows)


def _operations(figures: dict[str, Any]) -> str:
    rows = []
    for cost in figures["operations"]:
        row = [cost["name"]]
        for size in ("small", "large"):
            spent = cost[size]
            row += [f"{spent['calls']:g}", f"{spent['units']:g}"] if spent else ["", ""]
        rows.append(row)
    return _table(["Operation", "calls, small", "units, small", "calls, large", "units, large"], rows)


def _rates(figures: dict[str, Any]) -> str:
    rows = [
        [
            str(rate["at_once"]),
            f"{rate['per_second']:.0f}",
            f"{rate['cpu_us']:.0f}",
            f"{rate['p50_ms']:.1f}",
            f"{rate['p99_ms']:.1f}",
        ]
        for rate in figures["throughput"]
    ]
    return _table(["At once", "captures a second", "CPU µs for each", "p50 ms", "p99 ms"], rows)


def _crowds(figures: dict[str, Any]) -> str:
    rows = [
        [
            crowd["name"],
            str(crowd["at_once"]),
            str(crowd["taken"]),
            str(crowd["conflicts"]),
            str(crowd["sent_again"]),
            f"{crowd['p50_ms']:.0f}",
            f"{crowd['p99_ms']:.0f}",
        ]
        for crowd in figures["contention"]
    ]
    return _table(["Captures of", "at once", "taken", "conflicts", "sent again", "p50 ms", "p99 ms"], rows)
