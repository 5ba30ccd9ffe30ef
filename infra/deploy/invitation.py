"""An invitation as the operator gives it, and the records that it puts in place."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from failure import Failure

# As shared/src/domain/id.rs has it.
ID = re.compile(r"[a-z]+_[A-Za-z0-9_-]{1,64}")
ROLES = ("OWNER", "ADMIN", "MEMBER")
REQUIRED = ("STAGE", "EMAIL", "ORGANIZATION", "NAME")
# Said once, for an organization that is new; an agent's published page needs both.
OF_AN_ORGANIZATION = ("ORGANIZATION_NAME", "TIMEZONE", "COUNTRY")
OF_A_PROFILE = ("SLUG", "BROKERAGE")


@dataclass(frozen=True)
class Invitation:
    email: str
    name: str
    organization: str
    role: str
    # What an issuer of one's own calls the member. With the stack's own pool it follows from the login.
    user: str | None
    phone: str | None
    # Name, time zone and country.
    new_organization: tuple[str, str, str] | None
    # Slug and brokerage.
    profile: tuple[str, str] | None


def read(values: Mapping[str, str]) -> Invitation:
    missing = [name for name in REQUIRED if not values.get(name)]
    if missing:
        raise Failure(f"missing: {', '.join(missing)}. For example: make invite STAGE=prod EMAIL=olivia@doe.example "
                      'ORGANIZATION=org_doe NAME="Olivia Grant" ROLE=OWNER')  # fmt: skip
    for name in ("ORGANIZATION", "USER_ID"):
        if values.get(name) and not ID.fullmatch(values[name]):
            raise Failure(f"{name} must be an id like {'org_doe' if name == 'ORGANIZATION' else 'user_12'}")
    role = values.get("ROLE") or "MEMBER"
    if role not in ROLES:
        raise Failure(f"ROLE must be one of {', '.join(ROLES)}, not {role!r}")
    return Invitation(
        email=values["EMAIL"],
        name=values["NAME"],
        organization=values["ORGANIZATION"],
        role=role,
        user=values.get("USER_ID") or None,
        phone=values.get("PHONE") or None,
        new_organization=_all_or_none(values, OF_AN_ORGANIZATION),
        profile=_all_or_none(values, OF_A_PROFILE),
    )


def _all_or_none(values: Mapping[str, str], names: tuple[str, ...]) -> Any:
    given = [values[name] for name in names if values.get(name)]
    if given and len(given) < len(names):
        raise Failure(f"{', '.join(names)} go together: say all of them, or none")
    return tuple(given) or None


def user_of(subject: str) -> str:
    """The member's id, from Cognito's own for the login: the same each time, and it names nobody."""
    return "user_" + subject.replace("-", "")


def records(invitation: Invitation, user: str) -> dict[str, list[dict[str, Any]]]:
    """As `referrals-admin load` reads them."""
    member: dict[str, Any] = {
        "organizationId": invitation.organization,
        "userId": user,
        "role": invitation.role,
        "status": "ACTIVE",
        "name": invitation.name,
        "email": invitation.email,
        "notify": {"newReferral": True, "rewardReady": True},
    }
    if invitation.phone:
        member["phone"] = invitation.phone
    found: dict[str, list[dict[str, Any]]] = {"members": [member]}
    if invitation.new_organization:
        name, zone, country = invitation.new_organization
        found["organizations"] = [
            {
                "id": invitation.organization,
                "name": name,
                "status": "ACTIVE",
                "timezone": zone,
                "defaultRegion": country,
            }
        ]
    if invitation.profile:
        slug, brokerage = invitation.profile
        found["profiles"] = [
            {
                "slug": slug,
                "organizationId": invitation.organization,
                "agentUserId": user,
                "displayName": invitation.name,
                "brokerage": brokerage,
                "published": True,
            }
        ]
    return found
