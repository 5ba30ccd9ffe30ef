"""`make trace`: from the receipt, which is all that whoever sent a form has, through every function."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from waiting import eventually


def trace(root, one):
    program = root / "infra" / "local" / "trace.py"
    return subprocess.run(
        [sys.executable, str(program), "--hours", "1", one], env=os.environ, capture_output=True, text=True, check=False
    )


def test_a_receipt_leads_through_all_functions(root, scene, canaries, submission):
    receipt = scene.api.captured(scene.slug, submission)["receiptId"]
    scene.pipeline.wait_until_quiet()

    def said():
        done = trace(root, receipt)
        assert done.returncode == 0, done.stderr
        lines = [line.split(" ", 2) for line in done.stdout.splitlines()]
        functions = {function.removesuffix(":") for _, function, _ in lines}
        assert functions >= {"PublicCapture", "EventRelay", "PipelineEntry", "DealWon", "Messenger"}
        return lines

    # A log line takes a moment to where it can be read.
    lines = eventually(said, 30, "every function has said something")
    assert [moment for moment, *_ in lines] == sorted(moment for moment, *_ in lines)
    referrals = {fields["referral.id"] for *_, text in lines if "referral.id" in (fields := json.loads(text))}
    (referral,) = referrals
    assert trace(root, referral).stdout.count("entering the pipeline") == 1
    for text in (text for *_, text in lines):
        assert not canaries.found_in(text)


def test_nobodys_receipt_leads_nowhere(root):
    done = trace(root, "rcpt_01ARZ3NDEKTSV4RRFFQ69G5FAV")
    assert (done.returncode, done.stdout) == (1, "")
    assert "names rcpt_01ARZ3NDEKTSV4RRFFQ69G5FAV" in done.stderr
