"""The API does what its OpenAPI documents say, whatever is asked of it: no fault, and no answer that is not described.

The short form runs with the other tests; `make fuzz-api` is the long one. Each begins at a seed and can be repeated:
`make fuzz-api SEED=... EXAMPLES=...`.
"""

from __future__ import annotations

import json
import uuid

import pytest
from fuzzing import assert_sound, dictionary, fuzz, identities
from office import ADMIN, ANN, BEN, OWNER, ROLES, Office

LIST = "/api/reputation/referrals"
IMPORTS = "/api/reputation/imports"
# Of each state, so that each operation finds some that it applies to.
EACH = 6
# Ids that nobody here has: by themselves, hardly any request would name one that looks right.
NOBODYS = {
    "ref": ["ref_01ARZ3NDEKTSV4RRFFQ69G5FAV", "ref_x", "ref_01ARZ3NDEKTSV4RRFFQ69G5FAW"],
    "person": ["person_01ARZ3NDEKTSV4RRFFQ69G5FAV", "person_111"],
    "imp": ["imp_01ARZ3NDEKTSV4RRFFQ69G5FAV", "imp_x"],
}
CONVERT = ("convert", lambda: {"resultingDealId": f"deal_{uuid.uuid4().hex}"})
POLICY = {"rewardType": "gift_card", "rewardValue": 5000, "currency": "USD", "complianceGate": "OFF"}
# Whose rewards each action finds, by the dictionary that it draws from.
REWARDED = {
    "due_to_send": (CONVERT,),
    "due_to_release": (CONVERT,),
    "due_to_cancel": (CONVERT,),
    # The referrer has agreed to nothing, so each thank-you was skipped and can be asked for again.
    "sent": (CONVERT, ("reward/mark-sent", {})),
}
STEPS = {
    "received": (),
    "contacted": (("contact", {}),),
    "qualified": (("qualify", {}),),
    "lost": (("lose", {"lostReason": "Went with a friend."}),),
    "converted": (CONVERT,),
}


@pytest.fixture(scope="module")
def office(stack, issuer, canaries, tmp_path_factory):
    """An organization of its own: whatever is changed, deleted or withdrawn, no other test needs it."""
    return Office(stack, issuer, canaries, tmp_path_factory.mktemp("office"))


@pytest.fixture(scope="module")
def referrals(api, office, canaries, pipeline):
    """Those to work on, those to delete, and those with rewards."""
    answer = api.request("PUT", "/api/reputation/reward-policy", office.tokens[OWNER], json=POLICY)
    assert answer.status_code == 200, answer.text
    kept = [logged(api, office, canaries, steps) for steps in STEPS.values() for _ in range(EACH)]
    doomed = [logged(api, office, canaries, ()) for _ in range(4 * EACH)]
    rewarded = {
        name: [logged(api, office, canaries, steps) for _ in range(2 * EACH)] for name, steps in REWARDED.items()
    }
    pipeline.wait_until_quiet()
    return kept, doomed, rewarded


@pytest.fixture(scope="module")
def directory(api, stack, office, referrals, tmp_path_factory):
    """Where Schemathesis finds what it draws from."""
    directory = tmp_path_factory.mktemp("fuzz")
    kept, doomed, rewarded = referrals
    for name, ids in rewarded.items():
        dictionary(directory / name, [*ids, *NOBODYS["ref"]])
    dictionary(directory / "referrals", [*kept, *NOBODYS["ref"]])
    dictionary(directory / "doomed", [*doomed, *NOBODYS["ref"]])
    leads = [api.get(f"{LIST}/{id}", office.tokens[OWNER])["referredPersonId"] for id in doomed]
    dictionary(directory / "erasable", [*leads, *NOBODYS["person"]])
    # The second is a person of another organization.
    dictionary(directory / "people", [*office.people.values(), *NOBODYS["person"]])
    dictionary(directory / "agents", ROLES)
    dictionary(directory / "imports", [uploaded(api, office), *NOBODYS["imp"]])
    # The owner's profile is the one that the other document's run may rename.
    dictionary(directory / "slugs", [office.slugs[agent] for agent in (ADMIN, ANN, BEN)])
    identities(directory / "identities.json", {"owner": office.tokens[OWNER], "stranger": stack["OTHER_TOKEN"]})
    return directory


def uploaded(api, office):
    """An import whose one row fails: there is something to read of it, and nothing else comes of it."""
    row = {"sourceSystem": "crm", "externalId": "0"}
    headers = {"Content-Type": "application/jsonl"}
    answer = api.request("POST", IMPORTS, office.tokens[OWNER], data=json.dumps(row), headers=headers)
    assert answer.status_code == 202, answer.text
    return answer.json()["id"]


def logged(api, office, canaries, steps):
    token = office.tokens[OWNER]
    entry = {
        "referrerPersonId": office.people[None],
        "agentUserId": ANN,
        "referredName": canaries.person().name,
    }
    answer = api.log(token, entry)
    assert answer.status_code == 201, answer.text
    referral = answer.json()["id"]
    for step, body in steps:
        form = body() if callable(body) else body
        answer = api.request("POST", f"{LIST}/{referral}/{step}", token, json=form)
        assert answer.status_code == 200, answer.text
    return referral


@pytest.mark.parametrize("name", ["agent", "public"])
def test_the_api_is_what_its_document_says(root, office, directory, name):
    document = root / "infra" / "openapi" / f"{name}-api.json"
    # The examples' names are those of the demo data, which the other tests need as it is.
    stand_ins = {"jane-doe-realty": office.slugs[ANN], "person_111": office.people[None], "user_789": ANN}
    report, said = fuzz(document, f"schemathesis-{name}.toml", directory, stand_ins)
    assert_sound(document, report, said)
