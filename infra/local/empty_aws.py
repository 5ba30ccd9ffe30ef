"""The local AWS without our stack: what `make deploy` is tried on. `make dev` has the stack, and needs none of this.

STACK_DIR=.local/deploy STACK_PORT=4720 make aws-up
"""

from __future__ import annotations

import argparse
import sys

import settings as configuration
from emulator import Emulator
from failure import Failure


def main() -> int:
    parser = argparse.ArgumentParser(description="The local AWS, with nothing on it.")
    parser.add_argument("command", choices=("up", "down"))
    command = parser.parse_args().command
    try:
        settings = configuration.from_environment()
        if settings.env_file.exists():
            raise Failure(
                f"{settings.directory} has the local stack of `make dev`. Name another: STACK_DIR, STACK_PORT"
            )
        settings.directory.mkdir(parents=True, exist_ok=True)
        emulator = Emulator(settings)
        if command == "up":
            emulator.start()
            variables = {
                **configuration.CREDENTIALS,
                "AWS_REGION": configuration.REGION,
                "AWS_DEFAULT_REGION": configuration.REGION,
                "AWS_ENDPOINT_URL": settings.endpoint,
            }
            print("\n".join(f"export {name}={value}" for name, value in variables.items()))
        else:
            emulator.stop()
    except Failure as failure:
        print(f"error: {failure}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
