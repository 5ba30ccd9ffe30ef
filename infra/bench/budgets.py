"""What may not get worse, and whether it has. A budget is changed here, with its reason in DECISIONS."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from settings import FUNCTIONS

CAPTURE = "public-capture"
MEGABYTE = 1_000_000

# Of every function. Init is in multiples of the floor: a runtime client that does nothing, measured in turns with it.
INIT_FLOORS = 3.0
ZIP_BYTES = 4 * MEGABYTE
# Of the capture, for which somebody waits.
CAPTURE_INIT_FLOORS = 2.5
CAPTURE_FIRST_CPU_MS = 10.0
# In multiples of what its calls cost whoever makes them, measured in turns with it. Reading two numbers costs a tenth.
CAPTURE_WARM_BARE = 1.5
CAPTURE_WARM_WITH_NUMBERS_BARE = 1.8
WITH_NUMBERS = "with numbers"
# The default features of the SDK's crates make it 3.84 MB.
CAPTURE_ZIP_BYTES = 3.5 * MEGABYTE
CAPTURE_PEAK_MIB = 16.0
CAPTURE_CALLS = 3

# Calls and capacity units of one operation, at most; DATA_MODEL has them too.
OPERATIONS = {
    "capture, new referrer with an address": (3, 23),
    "capture, new referrer with address and number": (3, 25),
    "capture, returning referrer": (4, 21),
    "capture, repetition": (4, 3),
    "capture, refused by the network's limit": (1, 1),
    "pipeline entry, new lead with an address": (4, 24),
    "list, a page of 25": (1, 2.5),
    "one referral": (1, 1),
    "a referral's history": (1, 1),
    "a change of status": (2, 14),
    "a conversion by which a reward comes up": (3, 30),
    "a reward marked sent": (2, 22),
    "attribution by advocate": (2, 6),
    "attribution by month": (1, 1),
    "import, a row of 100 in a part": (1.07, 21.1),
}
# Of 200 captures at once, how often a sender may be told to come again.
CROWDS = {"one advocate": 200, "one slug": 0}
# Who waits for others, waits without computing.
CROWDED = 2.0
# How much more units may be in the large ledger than in the small one. Rows of an import differ a little in length.
GROWTH = 0.1


@dataclass(frozen=True)
class Verdict:
    what: str
    figure: float
    limit: float
    unit: str = ""

    @property
    def is_met(self) -> bool:
        return self.figure <= self.limit

    def __str__(self) -> str:
        return f"{self.what}: {self.figure:,.4g}{self.unit}, at most {self.limit:,.4g}{self.unit}"


def judge(figures: dict[str, Any]) -> list[Verdict]:
    """Of everything, or of one function where only that was measured."""
    judged = [*_functions(figures), *_operations(figures), *_rates(figures), *_crowds(figures)]
    return [*judged, *_missing(figures)] if figures["operations"] else judged


def _missing(figures: dict[str, Any]) -> Iterator[Verdict]:
    """What has a budget and no figure."""
    for part, wanted in (("functions", FUNCTIONS), ("operations", OPERATIONS), ("contention", CROWDS)):
        measured = {cost["name"] for cost in figures[part]}
        for name in wanted:
            if name not in measured:
                yield Verdict(f"{name}: not measured", 1, 0)


def _rates(figures: dict[str, Any]) -> Iterator[Verdict]:
    if figures["throughput"]:
        alone, *crowded = figures["throughput"]
        for rate in crowded:
            ratio = rate["cpu_us"] / alone["cpu_us"]
            yield Verdict(f"a capture among {rate['at_once']} at once, to one alone", ratio, CROWDED, " of the CPU")


def _functions(figures: dict[str, Any]) -> Iterator[Verdict]:
    for cost in figures["functions"]:
        name, is_capture = f"{cost['name']}, {cost['event']}", cost["name"] == CAPTURE
        floors = cost["init_cpu_ms"] / cost["floor_init_cpu_ms"]
        yield Verdict(f"{name}: init", floors, CAPTURE_INIT_FLOORS if is_capture else INIT_FLOORS, " floors")
        most = CAPTURE_ZIP_BYTES if is_capture else ZIP_BYTES
        yield Verdict(f"{name}: zip", cost["zip_bytes"] / MEGABYTE, most / MEGABYTE, " MB")
        if is_capture:
            yield Verdict(f"{name}: first call over TLS", cost["first_cpu_ms"], CAPTURE_FIRST_CPU_MS, " ms CPU")
            bare = CAPTURE_WARM_WITH_NUMBERS_BARE if WITH_NUMBERS in cost["event"] else CAPTURE_WARM_BARE
            yield Verdict(f"{name}: warm", cost["warm_bare"], bare, " bare")
            yield Verdict(f"{name}: peak memory", cost["peak_memory_mib"], CAPTURE_PEAK_MIB, " MiB")
            yield Verdict(f"{name}: calls", cost["calls"], CAPTURE_CALLS)


def _operations(figures: dict[str, Any]) -> Iterator[Verdict]:
    for cost in figures["operations"]:
        name = cost["name"]
        # What nobody has set a limit for has none, and so is over it.
        calls, units = OPERATIONS.get(name, (0, 0))
        for size in ("small", "large"):
            spent = cost[size]
            if spent is not None:
                yield Verdict(f"{name}: calls, {size} ledger", spent["calls"], calls)
                yield Verdict(f"{name}: units, {size} ledger", spent["units"], units)
        if cost["large"] is not None:
            small, large = cost["small"], cost["large"]
            yield Verdict(f"{name}: more calls in the large ledger", large["calls"] - small["calls"], 0)
            yield Verdict(f"{name}: more units in the large ledger", large["units"] - small["units"], GROWTH)


def _crowds(figures: dict[str, Any]) -> Iterator[Verdict]:
    for crowd in figures["contention"]:
        who = f"{crowd['at_once']} at once of {crowd['name']}"
        yield Verdict(f"{who}: lost", crowd["at_once"] - crowd["taken"], 0)
        yield Verdict(f"{who}: violations", len(crowd["violations"]), 0)
        yield Verdict(f"{who}: sent again", crowd["sent_again"], CROWDS.get(crowd["name"], 0))
