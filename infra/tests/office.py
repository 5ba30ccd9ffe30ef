"""An organization of a test's own, put in place by the operator's command, with an access token for each member."""

from __future__ import annotations

import json
import uuid

from cloud import client

import demo
import settings

OWNER, ADMIN, ANN, BEN = "user_owner", "user_admin", "user_ann", "user_ben"
ROLES = {OWNER: "OWNER", ADMIN: "ADMIN", ANN: "MEMBER", BEN: "MEMBER"}
CREATED = "2026-01-05T15:00:00.000Z"


class Office:
    """Owner, admin and two agents, a published profile each. Nobody else is in it, and nothing else happens to it."""

    def __init__(self, stack, issuer, canaries, directory, *, notify=False):
        mark = uuid.uuid4().hex[:12]
        self.id = f"org_{mark}"
        self.tokens = {user: issuer.member(self.id, user, role) for user, role in ROLES.items()}
        self.slugs = {user: f"{user.replace('_', '-')}-{mark}" for user in ROLES}
        # By the member who owns them; None owns one too.
        self.people = {owner: f"person_{uuid.uuid4().hex[:12]}" for owner in (*ROLES, None)}
        self.members = {user: canaries.person() for user in ROLES}
        self._notify = notify
        self._canaries = canaries
        self._stack = stack
        self._dynamodb = client(stack, "dynamodb")
        records = directory / f"{self.id}.json"
        records.write_text(json.dumps(self._records()))
        demo.load(settings.from_environment(), stack["TABLE_NAME"], records)

    def member_is(self, user, status):
        """An operator sets a member's status in the ledger."""
        self._set_status(f"MEMBER#{user}", status)

    def organization_is(self, status):
        self._set_status("ORGANIZATION", status)

    def _set_status(self, row, status):
        self._dynamodb.update_item(
            TableName=self._stack["TABLE_NAME"],
            Key={"pk": {"S": f"ORG#{self.id}"}, "sk": {"S": row}},
            UpdateExpression="SET #status = :status",
            ConditionExpression="attribute_exists(#status)",
            ExpressionAttributeNames={"#status": "status"},
            ExpressionAttributeValues={":status": {"S": status}},
        )

    def _records(self):
        return {
            "organizations": [
                {
                    "id": self.id,
                    "name": "Tests",
                    "status": "ACTIVE",
                    "timezone": "America/New_York",
                    "defaultRegion": "US",
                }
            ],
            "members": [self._member(user, role) for user, role in ROLES.items()],
            "profiles": [self._profile(user) for user in ROLES],
            "people": [self._person(owner, person) for owner, person in self.people.items()],
        }

    def _member(self, user, role):
        friend = self.members[user]
        return {
            "organizationId": self.id,
            "userId": user,
            "role": role,
            "status": "ACTIVE",
            "name": friend.name,
            "email": friend.email,
            "notify": {"newReferral": self._notify, "rewardReady": self._notify},
        }

    def _profile(self, user):
        return {
            "slug": self.slugs[user],
            "organizationId": self.id,
            "agentUserId": user,
            "displayName": "An Agent",
            "brokerage": "Tests",
            "published": True,
        }

    def _person(self, owner, person):
        friend = self._canaries.person()
        return {
            "id": person,
            "organizationId": self.id,
            "name": friend.name,
            "email": friend.email,
            "totalReferrals": 0,
            "emailMarketingConsent": False,
            "smsMarketingConsent": False,
            "doNotContact": False,
            "createdAt": CREATED,
            "updatedAt": CREATED,
            "version": 1,
            **({"ownerUserId": owner} if owner else {}),
        }
