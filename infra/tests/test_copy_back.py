"""What a restored table brings back into the ledger, on a real engine."""

from __future__ import annotations

import contextlib
import secrets

import copy_back
import pytest
from cloud import client
from office import ANN, OWNER, Office

ORG = "ORG#org_winnerr_demo"


def row(pk, sk, /, **texts):
    return {name: {"S": text} for name, text in {"pk": f"{ORG}#{pk}", "sk": sk, **texts}.items()}


def person(who, **texts):
    return row(f"PERSON#person_{who}", "PERSON", id=f"person_{who}", **texts)


def address(name):
    return row(f"CONTACT#EMAIL#{name}@example.com", "CONTACT", personId=f"person_{name}")


@pytest.fixture
def tables(stack):
    """Two tables, with what each has at first."""
    dynamodb = client(stack, "dynamodb")
    then = [
        row("IDEMPOTENCY#1", "IDEMPOTENCY", answer="Ada"),
        row("IMPORT#1", "CHUNK#0001", rows="Ada"),
        person("ada", name="Ada"),
        address("ada"),
        person("bob", name="Bob"),
        address("bob"),
        person("cy", name="Cy"),
    ]
    now = [person("ada", name="Erased person", erasedAt="2026-11-20T00:00:00.000Z"), person("cy", name="Cyrus")]
    with contextlib.ExitStack() as stack_of_tables:
        for table, items in (("copy-back-then", then), ("copy-back-now", now)):
            dynamodb.create_table(
                TableName=table,
                BillingMode="PAY_PER_REQUEST",
                AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
                KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            )
            stack_of_tables.callback(dynamodb.delete_table, TableName=table)
            for item in items:
                dynamodb.put_item(TableName=table, Item=item)
        yield dynamodb


def copied(dynamodb, *, overwrite):
    erased = copy_back.find_erased(dynamodb, "copy-back-now")
    assert erased == {"person_ada"}
    counts = copy_back.copy(dynamodb, "copy-back-then", "copy-back-now", overwrite=overwrite, erased=erased)
    rows = dynamodb.scan(TableName="copy-back-now", ConsistentRead=True)["Items"]
    return counts, {(item["pk"]["S"].removeprefix(f"{ORG}#"), item.get("name", {}).get("S")) for item in rows}


def test_what_was_lost_comes_back_and_nobody_who_was_erased(tables):
    counts, rows = copied(tables, overwrite=False)
    assert counts == (2, 5)
    assert rows == {
        ("PERSON#person_ada", "Erased person"),
        ("PERSON#person_bob", "Bob"),
        ("CONTACT#EMAIL#bob@example.com", None),
        ("PERSON#person_cy", "Cyrus"),
    }


def test_what_is_overwritten_is_as_it_was(tables):
    counts, rows = copied(tables, overwrite=True)
    assert counts == (5, 2)
    assert {("PERSON#person_ada", "Ada"), ("CONTACT#EMAIL#ada@example.com", None), ("PERSON#person_cy", "Cy")} <= rows


def test_who_is_erased_while_it_is_copied_is_not_found_either(tables):
    copied(tables, overwrite=False)
    hull = person("bob", name="Erased person", erasedAt="2026-11-20T00:00:01.000Z")
    tables.put_item(TableName="copy-back-now", Item=hull)
    copy_back.take_addresses_back(tables, "copy-back-then", "copy-back-now", {"person_bob"})
    left = tables.scan(TableName="copy-back-now", ConsistentRead=True)["Items"]
    assert not [item for item in left if item["sk"]["S"] == "CONTACT"]


@pytest.fixture
def office(stack, issuer, canaries, tmp_path):
    return Office(stack, issuer, canaries, tmp_path)


def test_the_ledger_names_its_rows_as_copying_knows_them(stack, api, pipeline, canaries, office):
    """The rows above are this module's own."""
    token, friend = office.tokens[OWNER], canaries.person()
    entry = {
        "referrer": {"name": friend.name, "email": friend.email, "phone": canaries.phone()},
        "agentUserId": ANN,
        "referredName": canaries.person().name,
    }
    named = {"Idempotency-Key": secrets.token_hex(8)}
    answer = api.request("POST", "/api/reputation/referrals", token, json=entry, headers=named)
    assert answer.status_code == 201, answer.text
    her = answer.json()["referrerPersonId"]
    rows = pipeline.ledger_rows("pk", f"ORG#{office.id}#")
    assert len([row for row in rows if copy_back.is_address_of(row, {her})]) == 2, "address and number"
    for prefix in ("IDEMPOTENCY", "ANSWER#"):
        assert prefix in copy_back.EXPIRING
        assert [row for row in rows if row["sk"]["S"].startswith(prefix) and "expiresAt" in row], prefix
    answer = api.request("DELETE", f"/api/people/{her}/data", token)
    assert answer.status_code == 200, answer.text
    assert her in copy_back.find_erased(client(stack, "dynamodb"), stack["TABLE_NAME"])
    rows = pipeline.ledger_rows("pk", f"ORG#{office.id}#")
    assert not [row for row in rows if copy_back.is_address_of(row, {her})]
