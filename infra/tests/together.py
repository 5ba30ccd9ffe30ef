"""Doing the same many times over at once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor


def at_once(do, things):
    """What `do` gives for each thing, in order; none of them begins before all can."""
    start = threading.Barrier(len(things))

    def begin(thing):
        start.wait()
        return do(thing)

    with ThreadPoolExecutor(len(things)) as pool:
        return list(pool.map(begin, things))
