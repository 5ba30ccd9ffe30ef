"""Demo data and the three logins that see it, all of them made again without harm."""

from __future__ import annotations

import contextlib
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

import aws
from failure import Failure
from settings import ADMIN_TOOL, CREDENTIALS, DEMO_DATA, REGION, Settings

# Slugs of demo.json that the tour, the tests and dev.env name.
SLUGS = {
    "AGENT_SLUG": "jane-doe-realty",
    "UNPUBLISHED_SLUG": "ben-ito-homes",
    "SUSPENDED_SLUG": "dana-fox-estates",
    "OTHER_SLUG": "omar-reyes-homes",
}


@dataclass(frozen=True)
class Login:
    variable: str
    email: str
    password: str
    organization: str
    user: str


# The passwords open nothing but the emulator on this machine.
LOGINS = (
    Login("TOKEN", "owner@winnerr.example", "Local-4hT9vKq2Lw7x", "org_winnerr_demo", "user_456"),
    Login("MEMBER_TOKEN", "jane.doe@winnerr.example", "Local-8mZ3cRp6Yd1s", "org_winnerr_demo", "user_789"),
    Login("OTHER_TOKEN", "owner@other.example", "Local-2jN7bXf5Gt0k", "org_other_demo", "user_901"),
)


def load(settings: Settings, table: str, records: Path = DEMO_DATA) -> None:
    _admin(settings, table, "load", str(records))


def tokens(settings: Settings, outputs: dict[str, str]) -> dict[str, str]:
    """A fresh access token for each login. None with an issuer of one's own: its tokens are its own."""
    if "UserPoolId" not in outputs:
        return {}
    cognito = aws.client(settings, "cognito-idp")
    pool, app = outputs["UserPoolId"], outputs["UserPoolClientId"]
    for login in LOGINS:
        subject = _subject(cognito, pool, login)
        _admin(
            settings, outputs["TableName"],
            "link-login", "--subject", subject, "--organization", login.organization, "--user", login.user,
        )  # fmt: skip
    return {login.variable: _access_token(cognito, pool, app, login) for login in LOGINS}


def _subject(cognito: Any, pool: str, login: Login) -> str:
    with contextlib.suppress(cognito.exceptions.UsernameExistsException):
        cognito.admin_create_user(
            UserPoolId=pool,
            Username=login.email,
            MessageAction="SUPPRESS",
            UserAttributes=[{"Name": "email", "Value": login.email}, {"Name": "email_verified", "Value": "true"}],
        )
    cognito.admin_set_user_password(UserPoolId=pool, Username=login.email, Password=login.password, Permanent=True)
    user = cognito.admin_get_user(UserPoolId=pool, Username=login.email)
    return next(attribute["Value"] for attribute in user["UserAttributes"] if attribute["Name"] == "sub")


def _access_token(cognito: Any, pool: str, app: str, login: Login) -> str:
    try:
        answer = cognito.admin_initiate_auth(
            UserPoolId=pool,
            ClientId=app,
            AuthFlow="ADMIN_USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": login.email, "PASSWORD": login.password},
        )
    except ClientError as error:
        raise Failure(
            f"{login.email} could not sign in, look at the log of token-claims (make dev-logs): {error}"
        ) from error
    return answer["AuthenticationResult"]["AccessToken"]


def _admin(settings: Settings, table: str, *arguments: str) -> None:
    environment = {
        **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
        **CREDENTIALS,
        "AWS_ENDPOINT_URL": settings.endpoint,
        "AWS_REGION": REGION,
        "TABLE_NAME": table,
        "SSL_CERT_FILE": settings.parameters["CaBundle"],
    }
    command = [str(settings.binary(ADMIN_TOOL)), *arguments]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if run.returncode != 0:
        said = (run.stderr or run.stdout).strip()
        raise Failure(f"{ADMIN_TOOL} {' '.join(arguments)} failed with {run.returncode}: {said}")
