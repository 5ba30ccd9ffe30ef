"""`make sabotage`: breaks, in a copy, what trust stands on, one thing at a time, and sees a test fail for each.

A test that nobody has seen failing shows little. What is broken here is what would be easy to lose in a rewrite.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
COPY = ROOT / ".local" / "sabotage"
STORE, HTTP, USE_CASES = "shared/src/store", "shared/src/http", "shared/src/usecase"
HARNESS = ("--package", "referrals-harness", "--test")
CONTRACT = ("--package", "referrals", "--test", "store_contract")


@dataclass(frozen=True)
class Sabotage:
    """A change that compiles, and tests of which one has to fail."""

    file: str
    before: str
    after: str
    test: tuple[str, ...]
    settings: dict[str, str] = field(default_factory=dict)


SABOTAGES = {
    "outbox written outside the transaction": Sabotage(
        f"{STORE}/record_referral.rs",
        """        transaction.create(Part::Outbox, &self.outbox_table, super::outbox::item(&write.event)?)?;

        match transaction.commit(&self.client).await? {
            Committed::Done => Ok(ReferralWriteOutcome::Recorded),
""",
        """        match transaction.commit(&self.client).await? {
            Committed::Done => {
                let item = super::outbox::item(&write.event)?;
                let put = self.client.put_item().table_name(&self.outbox_table).set_item(Some(item));
                put.send().await.map_err(|error| super::error::store_error(OPERATION, &error))?;
                Ok(ReferralWriteOutcome::Recorded)
            }
""",
        (*HARNESS, "crash_matrix"),
        {"CRASH_MATRIX_ONLY": "CaptureStranger"},
    ),
    "inbox check removed": Sabotage(
        f"{STORE}/pipeline.rs",
        "transaction.create(Part::Inbox, ",
        "transaction.write(Part::Inbox, ",
        (*CONTRACT, "entry"),
    ),
    "claim after send": Sabotage(
        f"{USE_CASES}/send_message.rs",
        """        if !write(office.store, scope, message, before, decision.guard, event, at).await? {
            pause().await;
            continue;
        }
        let Ok(letter) = decision.verdict else { return Ok(Sent::Done) };
        let sending = office.carrier.send(&letter).await;
""",
        """        let early = match &decision.verdict {
            Ok(letter) => Some(office.carrier.send(letter).await),
            Err(_) => None,
        };
        if !write(office.store, scope, message, before, decision.guard, event, at).await? {
            pause().await;
            continue;
        }
        let Some(sending) = early else { return Ok(Sent::Done) };
""",
        (*HARNESS, "crash_matrix"),
        {"CRASH_MATRIX_ONLY": "ThankByMail"},
    ),
    "consent read before the claim": Sabotage(
        f"{USE_CASES}/send_message.rs",
        "if !write(office.store, scope, message, before, decision.guard, event, at).await? {",
        "if !write(office.store, scope, message, before, None, event, at).await? {",
        ("--package", "messenger", "--bin", "messenger"),
    ),
    "limiter without its condition": Sabotage(
        f"{STORE}/rate_limiter.rs",
        """                "(attribute_not_exists(#total) OR #total < :window) \\
                 AND (attribute_not_exists(#minute) OR #minute < :minute)",
""",
        """                "(attribute_not_exists(#total) OR #total < :window OR #total >= :window) \\
                 AND (attribute_not_exists(#minute) OR #minute < :minute OR #minute >= :minute)",
""",
        (*CONTRACT, "limits"),
    ),
    "cursor without its binding": Sabotage(
        f"{HTTP}/cursor.rs",
        "for part in list.0.iter().map(String::as_bytes).chain([payload]) {",
        "let _ = list;\n        for part in [payload] {",
        ("--package", "referrals-api", "--bin", "referrals-api", "--", "isolation"),
    ),
    "missing organization in one key": Sabotage(
        f"{STORE}/keys.rs",
        'Keys::new(format!("{}#DEAL#{deal}", org(scope))',
        'Keys::new(format!("{}DEAL#{deal}", &org(scope)[..0])',
        (*CONTRACT, "office"),
    ),
    "erased but for the answers that show it": Sabotage(
        f"{STORE}/personal_data.rs",
        "for answer in &erasure.answers {",
        "for answer in erasure.answers.iter().take(0) {",
        ("--package", "referrals-api", "--bin", "referrals-api", "--", "erasure"),
    ),
    "erased by the clock while somebody takes them up": Sabotage(
        f"{USE_CASES}/expire_captures.rs",
        "self.eraser.try_row(found, watched).await?",
        "self.eraser.try_row(found, watched.into_iter().take(0).collect()).await?",
        (*CONTRACT, "expiry"),
    ),
}


def copy() -> None:
    """The files of the working tree; those that are the same keep their times, so that little is built again."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        check=True,
    )
    for name in filter(None, listed.stdout.decode().split("\0")):
        source, target = ROOT / name, COPY / name
        if source.is_file():
            put(target, source.read_bytes())


def put(target: Path, content: bytes) -> None:
    if not target.is_file() or target.read_bytes() != content:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)


def cargo(*arguments: str, **settings: str) -> tuple[int, str]:
    environment = {**os.environ, **settings, "RUST_BACKTRACE": "0"}
    done = subprocess.run(
        ["cargo", *arguments], cwd=COPY, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
    return done.returncode, done.stdout.decode(errors="replace")


def is_caught(name: str, sabotage: Sabotage) -> bool:
    original = (ROOT / sabotage.file).read_text()
    if original.count(sabotage.before) != 1:
        print(f"{name}: {sabotage.file} has changed; say anew what to break in {Path(__file__).name}")
        return False
    broken = original.replace(sabotage.before, sabotage.after)
    put(COPY / sabotage.file, broken.encode())
    try:
        # The harness runs the functions' binaries.
        code, said = cargo("build", "--workspace", "--locked", "--quiet")
        if code != 0:
            print(f"{name}: it does not compile\n{said}")
            return False
        code, said = cargo("test", "--locked", *sabotage.test, **sabotage.settings)
    finally:
        put(COPY / sabotage.file, original.encode())
    failed = re.findall(r"^test (\S+) \.\.\. FAILED$", said, re.MULTILINE)
    if code == 0 or not failed:
        # A test that does not compile has caught nothing, either.
        print(f"{name}: NOT CAUGHT\n{said[-4000:]}")
        return False
    print(f"{name}: caught by {', '.join(failed)}", flush=True)
    return True


def main() -> int:
    parser = argparse.ArgumentParser(description="Breaks the project in a copy, and sees tests fail.")
    parser.add_argument("--only", help="those whose name has this in it")
    only = parser.parse_args().only or ""
    copy()
    missed = [name for name, sabotage in SABOTAGES.items() if only in name and not is_caught(name, sabotage)]
    for name in missed:
        print(f"error: not caught: {name}", file=sys.stderr)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
