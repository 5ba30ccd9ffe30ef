"""From 201 to the lead: how long a referral takes through outbox, stream, bus and queue of the local stack.

The emulator's polling is in it, and AWS's is not: it shows that nothing waits for something that it need not wait for.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Mapping
from typing import Any

import requests

import flow
import settings as configuration
from failure import Failure

CAPTURES = 40
PATIENCE_SECONDS = 30
POLL_SECONDS = 0.005
REFERRALS = "/api/reputation/referrals"
INSTANCE = {**flow.INSTANCE, "STACK_DIR": ".local/bench/stack", "LOG_LEVEL": "info", "BIN_DIR": "target/release"}


def measure() -> dict[str, Any]:
    environment = {**os.environ, **INSTANCE}
    found: list[float] = []

    def captures(stack: Mapping[str, str]) -> bool:
        # The first ones meet functions that have not been started.
        found.extend([_lag(stack, number) for number in range(CAPTURES + 5)][5:])
        return True

    flow.run(configuration.from_environment(environment), environment, captures)
    percentiles = statistics.quantiles(found, n=100, method="inclusive")
    return {"captures": CAPTURES, "p50_ms": percentiles[49], "p99_ms": percentiles[98]}


def _lag(stack: Mapping[str, str], number: int) -> float:
    form = {
        "referrerName": "Pat Jones",
        "referrerEmail": f"pat{number}@example.com",
        "referredName": "Sam Lee",
        "referredEmail": f"sam{number}@example.com",
    }
    answer = requests.post(f"{stack['API_URL']}/api/public/referral/{stack['AGENT_SLUG']}", json=form, timeout=30)
    taken = time.monotonic()
    if answer.status_code != 201:
        raise Failure(f"a form was answered {answer.status_code}: {answer.text}")
    headers = {"Authorization": f"Bearer {stack['TOKEN']}"}
    while time.monotonic() - taken < PATIENCE_SECONDS:
        page = requests.get(f"{stack['API_URL']}{REFERRALS}?limit=1", headers=headers, timeout=30).json()
        newest = page["referrals"][0]
        if newest["referredContact"]["email"] == form["referredEmail"] and newest["referredPersonId"]:
            return (time.monotonic() - taken) * 1000
        time.sleep(POLL_SECONDS)
    raise Failure(f"a referral was no lead after {PATIENCE_SECONDS} seconds")
