"""Who may do what: each role at each operation, on their own, another agent's, nobody's, another organization's."""

from __future__ import annotations

import csv
import io
import itertools
import json
import uuid

import pytest
from api import problem
from office import ADMIN, ANN, BEN, OWNER, ROLES, Office

LIST = "/api/reputation/referrals"
UNKNOWN = "ref_01ARZ3NDEKTSV4RRFFQ69G5FAV"
NOBODY = "person_01ARZ3NDEKTSV4RRFFQ69G5FAV"
STRANGER = "stranger"
# Untouched referrals that the tests below use up, of each agent.
STOCK = 61
CONSENT = {"channel": "EMAIL", "granted": True, "consentTextId": "form-v1", "evidence": "Said so on the phone."}

POLICY_PATH = "/api/reputation/reward-policy"
# Every reward waits for somebody.
POLICY = {"rewardType": "gift_card", "rewardValue": 5000, "currency": "USD", "complianceGate": "HOLD"}

FORBIDDEN, NOT_FOUND = (403, "forbidden", {}), (404, "not_found", {})


@pytest.fixture(scope="module")
def office(stack, issuer, canaries, tmp_path_factory):
    return Office(stack, issuer, canaries, tmp_path_factory.mktemp("office"))


class Desk:
    """The office at work: what its members and a stranger ask of the API."""

    def __init__(self, api, office, stranger, canaries):
        self._api = api
        self._canaries = canaries
        self.office = office
        self.tokens = office.tokens | {STRANGER: stranger}
        self._stock = {agent: [self._logged(agent) for _ in range(STOCK)] for agent in (ANN, BEN)}

    def ask(self, who, method, path, body=None):
        headers = {"Authorization": f"Bearer {self.tokens[who]}"}
        if body is None:
            return self._api.raw(method, path, headers=headers)
        return self._api.raw(method, path, json.dumps(body).encode(), headers | {"Content-Type": "application/json"})

    def ask_raw(self, *request):
        return self._api.raw(*request)

    def entry(self, agent):
        return {
            "referrerPersonId": self.office.people[None],
            "agentUserId": agent,
            "channel": "MANUAL",
            "referredName": self._canaries.person().name,
        }

    def referral(self, agent, *steps):
        """One of that agent that nobody has touched, after these steps of the owner. Its id."""
        referral = self._stock[agent].pop()
        for step, body in steps:
            sent = body() if callable(body) else body
            answer = self.ask(OWNER, "POST", f"{LIST}/{referral}/{step}", sent)
            assert answer.status == 200, answer.body
        return referral

    def _logged(self, agent):
        answer = self.ask(OWNER, "POST", LIST, self.entry(agent))
        assert answer.status == 201, answer.body
        return json.loads(answer.body)["id"]

    def seen(self, path):
        """What the owner sees there, but for what the system does by itself meanwhile."""
        answer = self.ask(OWNER, "GET", path)
        body = json.loads(answer.body)
        if "history" in body:
            body["history"] = [entry for entry in body["history"] if entry["action"] != "MESSAGE_CHANGED"]
        return answer.status, body


@pytest.fixture(scope="module")
def desk(api, office, stack, canaries, pipeline):
    desk = Desk(api, office, stack["OTHER_TOKEN"], canaries)
    answer = desk.ask(OWNER, "PUT", POLICY_PATH, POLICY)
    assert answer.status == 200, answer.body
    # The leads enter the pipeline by themselves. From then on, nothing changes but by the tests.
    pipeline.wait_until_quiet()
    return desk


def deal():
    return {"resultingDealId": f"deal_{uuid.uuid4().hex[:12]}"}


# --- one referral ----------------------------------------------------------------------------------------------------

LOST = ("lose", {"lostReason": "Went with a friend."})
WON = ("convert", deal)
RELEASED = ("reward/release", {"reason": "Looked at it."})
# Name: steps before, method, path behind the id, body, status when it is allowed.
ON_A_REFERRAL = {
    "show": ((), "GET", "", None, 200),
    "patch": ((), "PATCH", "", {"notes": "Called back."}, 200),
    "delete": ((), "DELETE", "", None, 204),
    "contact": ((), "POST", "/contact", {}, 200),
    "contact, no body": ((), "POST", "/contact", None, 200),
    "qualify": ((), "POST", "/qualify", {}, 200),
    "reopen": ((LOST,), "POST", "/reopen", {}, 200),
    "lose": ((), "POST", *(f"/{LOST[0]}", LOST[1]), 200),
    "convert": ((), "POST", "/convert", deal, 200),
    "history": ((), "GET", "/history", None, 200),
    "release": ((WON,), "POST", *(f"/{RELEASED[0]}", RELEASED[1]), 200),
    "cancel": ((WON,), "POST", "/reward/cancel", {"reason": "Not wanted."}, 200),
    "mark sent": ((WON, RELEASED), "POST", "/reward/mark-sent", {}, 200),
}


def expected(operation, who, agent):
    """None: it is allowed."""
    if who == STRANGER:
        return NOT_FOUND
    if ROLES[who] != "MEMBER":
        return None
    if who != agent:
        return NOT_FOUND
    return FORBIDDEN if operation == "delete" else None


@pytest.mark.parametrize("agent", [ANN, BEN])
@pytest.mark.parametrize("who", [OWNER, ADMIN, ANN, STRANGER])
@pytest.mark.parametrize("operation", ON_A_REFERRAL)
def test_a_referral(desk, operation, who, agent):
    steps, method, behind, body, allowed = ON_A_REFERRAL[operation]
    referral = desk.referral(agent, *steps)
    body = body() if callable(body) else body
    before = desk.seen(f"{LIST}/{referral}"), desk.seen(f"{LIST}/{referral}/history")
    answer = desk.ask(who, method, f"{LIST}/{referral}{behind}", body)
    refusal = expected(operation, who, agent)
    if refusal is None:
        assert answer.status == allowed, answer.body
        return
    assert problem(answer) == refusal
    assert (desk.seen(f"{LIST}/{referral}"), desk.seen(f"{LIST}/{referral}/history")) == before
    if refusal == NOT_FOUND:
        unknown = desk.ask(who, method, f"{LIST}/{UNKNOWN}{behind}", body)
        assert answer.comparable == unknown.comparable


@pytest.mark.parametrize("who", [OWNER, ADMIN, ANN, STRANGER])
@pytest.mark.parametrize("operation", ON_A_REFERRAL)
def test_a_referral_that_there_is_not(desk, operation, who):
    _, method, behind, body, _ = ON_A_REFERRAL[operation]
    body = body() if callable(body) else body
    answers = [
        desk.ask(who, method, f"{LIST}/{name}{behind}", body) for name in (UNKNOWN, "person_111", "no-id", "%20")
    ]
    assert problem(answers[0]) == NOT_FOUND
    assert {answer.body for answer in answers} == {answers[0].body}


@pytest.mark.parametrize("who", [OWNER, ADMIN, ANN, STRANGER])
def test_what_was_converted_is_not_deleted(desk, who):
    referral = desk.referral(ANN, ("convert", deal()))
    before = desk.seen(f"{LIST}/{referral}")
    refusals = {ANN: FORBIDDEN, STRANGER: NOT_FOUND}
    answer = desk.ask(who, "DELETE", f"{LIST}/{referral}")
    assert problem(answer) == refusals.get(who, (409, "referral_converted", {}))
    assert desk.seen(f"{LIST}/{referral}") == before


@pytest.mark.parametrize("who", [OWNER, ADMIN, ANN, BEN])
def test_members_read_the_policy_and_owners_and_admins_set_it(desk, who):
    before = desk.seen(POLICY_PATH)
    assert desk.ask(who, "GET", POLICY_PATH).status == 200
    answer = desk.ask(who, "PUT", POLICY_PATH, POLICY)
    if ROLES[who] == "MEMBER":
        assert problem(answer) == FORBIDDEN
    else:
        assert answer.status == 200, answer.body
    assert desk.seen(POLICY_PATH) == before, "it says what it said"


@pytest.mark.parametrize("who", [OWNER, ADMIN, ANN, STRANGER])
def test_the_queue(api, desk, who):
    won = {agent: desk.referral(agent, WON) for agent in (ANN, BEN)}
    rows = {row["id"] for row in api.rewards(desk.tokens[who], lane="held")}
    visible_of = {OWNER: {ANN, BEN}, ADMIN: {ANN, BEN}, ANN: {ANN}, STRANGER: set()}[who]
    assert rows & set(won.values()) == {won[agent] for agent in visible_of}


# --- the ledger ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("agent", [OWNER, ADMIN, ANN, BEN])
@pytest.mark.parametrize("who", [OWNER, ADMIN, ANN])
def test_logging(desk, who, agent):
    entry = desk.entry(agent)
    answer = desk.ask(who, "POST", LIST, entry)
    if ROLES[who] != "MEMBER" or who == agent:
        assert answer.status == 201, answer.body
        assert json.loads(answer.body)["agentUserId"] == agent
    else:
        assert problem(answer) == FORBIDDEN
        assert entry["referredName"] not in json.dumps(desk.seen(f"{LIST}?limit=100"))


@pytest.fixture(scope="module")
def names(desk):
    """Of one referral for each agent, by agent."""
    entries = {agent: desk.entry(agent) for agent in ROLES}
    for entry in entries.values():
        assert desk.ask(OWNER, "POST", LIST, entry).status == 201
    return {agent: entry["referredName"] for agent, entry in entries.items()}


def visible(who, names):
    own = {names[who]} if who in names else set()
    return set(names.values()) if ROLES.get(who) in ("OWNER", "ADMIN") else own


@pytest.mark.parametrize("who", [OWNER, ADMIN, ANN, BEN, STRANGER])
def test_the_list(api, desk, names, who):
    rows = api.referrals(desk.tokens[who])
    assert {row["referredName"] for row in rows} & set(names.values()) == visible(who, names)
    if ROLES.get(who) == "MEMBER":
        assert {row["agentUserId"] for row in rows} == {who}


@pytest.mark.parametrize("who", [OWNER, ADMIN, ANN, BEN, STRANGER])
def test_the_export(desk, names, who):
    answer = desk.ask(who, "GET", f"{LIST}.csv")
    assert answer.status == 200
    rows = list(csv.DictReader(io.StringIO(answer.body.decode("utf-8-sig"), newline="")))
    assert {row["referredName"] for row in rows} & set(names.values()) == visible(who, names)
    if ROLES.get(who) == "MEMBER":
        assert {row["agentUserId"] for row in rows} == {who}


# --- imports ---------------------------------------------------------------------------------------------------------

IMPORTS = "/api/reputation/imports"
NO_IMPORT = "imp_01ARZ3NDEKTSV4RRFFQ69G5FAV"


def upload(desk, who):
    """One row, which fails: who may send a file does not hang on what is in it."""
    headers = {"Authorization": f"Bearer {desk.tokens[who]}", "Content-Type": "application/jsonl"}
    return desk.ask_raw("POST", IMPORTS, json.dumps({"sourceSystem": "crm", "externalId": "0"}).encode(), headers)


@pytest.fixture(scope="module")
def imports(desk):
    """One of this organization, one of another."""
    answers = [upload(desk, who) for who in (OWNER, STRANGER)]
    assert [answer.status for answer in answers] == [202, 202]
    return [json.loads(answer.body)["id"] for answer in answers]


@pytest.mark.parametrize("who", [OWNER, ADMIN, ANN, BEN])
def test_owners_and_admins_import(desk, who):
    answer = upload(desk, who)
    if ROLES[who] == "MEMBER":
        assert problem(answer) == FORBIDDEN
    else:
        assert answer.status == 202, answer.body


@pytest.mark.parametrize("behind", ["", "/rows"])
@pytest.mark.parametrize("who", [OWNER, ADMIN, ANN, STRANGER])
def test_an_import(desk, imports, who, behind):
    own, strangers = imports
    answers = {
        name: desk.ask(who, "GET", f"{IMPORTS}/{name}{behind}") for name in (own, strangers, NO_IMPORT, "no-id", "%20")
    }
    refusals = {name: problem(answer) for name, answer in answers.items() if answer.status != 200}
    if ROLES.get(who) == "MEMBER":
        assert refusals == dict.fromkeys(answers, FORBIDDEN)
        return
    visible = strangers if who == STRANGER else own
    assert refusals == {name: NOT_FOUND for name in answers if name != visible}


# --- people ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", [OWNER, ADMIN, ANN, BEN])
def test_all_members_read_all_people(api, desk, who):
    assert {person["id"] for person in api.people(desk.tokens[who])} >= set(desk.office.people.values())
    for person in desk.office.people.values():
        assert desk.ask(who, "GET", f"/api/people/{person}").status == 200


ON_A_PERSON = {
    "patch": ("PATCH", "", lambda: {"name": f"Robin {uuid.uuid4().hex[:12]}"}),
    "consent": ("PUT", "/consent", lambda: CONSENT),
}


@pytest.mark.parametrize("whose", [OWNER, ADMIN, ANN, BEN, None])
@pytest.mark.parametrize("who", [OWNER, ADMIN, ANN, STRANGER])
@pytest.mark.parametrize("operation", ON_A_PERSON)
def test_a_person(desk, operation, who, whose):
    method, behind, body = ON_A_PERSON[operation]
    path = f"/api/people/{desk.office.people[whose]}"
    before = desk.seen(path)
    answer = desk.ask(who, method, path + behind, body())
    if who != STRANGER and (ROLES[who] != "MEMBER" or whose in (who, None)):
        assert answer.status == 200, answer.body
        return
    assert problem(answer) == (NOT_FOUND if who == STRANGER else FORBIDDEN)
    assert desk.seen(path) == before


@pytest.mark.parametrize("who", [OWNER, ADMIN, ANN, STRANGER])
@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_what_is_kept_of_a_person(desk, method, who):
    # Of Ann's own referral: it goes beyond what one agent sees all the same.
    entry = {name: value for name, value in desk.entry(ANN).items() if name != "referrerPersonId"}
    answer = desk.ask(OWNER, "POST", LIST, entry | {"referrer": {"name": "Una Oak"}})
    person = f"/api/people/{json.loads(answer.body)['referrerPersonId']}"
    answer = desk.ask(who, method, f"{person}/data")
    if who in (OWNER, ADMIN):
        assert answer.status == 200, answer.body
    else:
        assert problem(answer) == (NOT_FOUND if who == STRANGER else FORBIDDEN)
    is_gone = method == "DELETE" and answer.status == 200
    assert desk.seen(person)[1]["name"] == ("Erased person" if is_gone else "Una Oak")


@pytest.mark.parametrize("who", [OWNER, ADMIN, ANN, STRANGER])
def test_a_person_that_there_is_not(desk, who):
    data = [(method, "/data", lambda: None) for method in ("GET", "DELETE")]
    asked = [("GET", "", lambda: None), *data, *ON_A_PERSON.values()]
    for (method, behind, body), person in itertools.product(asked, (NOBODY, "no-id")):
        assert problem(desk.ask(who, method, f"/api/people/{person}{behind}", body())) == NOT_FOUND
    assert problem(desk.ask(STRANGER, "GET", f"/api/people/{desk.office.people[None]}")) == NOT_FOUND


# --- profiles --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", [OWNER, ADMIN, ANN, BEN])
def test_everybody_has_their_own_profile(desk, who):
    path = "/api/reputation/profile"
    others = {other: desk.ask(other, "GET", path).body for other in ROLES if other != who}
    answer = desk.ask(who, "GET", path)
    assert answer.status == 200
    assert json.loads(answer.body)["slug"] == desk.office.slugs[who]
    name = f"Agent {uuid.uuid4().hex[:12]}"
    profile = {"slug": desk.office.slugs[who], "displayName": name, "brokerage": "Tests", "published": True}
    changed = desk.ask(who, "PUT", path, profile)
    assert changed.status == 200, changed.body
    assert json.loads(desk.ask(who, "GET", path).body)["displayName"] == name
    assert {other: desk.ask(other, "GET", path).body for other in others} == others
