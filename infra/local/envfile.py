"""dev.env: plain NAME='value' lines that a shell can source and a program can parse."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path


def write(path: Path, values: Mapping[str, str]) -> None:
    """Replace the file as a whole, so that nobody ever reads half of it."""
    for name, value in values.items():
        if "'" in value or "\n" in value:
            raise ValueError(f"{name} cannot be written between single quotes")
    unfinished = path.with_name(f"{path.name}.{os.getpid()}.part")
    # It holds tokens, if only those of the local stack.
    unfinished.touch(mode=0o600)
    unfinished.write_text("".join(f"{name}='{value}'\n" for name, value in values.items()))
    unfinished.replace(path)


def read(path: Path) -> dict[str, str]:
    lines = (line.partition("=") for line in path.read_text().splitlines() if line)
    return {name: value.strip("'") for name, _, value in lines}


def name_of(output: str) -> str:
    """What dev.env calls an output of the stack: `DealQueueUrl` is DEAL_QUEUE_URL."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", output).upper()
