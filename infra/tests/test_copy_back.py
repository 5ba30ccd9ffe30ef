"""What a restored table brings back into the ledger, on a real engine."""

from __future__ import annotations

import contextlib
import secrets

import copy_back
import pytest
from cloud import client
from imports import Desk
from office import ANN, OWNER, Office
from rewards import REFERRALS, Rewards

ORG = "ORG#org_winnerr_demo"
THEN, NOW = "copy-back-then", "copy-back-now"
FORM = "form-v1"


def row(pk, sk, /, **texts):
    return {name: {"S": text} for name, text in {"pk": f"{ORG}#{pk}", "sk": sk, **texts}.items()}


def person(who, *, version=1, agreed=True, silent=False, **texts):
    flags = {"emailMarketingConsent": agreed, "smsMarketingConsent": agreed, "doNotContact": silent}
    return {
        **row(f"PERSON#person_{who}", "PERSON", id=f"person_{who}", **texts),
        **{name: {"BOOL": flag} for name, flag in flags.items()},
        "version": {"N": str(version)},
    }


def address(name):
    return row(f"CONTACT#EMAIL#{name}@example.com", "CONTACT", personId=f"person_{name}")


def referral(name):
    """A referral from Bob, with all that goes with it."""
    own = {"referralId": f"ref_{name}"}
    held = {"pk": {"S": "DUE_HOLDS"}, "sk": {"S": f"2026-12-01T00:00:00.000Z#org_winnerr_demo#ref_{name}"}}
    return [
        row(f"REFERRAL#ref_{name}", "REFERRAL", id=f"ref_{name}", referredPersonId="person_cy"),
        history(name, "RECEIVED"),
        row("PERSON#person_bob", f"REFERRED#2026-11-01T00:00:00.000Z#ref_{name}", **own),
        row("PERSON#person_cy", f"LEAD_OF#ref_{name}", **own),
        row(f"PAIR#{name}", "PAIR", **own),
        row(f"ORIGIN#{name}", "ORIGIN", **own),
        row(f"DEAL#deal_{name}", "DEAL", dealId=f"deal_{name}", appliedRevision="1", **own),
        held | {"referralId": {"S": f"ref_{name}"}},
    ]


def history(name, action):
    return row(f"REFERRAL#ref_{name}", f"AUDIT#2026-11-02T00:00:00.000Z#{action}", action=action)


def decision(who, at, decided, channel="EMAIL"):
    sort = f"CONSENT#{channel}#2026-11-{at:02}T00:00:00.000Z#r"
    return row(f"PERSON#person_{who}", sort, channel=channel, decision=decided)


class Tables:
    """A table as it was then, and one as it is now."""

    def __init__(self, stack):
        self.dynamodb = client(stack, "dynamodb")

    def make(self, table):
        self.dynamodb.create_table(
            TableName=table,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        )

    def put(self, table, items):
        for item in items:
            self.dynamodb.put_item(TableName=table, Item=item)

    def take(self, item):
        """What the ledger has lost."""
        self.dynamodb.delete_item(TableName=NOW, Key=copy_back.key_of(item))

    def copied(self, *, overwrite=False, but=()):
        gone = copy_back.find_gone(self.dynamodb, NOW)
        gone.referrals -= set(but)
        return copy_back.copy(self.dynamodb, THEN, NOW, overwrite=overwrite, gone=gone)

    def now(self):
        """Every row by its key, without the organization."""
        items = self.dynamodb.scan(TableName=NOW, ConsistentRead=True)["Items"]
        return {(item["pk"]["S"].split("#", 2)[-1], item["sk"]["S"]): item for item in items}

    def names(self):
        return {(pk, item.get("name", {}).get("S")) for (pk, _), item in self.now().items()}


@pytest.fixture
def empty(stack):
    tables = Tables(stack)
    with contextlib.ExitStack() as cleanup:
        for table in (THEN, NOW):
            tables.make(table)
            cleanup.callback(tables.dynamodb.delete_table, TableName=table)
        yield tables


@pytest.fixture
def tables(empty):
    """With what each has at first."""
    empty.put(
        THEN,
        [
            row("IDEMPOTENCY#1", "IDEMPOTENCY", answer="Ada"),
            row("IMPORT#1", "CHUNK#0001", rows="Ada"),
            person("ada", name="Ada"),
            address("ada"),
            person("bob", name="Bob"),
            address("bob"),
            person("cy", name="Cy"),
        ],
    )
    erased = {"erasedAt": {"S": "2026-11-20T00:00:00.000Z"}}
    empty.put(NOW, [person("ada", name="Erased person") | erased, person("cy", name="Cyrus")])
    assert copy_back.find_gone(empty.dynamodb, NOW) == copy_back.Gone({"person_ada"})
    return empty


def test_what_was_lost_comes_back_and_nobody_who_was_erased(tables):
    assert tables.copied() == (2, 5, [])
    assert tables.names() == {
        ("PERSON#person_ada", "Erased person"),
        ("PERSON#person_bob", "Bob"),
        ("CONTACT#EMAIL#bob@example.com", None),
        ("PERSON#person_cy", "Cyrus"),
    }


def test_what_is_overwritten_is_as_it_was(tables):
    assert tables.copied(overwrite=True) == (5, 2, [])
    names = {("PERSON#person_ada", "Ada"), ("CONTACT#EMAIL#ada@example.com", None), ("PERSON#person_cy", "Cy")}
    assert names <= tables.names()


def test_who_is_erased_while_it_is_copied_is_not_found_either(tables):
    tables.copied()
    hull = person("bob", name="Erased person") | {"erasedAt": {"S": "2026-11-20T00:00:01.000Z"}}
    tables.put(NOW, [hull])
    copy_back.take_back(tables.dynamodb, THEN, NOW, copy_back.Gone({"person_bob"}))
    assert not [sort for _, sort in tables.now() if sort == "CONTACT"]


# What is left of a deleted referral whose rows are as above: its history, and its deal without it.
LEFT = {("REFERRAL#ref_one", "AUDIT#2026-11-02T00:00:00.000Z#RECEIVED"), ("DEAL#deal_one", "DEAL")}


@pytest.mark.parametrize("overwrite", [False, True])
def test_what_was_deleted_since_stays_deleted_with_all_that_goes_with_it(empty, overwrite):
    empty.put(THEN, [*referral("one"), *referral("two")])
    empty.put(NOW, [history("one", "DELETED")])
    copied, left_out, deleted = empty.copied(overwrite=overwrite)
    assert (copied, left_out, deleted) == (10, 6, ["ref_one"])
    rows = empty.now()
    of_one = {key for key in rows if "one" in "".join(key)}
    assert of_one == {*LEFT, ("REFERRAL#ref_one", "AUDIT#2026-11-02T00:00:00.000Z#DELETED")}
    assert rows["DEAL#deal_one", "DEAL"].keys() == {"pk", "sk", "dealId"}
    assert len(rows) - len(of_one) == len(referral("two"))
    assert rows["DEAL#deal_two", "DEAL"]["referralId"] == {"S": "ref_two"}


def test_what_was_deleted_by_mistake_comes_back_when_somebody_says_so(empty):
    empty.put(THEN, referral("one"))
    empty.put(NOW, [history("one", "DELETED")])
    assert empty.copied(but=["ref_one"]) == (8, 0, [])


def test_what_is_deleted_while_it_is_copied_stays_deleted(empty):
    empty.put(THEN, [*referral("one"), *referral("two")])
    empty.copied()
    before = copy_back.find_gone(empty.dynamodb, NOW)
    empty.put(NOW, [history("one", "DELETED")])
    # Somebody else's by now.
    empty.put(NOW, [row("PAIR#one", "PAIR", referralId="ref_three")])
    meanwhile = copy_back.find_gone(empty.dynamodb, NOW) - before
    assert meanwhile == copy_back.Gone(referrals={"ref_one"})
    copy_back.take_back(empty.dynamodb, THEN, NOW, meanwhile)
    rows = empty.now()
    of_one = {key for key in rows if "one" in "".join(key)}
    assert of_one == {*LEFT, ("REFERRAL#ref_one", "AUDIT#2026-11-02T00:00:00.000Z#DELETED"), ("PAIR#one", "PAIR")}
    assert rows["DEAL#deal_one", "DEAL"].keys() == {"pk", "sk", "dealId"}
    assert len(rows) - len(of_one) == len(referral("two"))


def test_who_has_another_address_by_now_is_not_found_by_the_old_one(empty):
    empty.put(
        THEN, [address("ada"), address("bob"), address("cy"), row("CONTACT#PHONE#+1", "CONTACT", personId="person_cy")]
    )
    empty.put(NOW, [person("ada", email="new@example.com"), person("bob", email="bob@example.com"), person("cy")])
    assert empty.copied() == (1, 3, [])
    assert [pk for pk, sort in empty.now() if sort == "CONTACT"] == ["CONTACT#EMAIL#bob@example.com"]


def test_a_referral_that_has_another_lead_by_now_is_not_linked_to_the_former(empty):
    def link(name):
        return row("PERSON#person_cy", f"LEAD_OF#ref_{name}", referralId=f"ref_{name}")

    leads = {"one": {"referredPersonId": "person_di"}, "two": {"referredPersonId": "person_cy"}, "three": {}}
    empty.put(THEN, [link(name) for name in (*leads, "lost")])
    empty.put(NOW, [row(f"REFERRAL#ref_{name}", "REFERRAL", **lead) for name, lead in leads.items()])
    assert empty.copied() == (2, 2, [])
    assert {sort for _, sort in empty.now()} - {"REFERRAL"} == {"LEAD_OF#ref_two", "LEAD_OF#ref_lost"}


def said(item):
    """Mail, SMS, silence."""
    names = ("emailMarketingConsent", "smsMarketingConsent", "doNotContact")
    return tuple(item[name]["BOOL"] for name in names)


def test_nobody_is_made_to_agree_again(empty):
    empty.put(THEN, [person("ada", name="Ada"), person("bob", name="Bob", agreed=False)])
    empty.put(NOW, [person("ada", name="A", version=4, agreed=False, silent=True), person("bob", name="B")])
    assert empty.copied(overwrite=True) == (2, 0, [])
    rows = empty.now()
    ada, bob = (rows[f"PERSON#person_{who}", "PERSON"] for who in ("ada", "bob"))
    assert (ada["name"]["S"], *said(ada)) == ("Ada", False, False, True)
    # Nor does anybody keep a consent that they had not given then.
    assert (bob["name"]["S"], *said(bob)) == ("Bob", False, False, False)


def test_of_who_was_lost_the_decisions_tell(empty):
    empty.put(THEN, [person("ada", name="Ada"), person("bob", name="Bob")])
    empty.put(NOW, [decision("ada", 1, "GRANTED"), decision("ada", 9, "REVOKED"), decision("ada", 1, "GRANTED", "SMS")])
    empty.put(NOW, [decision("bob", 1, "REVOKED"), decision("bob", 2, "GRANTED")])
    assert empty.copied() == (2, 0, [])
    rows = empty.now()
    assert said(rows["PERSON#person_ada", "PERSON"]) == (False, True, False)
    assert said(rows["PERSON#person_bob", "PERSON"]) == (True, True, False)


class Meanwhile:
    """A client under which somebody says no right before they are put back for the first time."""

    def __init__(self, dynamodb, no):
        self._dynamodb, self._no = dynamodb, no

    def __getattr__(self, name):
        return getattr(self._dynamodb, name)

    def put_item(self, **request):
        if self._no:
            self._dynamodb.put_item(TableName=NOW, Item=self._no.pop())
        return self._dynamodb.put_item(**request)


def test_who_says_no_while_they_are_put_back_is_heard(empty):
    empty.put(THEN, [person("ada", name="Ada")])
    empty.put(NOW, [person("ada", name="A", version=4)])
    dynamodb = Meanwhile(empty.dynamodb, [person("ada", name="A", version=5, agreed=False)])
    assert copy_back.copy(dynamodb, THEN, NOW, overwrite=True, gone=copy_back.Gone()) == (1, 0, [])
    ada = empty.now()["PERSON#person_ada", "PERSON"]
    assert (ada["name"]["S"], *said(ada)) == ("Ada", False, False, False)


@pytest.fixture
def office(stack, issuer, canaries, tmp_path):
    return Office(stack, issuer, canaries, tmp_path)


@pytest.fixture
def rewards(stack, api, pipeline, office):
    return Rewards(stack, api, pipeline, office)


def test_the_ledger_names_its_rows_as_copying_knows_them(rewards, empty, canaries):
    """The rows above are this module's own."""
    api, pipeline, office = rewards.api, rewards.pipeline, rewards.office
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
    addresses = [row for row in rows if copy_back.is_address_of(row, {her})]
    assert len(addresses) == 2, "address and number"
    empty.put(THEN, addresses)
    empty.put(NOW, [row for row in rows if row["sk"]["S"] == "PERSON"])
    assert empty.copied() == (2, 0, []), "they are theirs as they stand in the person's row"
    for prefix in ("IDEMPOTENCY", "ANSWER#"):
        assert prefix in copy_back.EXPIRING
        assert [row for row in rows if row["sk"]["S"].startswith(prefix) and "expiresAt" in row], prefix
    answer = api.request("DELETE", f"/api/people/{her}/data", token)
    assert answer.status_code == 200, answer.text
    assert her in copy_back.find_gone(empty.dynamodb, pipeline.ledger_name).people
    rows = pipeline.ledger_rows("pk", f"ORG#{office.id}#")
    assert not [row for row in rows if copy_back.is_address_of(row, {her})]


@pytest.fixture
def desk(api, office, canaries):
    return Desk(api, office, canaries)


@pytest.fixture
def form(canaries):
    return canaries.submission(referrerEmailConsent=True, consentTextId=FORM)


@pytest.mark.parametrize("overwrite", [False, True])
def test_what_the_ledger_forgot_on_purpose_it_does_not_remember(rewards, desk, form, empty, overwrite):
    """As above, of referrals with everything that there can be, and of who agreed to mail with one."""
    api, pipeline, office, owner = rewards.api, rewards.pipeline, rewards.office, desk.owner
    sent = rewards.referral(form)
    linked = {"resultingDealId": f"deal_{secrets.token_hex(6)}"}
    answer = api.request("PATCH", f"{REFERRALS}/{sent['id']}", owner, json=linked)
    assert answer.status_code == 200, answer.text
    desk.imported(
        "sourceSystem,externalId,referrerName,referredName,agentUserId,receivedAt,referrerEmail\n"
        f"crm,1,Pat Import,Sam Import,{ANN},2026-03-02,pat.import@example.com\n"
    )
    (came,) = [found for found in api.referrals(owner) if found["id"] != sent["id"]]
    pipeline.wait_until_quiet()
    then = pipeline.ledger_rows("pk", f"ORG#{office.id}")
    kinds = {item["sk"]["S"].split("#")[0] for item in then if copy_back.is_of_deleted(item, {sent["id"], came["id"]})}
    assert kinds == {"REFERRAL", "REFERRED", "LEAD_OF", "PAIR", "ORIGIN"}
    assert [item for item in then if copy_back.is_deal_of(item, {sent["id"]})]

    for found in (sent, came):
        answer = api.request("DELETE", f"{REFERRALS}/{found['id']}", owner)
        assert answer.status_code == 204, answer.text
    path = f"/api/people/{sent['referrerPersonId']}"
    answer = api.request("PUT", f"{path}/consent", owner, json={"channel": "EMAIL", "granted": False})
    assert answer.status_code == 200, answer.text
    pipeline.wait_until_quiet()
    now = pipeline.ledger_rows("pk", f"ORG#{office.id}")
    empty.put(THEN, then)
    empty.put(NOW, now)
    (her,) = [item for item in now if item.get("id", {}).get("S") == sent["referrerPersonId"]]
    (log,) = [item for item in then if item["sk"]["S"].startswith("CONSENT#")]
    if not overwrite:
        empty.take(her)
    _, _, deleted = empty.copied(overwrite=overwrite)
    assert sorted(deleted) == sorted([sent["id"], came["id"]])
    left = list(empty.now().values())
    for found in (sent, came):
        assert not [item for item in left if copy_back.is_of_deleted(item, {found["id"]})]
        assert not [item for item in left if copy_back.is_deal_of(item, {found["id"]})]
    (back,) = [item for item in left if item.get("id", {}).get("S") == sent["referrerPersonId"]]
    assert (said(back), back["name"]) == ((False, False, False), her["name"])
    assert log in left
