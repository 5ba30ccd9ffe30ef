"""That the other tests pass shows that each role allows enough only if roles are enforced here. They are."""

from __future__ import annotations

import contextlib
import json

from cloud import client, physical_id

DENIED = "denied-by-a-test"


@contextlib.contextmanager
def denied(stack, role, actions):
    """While it lasts, the role of that logical name may not do these."""
    name = physical_id(stack, role)
    statement = {"Effect": "Deny", "Action": actions, "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam = client(stack, "iam")
    iam.put_role_policy(RoleName=name, PolicyName=DENIED, PolicyDocument=policy)
    try:
        yield
    finally:
        iam.delete_role_policy(RoleName=name, PolicyName=DENIED)


def test_what_a_role_does_not_allow_fails_and_leaves_nothing_behind(stack, scene, submission):
    with denied(stack, "PublicCaptureRole", ["dynamodb:PutItem"]):
        answer = scene.api.capture(scene.slug, submission)
        assert answer.status_code in (500, 503)
        assert answer.json()["code"] in ("internal", "unavailable")
    assert scene.api.people_with(scene.owner, submission["referrerEmail"]) == []
    assert scene.api.referrals_to(scene.owner, submission["referredEmail"]) == []
    # The same form again, with the role as it is.
    assert scene.enter(submission)
