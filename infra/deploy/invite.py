"""`make invite`: an organization, a member of it and their login, put in place one after the other.

Everything may be done again: what is there stays as it is. The mail leaves last, when whoever gets it can sign in.
"""

from __future__ import annotations

import json
import os
import ssl
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import certifi
from botocore.exceptions import BotoCoreError, ClientError

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "infra" / "local"))

import cfn  # noqa: E402
import invitation as invitations  # noqa: E402
import session as sessions  # noqa: E402
import stages  # noqa: E402
from failure import Failure  # noqa: E402
from settings import ADMIN_TOOL  # noqa: E402

# What Cognito says of a login whose temporary password nobody has used yet.
INVITED = "FORCE_CHANGE_PASSWORD"


@dataclass(frozen=True)
class Login:
    subject: str
    status: str
    is_new: bool


class Desk:
    """Where invitations to one stack are written."""

    def __init__(self, session: sessions.Session, stack: dict[str, Any]) -> None:
        self._session = session
        self._outputs, self.parameters = cfn.outputs(stack), cfn.parameters(stack)
        self._dynamodb, self._cognito = session.client("dynamodb"), session.client("cognito-idp")

    def invite(self, invitation: invitations.Invitation, *, resend: bool) -> None:
        if not invitation.new_organization and not self._row(f"ORG#{invitation.organization}", "ORGANIZATION"):
            together = ", ".join(invitations.OF_AN_ORGANIZATION)
            raise Failure(f"there is no organization {invitation.organization}. To make it, say {together}")
        pool = self._outputs.get("UserPoolId")
        if pool is None:
            self._without_a_pool(invitation)
            return
        login = self._login(pool, invitation)
        user = self._user_of(login, invitation)
        self._load(invitation, user)
        self._admin("link-login", "--subject", login.subject, "--organization", invitation.organization, "--user", user)
        if login.is_new or (resend and login.status == INVITED):
            self._cognito.admin_create_user(
                UserPoolId=pool,
                Username=invitation.email,
                MessageAction="RESEND",
                DesiredDeliveryMediums=["EMAIL"],
            )
            print(f"Cognito has sent {invitation.email} a temporary password, good for a week.")
        elif login.status == INVITED:
            print("They were invited before and have not signed in yet; no mail was sent. RESEND=1 sends another one.")

    def _without_a_pool(self, invitation: invitations.Invitation) -> None:
        """The issuer's tokens say who somebody is; here is only put in place what they speak of."""
        if invitation.user is None:
            raise Failure(
                "the stack takes the tokens of an issuer of your own, so say by which id they name the member: USER_ID"
            )
        self._load(invitation, invitation.user)
        claims = {
            self.parameters["OrganizationClaim"]: invitation.organization,
            self.parameters["UserClaim"]: invitation.user,
            self.parameters["RoleClaim"]: invitation.role,
        }
        print(
            f"The access tokens of {self.parameters['Issuer']} must carry these claims, as text:\n{json.dumps(claims)}"
        )

    def _login(self, pool: str, invitation: invitations.Invitation) -> Login:
        is_new = True
        try:
            self._cognito.admin_create_user(
                UserPoolId=pool,
                Username=invitation.email,
                # Not before there is something to sign in to.
                MessageAction="SUPPRESS",
                UserAttributes=[
                    {"Name": "email", "Value": invitation.email},
                    {"Name": "email_verified", "Value": "true"},
                ],
            )
        except self._cognito.exceptions.UsernameExistsException:
            is_new = False
        found = self._cognito.admin_get_user(UserPoolId=pool, Username=invitation.email)
        subject = next(entry["Value"] for entry in found["UserAttributes"] if entry["Name"] == "sub")
        return Login(subject, found["UserStatus"], is_new)

    def _user_of(self, login: Login, invitation: invitations.Invitation) -> str:
        """The id that the login has already, or the one that it gets. One login is one member."""
        row = self._row(f"LOGIN#{login.subject}", "LOGIN")
        if not row:
            return invitation.user or invitations.user_of(login.subject)
        organization, user = row["organizationId"]["S"], row["userId"]["S"]
        if organization != invitation.organization or invitation.user not in (None, user):
            raise Failure(f"this login is {user} of {organization} already; one login is one member")
        return user

    def _row(self, partition: str, sort: str) -> dict[str, Any] | None:
        key = {"pk": {"S": partition}, "sk": {"S": sort}}
        answer = self._dynamodb.get_item(TableName=self._outputs["TableName"], Key=key, ConsistentRead=True)
        return answer.get("Item")

    def _load(self, invitation: invitations.Invitation, user: str) -> None:
        print(f"{invitation.role} {user} of {invitation.organization}:", flush=True)
        # Names and addresses: nobody else's to read, and gone afterwards.
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "records.json"
            path.write_text(json.dumps(invitations.records(invitation, user)))
            self._admin("load", str(path))

    def _admin(self, *arguments: str) -> None:
        """The operator's command, which knows every rule about what it writes."""
        tool = ROOT / "target" / "debug" / ADMIN_TOOL
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "AWS_ENDPOINT_URL") if name in os.environ}
        trusted = os.environ.get("SSL_CERT_FILE") or ssl.get_default_verify_paths().cafile or certifi.where()
        environment = {
            **kept,
            **self._session.environment(),
            "TABLE_NAME": self._outputs["TableName"],
            "SSL_CERT_FILE": trusted,
        }
        run = subprocess.run([str(tool), *arguments], env=environment, capture_output=True, text=True, check=False)
        if run.returncode != 0:
            raise Failure(f"{ADMIN_TOOL} {arguments[0]} failed: {(run.stderr or run.stdout).strip()}")
        print(f"  {run.stdout.strip()}", flush=True)


def main() -> int:
    try:
        invitation = invitations.read(os.environ)
        stage = stages.find(os.environ["STAGE"])
        session = sessions.begin(stage)
        stack = cfn.find(session.client("cloudformation"), stage.stack)
        if stack is None or "TableName" not in cfn.outputs(stack):
            raise Failure(f"there is no stack {stage.stack} in {stage.region} yet: make deploy STAGE=...")
        Desk(session, stack).invite(invitation, resend=os.environ.get("RESEND") == "1")
    except (BotoCoreError, ClientError, Failure, OSError) as failure:
        print(f"error: {failure}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
