"""Clients of the local AWS. They can reach nothing else: endpoint and credentials are given, never looked up."""

from __future__ import annotations

from typing import Any

import boto3
from botocore.config import Config

from settings import CREDENTIALS, REGION, Settings


def client(settings: Settings, service: str) -> Any:
    return boto3.client(
        service,
        endpoint_url=settings.endpoint,
        region_name=REGION,
        aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        config=Config(retries={"total_max_attempts": 2}, connect_timeout=5, read_timeout=60, proxies={}),
    )
