"""AWS as the operator's own variables and profile name it, in the stage's region and account.

`AWS_ENDPOINT_URL` leads to another AWS, such as the one that `make aws-up` runs on this machine.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import NoCredentialsError

from failure import Failure
from stages import Stage

CONFIG = Config(retries={"mode": "standard", "total_max_attempts": 5}, connect_timeout=5, read_timeout=60)


@dataclass(frozen=True)
class Session:
    boto: boto3.Session
    account: str
    region: str

    def client(self, service: str) -> Any:
        return self.boto.client(service, config=CONFIG)

    def environment(self) -> dict[str, str]:
        """The same for a program that looks nowhere but at its variables."""
        credentials = self.boto.get_credentials().get_frozen_credentials()
        values = {
            "AWS_REGION": self.region,
            "AWS_ACCESS_KEY_ID": credentials.access_key,
            "AWS_SECRET_ACCESS_KEY": credentials.secret_key,
            "AWS_SESSION_TOKEN": credentials.token,
        }
        return {name: value for name, value in values.items() if value}


def begin(stage: Stage) -> Session:
    boto = boto3.Session(region_name=stage.region)
    try:
        account = boto.client("sts", config=CONFIG).get_caller_identity()["Account"]
    except NoCredentialsError as error:
        raise Failure("there are no AWS credentials: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and its secret") from error
    if stage.account and stage.account != account:
        raise Failure(f"the credentials are of account {account}, and the stage is for {stage.account}")
    return Session(boto, account, stage.region)
