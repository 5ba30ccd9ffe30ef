"""What the build made for browsers: how large it is as it travels, and the hash by which a site can pin it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "public-capture"


def built() -> list[dict[str, object]]:
    """Cargo says where a build script left its files; everything is built already, so this builds nothing."""
    command = ["cargo", "build", "--workspace", "--locked", "--quiet", "--message-format", "json"]
    said = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout
    messages = [json.loads(line) for line in said.splitlines()]
    (directory,) = {
        message["out_dir"]
        for message in messages
        if message["reason"] == "build-script-executed" and f"/{PACKAGE}#" in message["package_id"]
    }
    return json.loads((Path(directory) / "assets.json").read_text())


def main() -> int:
    for asset in built():
        print(
            f"{asset['path']}: {asset['gzipBytes']} bytes with gzip (at most {asset['gzipMaxBytes']}), "
            f"{asset['bytes']} without; integrity {asset['integrity']}"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
