"""`make mutants`: changes the domain in small ways and asks its unit tests, with the settings and answers of
.cargo/mutants.toml. Options are those of `cargo mutants`.

The domain names no other layer. Here it is built alone, in a workspace of its own below target/, so that a mutant costs
seconds: in the whole crate it costs the SDK's callers, the test tools that depend on them, and their linking.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import toolbox

ROOT = Path(__file__).resolve().parents[2]
ALONE = ROOT / "target" / "domain"
SETTINGS = {
    "CARGO_TARGET_DIR": str(ROOT / "target" / "domain-build"),
    # A property that needs more to notice a mutant deserves a table beside it.
    "PROPTEST_CASES": "32",
}


def main() -> int:
    shutil.rmtree(ALONE, ignore_errors=True)
    domain = ALONE / "shared" / "src" / "domain"
    shutil.copytree(ROOT / "shared" / "src" / "domain", domain)
    shutil.copytree(ROOT / ".cargo", ALONE / ".cargo")
    for name in ("Cargo.lock", "rust-toolchain.toml"):
        shutil.copy(ROOT / name, ALONE)
    code = "\n".join(path.read_text() for path in sorted(domain.rglob("*.rs")))
    workspace = (ROOT / "Cargo.toml").read_text()
    workspace = re.sub(r"^members = .*$", 'members = ["shared"]', workspace, flags=re.MULTILINE)
    workspace = re.sub(r"^referrals-.* = \{ path = .*\n", "", workspace, flags=re.MULTILINE)
    (ALONE / "Cargo.toml").write_text(workspace)
    manifest = (ROOT / "shared" / "Cargo.toml").read_text().splitlines()
    (ALONE / "shared" / "Cargo.toml").write_text("\n".join(line for line in manifest if is_needed(line, code)) + "\n")
    (ALONE / "shared" / "src" / "lib.rs").write_text("pub mod domain;\n")

    settings = {**os.environ, **SETTINGS}
    # What nobody depends on here leaves the lock file; the versions stay.
    metadata = ["cargo", "metadata", "--quiet", "--format-version", "1"]
    subprocess.run(metadata, cwd=ALONE, env=settings, check=True, stdout=subprocess.DEVNULL)
    tool = toolbox.cargo_tool("cargo-mutants", toolbox.CARGO_MUTANTS)
    mutants = [str(tool), "mutants", "--in-place", *sys.argv[1:]]
    return subprocess.run(mutants, cwd=ALONE, env=settings, check=False).returncode


def is_needed(line: str, code: str) -> bool:
    """Whether a line of the manifest is no dependency, or one that the domain names."""
    dependency = re.fullmatch(r"([a-z0-9_-]+)\.workspace = true", line)
    package = ("version", "edition", "rust-version", "license", "publish")
    if dependency is None or dependency[1] in package:
        return True
    return re.search(rf"\b{dependency[1].replace('-', '_')}\b(::|;)", code) is not None


if __name__ == "__main__":
    sys.exit(main())
