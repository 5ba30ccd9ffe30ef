"""The authenticated API: who may see and do what."""

from __future__ import annotations

import base64
import json
import uuid

import pytest
from cloud import client

import demo

LIST = "/api/reputation/referrals"
UNKNOWN = "ref_01ARZ3NDEKTSV4RRFFQ69G5FAV"


@pytest.fixture(scope="module")
def member(stack):
    """user_789, who sees their own referrals."""
    return stack["MEMBER_TOKEN"]


@pytest.fixture(scope="module")
def stranger(stack):
    """The owner of another organization."""
    return stack["OTHER_TOKEN"]


@pytest.fixture
def entry(canaries):
    return {
        "referrerPersonId": "person_111",
        "agentUserId": "user_789",
        "channel": "MANUAL",
        "referredName": canaries.person().name,
        "notes": canaries.notes(),
    }


@pytest.fixture
def logged(api, owner, entry):
    answer = api.log(owner, entry)
    assert answer.status_code == 201, answer.text
    return answer.json()


def assert_problem(answer, status, code):
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"


def test_the_example_works_to_the_letter_and_again(api, root, owner, canaries):
    event = json.loads((root / "events" / "http" / "log-referral.json").read_text())
    body = json.loads(event["body"])
    canaries.remember(body["referredName"], body["notes"])
    headers = {"Content-Type": "application/json"}
    answers = [api.request("POST", LIST, owner, data=event["body"], headers=headers) for _ in range(2)]
    for answer, flags in zip(answers, [[], ["POSSIBLE_DUPLICATE"]], strict=True):
        assert answer.status_code == 201, answer.text
        row = answer.json()
        assert row["riskFlags"] == flags
        assert {name: row[name] for name in body} == body
        assert (row["status"], row["organizationId"]) == ("RECEIVED", "org_winnerr_demo")
        assert answer.headers["location"] == f"{LIST}/{row['id']}"
        assert answer.headers["etag"] == '"1"'
    assert answers[0].json()["id"] != answers[1].json()["id"]


def test_the_list_of_received_ones(api, owner, logged):
    page = api.get(f"{LIST}?status=RECEIVED", owner)
    assert page.keys() == {"referrals", "nextCursor"}
    assert 0 < len(page["referrals"]) <= 25
    rows = api.referrals(owner, status="RECEIVED")
    assert logged["id"] in [row["id"] for row in rows]
    assert {row["status"] for row in rows} == {"RECEIVED"}
    assert {row["organizationId"] for row in rows} == {"org_winnerr_demo"}
    assert [row["createdAt"] for row in rows] == sorted((row["createdAt"] for row in rows), reverse=True)
    assert api.referrals(owner, status="LOST") == []


def test_pages_join_without_gap_or_repetition(api, owner, logged):
    whole = [row["id"] for row in api.referrals(owner)]
    assert logged["id"] in whole
    by_one, cursor = [], ""
    while cursor is not None:
        page = api.get(f"{LIST}?limit=1{cursor and '&cursor=' + cursor}", owner)
        by_one += [row["id"] for row in page["referrals"]]
        cursor = page["nextCursor"]
    assert by_one == whole


def test_a_logged_referral_becomes_a_lead(api, owner, pipeline, logged):
    pipeline.wait_until_quiet()
    answer = api.request("GET", f"{LIST}/{logged['id']}", owner)
    row = answer.json()
    assert answer.headers["etag"] == f'"{row["version"]}"'
    lead = api.get(f"/api/people/{row['referredPersonId']}", owner)
    assert (lead["name"], lead["pipelineStage"], lead["ownerUserId"]) == (logged["referredName"], "LEAD", "user_789")


def test_the_referrer_is_credited(api, owner, logged):
    credited = [row for row in api.referrals(owner) if row["referrerPersonId"] == "person_111"]
    assert logged["id"] in [row["id"] for row in credited]
    assert api.get("/api/people/person_111", owner)["totalReferrals"] == len(credited)


# --- tokens --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [LIST, f"{LIST}/{UNKNOWN}", "/api/people", "/api/people/person_111", "/api/other"])
@pytest.mark.parametrize("token", [None, "garbage", "a.b.c"])
def test_without_a_good_token_nothing_is_said(api, path, token):
    answer = api.request("GET", path, token)
    assert answer.status_code == 401
    assert "person_111" not in answer.text


def test_without_a_token_nothing_is_logged(api, owner, entry):
    assert api.log(None, entry).status_code == 401
    assert entry["referredName"] not in [row["referredName"] for row in api.referrals(owner)]


def test_an_altered_token_is_refused(api, owner):
    head, claims, signature = owner.split(".")
    altered = json.loads(base64.urlsafe_b64decode(claims + "=="))
    assert altered["role"] == "OWNER"
    altered["organization_id"] = "org_other_demo"
    forged = base64.urlsafe_b64encode(json.dumps(altered).encode()).decode().rstrip("=")
    assert api.request("GET", LIST, f"{head}.{forged}.{signature}").status_code == 401
    unsigned = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').decode().rstrip("=")
    assert api.request("GET", LIST, f"{unsigned}.{forged}.").status_code == 401


class Pool:
    """The stack's user pool."""

    def __init__(self, stack):
        outputs = client(stack, "cloudformation").describe_stacks(StackName=stack["STACK_NAME"])["Stacks"][0]["Outputs"]
        outputs = {entry["OutputKey"]: entry["OutputValue"] for entry in outputs}
        self._cognito = client(stack, "cognito-idp")
        self._pool, self._app = outputs["UserPoolId"], outputs["UserPoolClientId"]

    def sign_in(self, email, password):
        answer = self._cognito.admin_initiate_auth(
            UserPoolId=self._pool,
            ClientId=self._app,
            AuthFlow="ADMIN_USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": email, "PASSWORD": password},
        )
        return answer["AuthenticationResult"]

    def sign_up(self, email, password):
        self._cognito.admin_create_user(UserPoolId=self._pool, Username=email, MessageAction="SUPPRESS")
        self._cognito.admin_set_user_password(UserPoolId=self._pool, Username=email, Password=password, Permanent=True)


@pytest.fixture(scope="module")
def pool(stack):
    return Pool(stack)


def test_an_id_token_is_no_access_token(api, pool):
    login = next(login for login in demo.LOGINS if login.variable == "TOKEN")
    tokens = pool.sign_in(login.email, login.password)
    assert api.request("GET", LIST, tokens["AccessToken"]).status_code == 200
    assert api.request("GET", LIST, tokens["IdToken"]).status_code in (401, 403)


def test_a_login_of_no_member_opens_nothing(api, pool, canaries):
    email, password = canaries.person().email, f"Aa1{uuid.uuid4().hex}"
    pool.sign_up(email, password)
    token = pool.sign_in(email, password)["AccessToken"]
    for path in (LIST, f"{LIST}/{UNKNOWN}", "/api/people", "/api/other"):
        assert_problem(api.request("GET", path, token), 403, "forbidden")


# --- organizations and roles ---------------------------------------------------------------------------------------


def test_another_organization_sees_nothing(api, stranger, pipeline, logged):
    pipeline.wait_until_quiet()
    assert {row["organizationId"] for row in api.referrals(stranger)} <= {"org_other_demo"}
    assert {row["organizationId"] for row in api.people(stranger)} <= {"org_other_demo"}
    unknown = api.request("GET", f"{LIST}/{UNKNOWN}", stranger)
    assert_problem(unknown, 404, "not_found")
    for path in (f"{LIST}/{logged['id']}", f"{LIST}/not-an-id", "/api/people/person_111", "/api/people/person_x"):
        answer = api.request("GET", path, stranger)
        assert (answer.status_code, answer.content) == (404, unknown.content)


def test_another_organization_cannot_refer_to_our_people(api, stranger, entry):
    foreign = api.log(stranger, entry | {"agentUserId": "user_901"})
    assert_problem(foreign, 422, "invalid_fields")
    unknown = api.log(stranger, entry | {"agentUserId": "user_901", "referrerPersonId": "person_nobody"})
    assert foreign.content == unknown.content


def test_a_cursor_is_worth_nothing_to_another_organization(api, owner, stranger, logged):
    cursor = api.get(f"{LIST}?limit=1", owner)["nextCursor"]
    assert cursor and logged
    assert_problem(api.request("GET", f"{LIST}?limit=1&cursor={cursor}", stranger), 400, "invalid_cursor")


def test_a_member_sees_their_own(api, owner, member, entry, logged):
    of_the_owner = api.log(owner, entry | {"agentUserId": "user_456"})
    assert of_the_owner.status_code == 201
    rows = api.referrals(member)
    assert {row["agentUserId"] for row in rows} == {"user_789"}
    assert logged["id"] in [row["id"] for row in rows]
    assert {row["agentUserId"] for row in api.referrals(owner)} >= {"user_789", "user_456"}
    hidden = api.request("GET", of_the_owner.headers["location"], member)
    unknown = api.request("GET", f"{LIST}/{UNKNOWN}", member)
    assert (hidden.status_code, hidden.content) == (404, unknown.content)


def test_a_member_logs_for_nobody_else(api, owner, member, entry):
    assert_problem(api.log(member, entry | {"agentUserId": "user_456"}), 403, "forbidden")
    assert entry["referredName"] not in [row["referredName"] for row in api.referrals(owner)]
    own = api.log(member, entry)
    assert (own.status_code, own.json()["agentUserId"]) == (201, "user_789")


def test_a_suspended_agent_gets_no_referral(api, owner, entry):
    assert_problem(api.log(owner, entry | {"agentUserId": "user_791"}), 422, "invalid_fields")
