"""An agent's own site with the widget on it, in a bucket of the emulator that anybody may read.

The browser sees it under `localhost` and the API under 127.0.0.1: the widget is on a foreign origin there, as it is on
every site that embeds it.
"""

from __future__ import annotations

import json
from pathlib import Path
from string import Template
from typing import Any

import aws
import packages
from settings import Settings

PAGE = Path(__file__).with_name("demo_site.html")
KEY = "index.html"
HOST = "localhost"


def publish(settings: Settings, api_url: str, agent: str) -> str:
    """Puts the page there anew, for this API. Gives its address."""
    s3 = aws.client(settings, "s3")
    bucket = f"{settings.stack_name}-demo-site"
    packages.make_bucket(s3, bucket)
    _open_to_all(s3, bucket)
    page = Template(PAGE.read_text()).substitute(api_url=api_url, agent=agent)
    s3.put_object(Bucket=bucket, Key=KEY, Body=page.encode(), ContentType="text/html; charset=utf-8")
    return f"http://{HOST}:{settings.port}/{bucket}/{KEY}"


def _open_to_all(s3: Any, bucket: str) -> None:
    # A new bucket refuses every policy that lets everybody in.
    s3.delete_public_access_block(Bucket=bucket)
    statement = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::{bucket}/*",
    }
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
