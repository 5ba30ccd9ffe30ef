"""The bucket that packages and templates are deployed from: this account's own, and nobody else's to read."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from failure import Failure
from session import Session

CLOSED = {
    "BlockPublicAcls": True,
    "IgnorePublicAcls": True,
    "BlockPublicPolicy": True,
    "RestrictPublicBuckets": True,
}
ENCRYPTED = {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]}
# It takes no location, and says none.
FIRST_REGION = "us-east-1"


def ensure(session: Session, s3: Any, name: str) -> None:
    """Made if it is missing. One that is there stays as it is, as long as it is of this account and region."""
    try:
        # A bucket's name is anybody's to take. What is deployed is not read from somebody else's.
        s3.head_bucket(Bucket=name, ExpectedBucketOwner=session.account)
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] != 404:
            raise Failure(
                f"the bucket {name} is not yours to use, or belongs to another account: {error}. "
                "Name another one in the stage: bucket"
            ) from error
        _make(session, s3, name)
        return
    location = s3.get_bucket_location(Bucket=name).get("LocationConstraint") or FIRST_REGION
    if location != session.region:
        raise Failure(f"the bucket {name} is in {location}; functions are deployed from their own region only")


def _make(session: Session, s3: Any, name: str) -> None:
    print(f"Making the bucket {name} ...", flush=True)
    place = {} if session.region == FIRST_REGION else {"LocationConstraint": session.region}
    s3.create_bucket(Bucket=name, **({"CreateBucketConfiguration": place} if place else {}))
    s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=CLOSED)
    s3.put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration=ENCRYPTED)
