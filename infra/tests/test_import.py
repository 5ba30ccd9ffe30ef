"""Files of referrals on the deployed template: history that counts, and that nobody is told of."""

from __future__ import annotations

import csv
import json
import uuid

import pytest
from imports import IMPORTS, Desk, table
from inbox import Inbox
from office import ADMIN, ANN, BEN, OWNER, Office
from rewards import REFERRALS, Rewards

HEADER = "sourceSystem,externalId,referrerName,referrerEmail,referredName,agentUserId,receivedAt"
ROW = f"crm,{{}},Pat Import,pat.import@example.com,Sam Import,{ANN},2026-03-02"
CHUNK_READY = "IMPORT_CHUNK_READY"
# When New York's clocks went forward.
SUMMER = "2026-03-08"


@pytest.fixture(scope="module")
def desk(stack, api, issuer, canaries, tmp_path_factory):
    """Makes organizations of this module's own."""

    def make(*, notify=False):
        office = Office(stack, issuer, canaries, tmp_path_factory.mktemp("imports"), notify=notify)
        return Desk(api, office, canaries)

    return make


@pytest.fixture(scope="module")
def imported(desk, root, pipeline):
    """A desk with the sample imported, tried dry before; what it said, and what was there in between."""
    own = desk(notify=True)
    text = own.sample(root / "events" / "import" / "referrals.csv")
    before = own.api.people(own.owner)
    dry = own.imported(text, query="?dryRun=true")
    own.dry, own.dry_rows = dry, own.report(dry)
    assert (own.referrals(), own.api.people(own.owner)) == ([], before)
    own.text, own.people = text, before
    own.view = own.imported(text)
    own.rows = own.report(own.view)
    pipeline.wait_until_quiet()
    own.ledger = own.referrals()
    return own


def counts(total, created=0, unchanged=0, failed=0):
    assert created + unchanged + failed == total
    return {"total": total, "done": total, "created": created, "unchanged": unchanged, "failed": failed}


def moment(text):
    """A time of the file as the API writes it. The organization is in New York."""
    if len(text) == len(SUMMER):
        return f"{text}T{'04' if text > SUMMER else '05'}:00:00.000Z"
    known = {
        "2026-02-19T15:09:26Z": "2026-02-19T15:09:26.000Z",
        "2026-03-31T23:30:00-04:00": "2026-04-01T03:30:00.000Z",
        "2026-04-20T16:30:00Z": "2026-04-20T16:30:00.000Z",
        "2026-05-15T09:00:00-04:00": "2026-05-15T13:00:00.000Z",
    }
    return known[text]


def test_an_import_says_what_it_did(imported):
    rows = table(imported.text)
    assert len(rows) == 12
    assert imported.view["rows"] == counts(12, created=12)
    assert {name: imported.view[name] for name in ("status", "format", "dryRun", "createdBy")} == {
        "status": "COMPLETED",
        "format": "CSV",
        "dryRun": False,
        "createdBy": OWNER,
    }
    assert [(row["line"], row["outcome"], row["errors"]) for row in imported.rows] == [
        (line, "CREATED", []) for line in rows
    ]
    assert {row["referralId"] for row in imported.rows} == {row["id"] for row in imported.ledger}


def test_a_dry_run_said_the_same_and_wrote_nothing(imported):
    assert (imported.dry["dryRun"], imported.dry["rows"]) == (True, imported.view["rows"])
    assert [(row["line"], row["outcome"], row["referralId"]) for row in imported.dry_rows] == [
        (row["line"], "CREATED", None) for row in imported.rows
    ]


def test_the_referrals_are_those_of_the_file(imported):
    found = {row["externalId"]: row for row in imported.ledger}
    agents = {imported.office.members[user].email: user for user in (ANN, BEN)}
    for row in table(imported.text).values():
        referral = found.pop(row["externalId"])
        told = {
            "channel": "IMPORT",
            "sourceSystem": row["sourceSystem"],
            "originalChannel": row["channel"] or None,
            "status": row["status"],
            "referredName": row["referredName"],
            "agentUserId": row["agentUserId"] or agents[row["agentEmail"]],
            "createdAt": moment(row["receivedAt"]),
            "lostReason": row["lostReason"] or None,
            "resultingDealId": row["dealId"] or None,
            "reversed": row["reversed"] == "true",
            "rewardType": row["rewardType"] or "none",
            "rewardStatus": row["rewardStatus"] or "NONE",
            "rewardValue": int(row["rewardValue"]) if row["rewardValue"] else None,
            "notes": row["notes"].removeprefix("'").strip() or None,
        }
        assert {name: referral[name] for name in told} == told
        if row["status"] == "CONVERTED":
            conversion = referral["conversion"]
            assert conversion["convertedAt"] == moment(row["convertedAt"] or row["receivedAt"])
            assert str(conversion["salePriceMinor"] or "") == row["salePriceMinor"]
            assert str(conversion["grossCommissionMinor"] or "") == row["grossCommissionMinor"]
        if row["rewardSentAt"]:
            assert referral["rewardSentAt"] == moment(row["rewardSentAt"])
    assert found == {}


def test_it_counts_for_the_advocates_and_nobody_else_came(imported):
    people = [person for person in imported.api.people(imported.owner) if person not in imported.people]
    told = {person["name"]: person["totalReferrals"] for person in people}
    names = [row["referrerName"] for row in table(imported.text).values()]
    assert told == {name: names.count(name) for name in names}
    for person in people:
        assert person["relationshipStage"] == "ADVOCATE"
        assert not (person["emailMarketingConsent"] or person["smsMarketingConsent"])


def test_it_is_counted_in_the_month_of_the_organization(imported):
    report = imported.attribution("from=2026-01&to=2026-12&groupBy=month&channel=IMPORT")
    told = {row["month"]: row["referrals"] for row in report["rows"]}
    assert told == {
        f"2026-0{month}": count for month, count in zip((2, 3, 4, 5, 6, 8, 9), (2, 2, 2, 2, 2, 1, 1), strict=True)
    }
    totals = report["totals"]
    assert {name: totals[name] for name in ("referrals", "converted", "lost", "qualified", "contacted", "open")} == {
        "referrals": 12,
        "converted": 5,
        "lost": 2,
        "qualified": 2,
        "contacted": 2,
        "open": 5,
    }
    assert (totals["dealsWon"], totals["reversed"], totals["conversionRate"]) == (5, 1, 0.4167)
    assert totals["salesVolume"] == [
        {"currency": "CAD", "amountMinor": 71_250_000},
        {"currency": "EUR", "amountMinor": 38_900_000},
        {"currency": "USD", "amountMinor": 216_400_000},
    ]
    assert totals["rewardsPending"] == [{"currency": "CAD", "amountMinor": 44_531}]
    assert totals["rewardsSent"] == [
        {"currency": "EUR", "amountMinor": 7_500},
        {"currency": "USD", "amountMinor": 20_000},
    ]


def test_nobody_is_told(imported, tap, stack):
    organization = imported.office.id
    details = [message["detail"] for message in tap.heard() if message["detail-type"] == CHUNK_READY]
    ours = [detail for detail in details if detail["metadata"]["organizationId"] == organization]
    assert sorted(detail["data"]["importId"] for detail in ours) == sorted(
        view["id"] for view in (imported.dry, imported.view)
    )
    assert all(detail["data"].keys() == {"importId", "chunk"} for detail in ours)
    others = [message for message in tap.heard() if message["detail-type"] != CHUNK_READY]
    assert not [
        message for message in others if message["detail"].get("metadata", {}).get("organizationId") == organization
    ]
    inbox = Inbox(stack)
    rows = table(imported.text).values()
    addresses = {row[name] for row in rows for name in ("referrerEmail", "referredEmail")} - {""}
    addresses |= {member.email for member in imported.office.members.values()}
    assert [mail for address in addresses for mail in inbox.mails(address)] == []
    for row in imported.ledger:
        (entry,) = imported.api.get(f"{REFERRALS}/{row['id']}/history", imported.owner)["history"]
        assert (entry["action"], entry["actor"]) == ("IMPORTED", OWNER)


def test_a_file_that_comes_again_changes_nothing(imported):
    people = imported.api.people(imported.owner)
    again = imported.imported(imported.text)
    assert again["rows"] == counts(12, unchanged=12)
    assert [(row["line"], row["referralId"]) for row in imported.report(again)] == [
        (row["line"], row["referralId"]) for row in imported.rows
    ]
    # Not even a version moved.
    assert (imported.referrals(), imported.api.people(imported.owner)) == (imported.ledger, people)


def test_what_is_wrong_with_rows_is_told_row_by_row(desk, root):
    own = desk()
    expected = json.loads((root / "events" / "import" / "errors.report.json").read_text())["rows"]
    view = own.imported(own.sample(root / "events" / "import" / "errors.csv"))
    created = [row for row in expected if row["outcome"] == "CREATED"]
    assert view["rows"] == counts(len(expected), created=len(created), failed=len(expected) - len(created))
    # A few at a time: the cursor leads through all of them.
    report = own.report(view, limit=20)
    assert [(row["line"], row["outcome"], told(row)) for row in report] == [
        (row["line"], row["outcome"], told(row)) for row in expected
    ]
    assert own.report(view, outcome="FAILED") == [row for row in report if row["outcome"] == "FAILED"]
    assert sorted(row["id"] for row in own.referrals()) == sorted(
        row["referralId"] for row in report if row["referralId"]
    )
    assert len(own.referrals()) == len(created)


def told(row):
    return [(error.get("column"), error["code"]) for error in row["errors"]]


def test_json_lines_are_imported_too(desk, root):
    own = desk()
    lines = own.sample(root / "events" / "import" / "referrals.jsonl")
    row = json.loads(lines.splitlines()[0])
    wrong = [
        "{",
        json.dumps(row | {"externalId": "J-2", "notes": ["a list"]}),
        json.dumps(row | {"externalId": "J-3", "nickname": "x"}),
        json.dumps(row | {"externalId": "J-4", "referrerEmailConsent": True}),
    ]
    view = own.imported(f"{lines}\n" + "\n".join(wrong), kind="application/x-ndjson")
    assert (view["format"], view["rows"]) == ("JSON_LINES", counts(7, created=3, failed=4))
    assert [(row["line"], told(row)) for row in own.report(view, outcome="FAILED")] == [
        (5, [(None, "malformed_json")]),
        (6, [("notes", "not_text")]),
        (7, [(None, "unknown_column")]),
        (8, [(None, "consent_not_importable")]),
    ]
    assert sorted(row["externalId"] for row in own.referrals()) == ["3003", "J-3001", "J-3002"]


def rows(count):
    return "\n".join([HEADER, *(ROW.format(number) for number in range(count))])


FILES = {
    "not UTF-8": (f"{HEADER}\n{ROW}\n".encode() + b"caf\xe9", "/lines/3", "not_utf8"),
    "5,001 rows": (rows(5_001), "/lines/5002", "too_many_rows"),
    "a column nobody knows": (f"{HEADER},nickname\n{ROW},x", "/lines/1", "unknown_column"),
    "consent": (f"{HEADER},referrerEmailConsent\n{ROW},true", "/lines/1", "consent_not_importable"),
    "a column twice": (f"{HEADER},externalId\n{ROW},2", "/columns/externalId", "repeated_column"),
    "no receivedAt": (rows(1).replace(",receivedAt", "").replace(",2026-03-02", ""), "/columns/receivedAt", "required"),
    "an open quote": (f'{HEADER}\n{ROW}\n"crm,2', "/lines/3", "unbalanced_quotes"),
    "a long row": (f"{HEADER},notes\n{ROW},{'x' * 40_000}", "/lines/2", "row_too_large"),
    "no row": (HEADER, "/lines/2", "no_rows"),
}


def test_a_file_with_a_fault_is_refused_as_a_whole(desk, pipeline):
    own = desk()
    before = len(pipeline.ledger_rows("pk", own.office.id))
    for name, (content, pointer, code) in FILES.items():
        answer = own.upload(content)
        problem = answer.json()
        assert (answer.status_code, problem["code"]) == (422, "invalid_file"), name
        assert problem["errors"] == [{"pointer": pointer, "code": code}], name
    large = own.upload(rows(10).encode() + b"\n" * 3_000_000)
    assert (large.status_code, large.json()["code"]) == (413, "body_too_large")
    for kind in ("application/json", "text/plain", "application/vnd.ms-excel"):
        answer = own.upload(rows(1), kind=kind)
        assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")
        assert "text/csv" in answer.headers["accept-post"]
    assert own.upload(rows(1), query="?dryRun=maybe").status_code == 400
    pipeline.wait_until_quiet()
    assert len(pipeline.ledger_rows("pk", own.office.id)) == before


def test_members_and_strangers_see_no_imports(imported, stack):
    tokens = imported.office.tokens
    refused = imported.upload(rows(1), token=tokens[ANN])
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    path = f"{IMPORTS}/{imported.view['id']}"
    assert imported.api.get(path, tokens[ADMIN]) == imported.view
    for place in (path, f"{path}/rows"):
        assert imported.api.request("GET", place, tokens[ANN]).status_code == 403
        assert imported.api.request("GET", place, stack["OTHER_TOKEN"]).status_code == 404


def test_an_upload_under_one_name_is_one_import(desk, canaries):
    own = desk()
    text = rows(3).replace("Import", canaries.word)
    name = {"Idempotency-Key": f"import-{uuid.uuid4()}"}
    first, second = (own.upload(text, **name) for _ in range(2))
    assert (first.status_code, first.content) == (202, second.content)
    reused = own.upload(text + "\n", **name)
    assert (reused.status_code, reused.json()["code"]) == (422, "idempotency_key_reused")
    assert own.finished(second)["rows"] == counts(3, created=3)
    assert len(own.referrals()) == 3


# --- the command -----------------------------------------------------------------------------------------------------


def test_the_command_imports_in_parts_and_says_what_failed(desk, root, tmp_path):
    own = desk()
    path = tmp_path / "referrals.csv"
    path.write_text(own.sample(root / "events" / "import" / "errors.csv"), encoding="utf-8")
    expected = json.loads((root / "events" / "import" / "errors.report.json").read_text())["rows"]
    lines = [
        f"line {row['line']}: " + ", ".join(" ".join(filter(None, error)) for error in told(row))
        for row in expected
        if row["errors"]
    ]
    code, out, err = own.command("import_file.py", path, "--max-rows", "30")
    assert (code, out[: len(lines)]) == (1, lines)
    created = len(expected) - len(lines)
    assert out[len(lines)] == f"{len(expected)} rows: {created} created, 0 unchanged, {len(lines)} failed"
    assert "part 2 of 2 is uploaded" in err
    code, out, _ = own.command("import_file.py", path)
    assert (code, out[len(lines)]) == (1, f"{len(expected)} rows: 0 created, {created} unchanged, {len(lines)} failed")


def test_the_sample_is_one_of_the_running_stack(root, desk, pipeline):
    own = desk()
    for name in ("referrals.csv", "referrals.jsonl"):
        path = root / "events" / "import" / name
        own.sample(path)
        code, out, err = own.command("import_file.py", path, demo=True)
        assert (code, out[0].rpartition(", ")[2]) == (0, "0 failed"), err
    pipeline.wait_until_quiet()


# --- there and back --------------------------------------------------------------------------------------------------


@pytest.fixture
def grown(imported, stack, api, pipeline, canaries):
    """The office of the sample, in which other things have happened since."""
    rewards = Rewards(stack, api, pipeline, imported.office)
    rewards.policy()
    due, sent, lost = (rewards.referral(canaries.submission(referrerPhone=canaries.phone())) for _ in range(3))
    rewards.won(due)
    rewards.won(sent)
    rewards.mark_sent(sent)
    answer = api.request(
        "POST", f"{REFERRALS}/{lost['id']}/lose", imported.owner, json={"lostReason": canaries.notes()}
    )
    assert answer.status_code == 200, answer.text
    pipeline.wait_until_quiet()
    return imported


def exported(desk, path):
    code, _, err = desk.command("export.py", path)
    assert code == 0, err
    with path.open(newline="", encoding="utf-8") as file:
        return sorted(csv.DictReader(file), key=lambda row: (row["sourceSystem"], row["externalId"]))


def report(desk, grouping):
    """Without the ids and names by which two organizations have to differ."""
    told = desk.attribution(f"from=2026-01&groupBy={grouping}")
    for row in told["rows"]:
        row.pop("advocatePersonId", None)
        row.pop("agentName", None)
    told["rows"].sort(key=json.dumps)
    return told


def test_an_export_imports_to_the_same_referrals_and_the_same_report(grown, desk, tmp_path):
    other = desk()
    there, back = tmp_path / "there.csv", tmp_path / "back.csv"
    rows = exported(grown, there)
    assert len(rows) == 15
    assert {row["sourceSystem"] for row in rows} == {"oakcrm", "winnerr"}
    code, out, err = other.command("import_file.py", there)
    assert (code, out[0]) == (0, "15 rows: 15 created, 0 unchanged, 0 failed"), err
    assert exported(other, back) == rows
    for grouping in ("month", "agent", "advocate"):
        assert report(other, grouping) == report(grown, grouping), grouping
    channels = {row["channel"] for row in other.attribution("from=2026-01&groupBy=channel")["rows"]}
    assert channels == {"IMPORT"}
