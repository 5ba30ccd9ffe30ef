"""Tokens as the stack's user pool signs them, and tokens that it never would: any header, any claims, any key."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
import uuid

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

import settings

HOUR = 3600


def encoded(content):
    """Bytes, or something for JSON, as a part of a token."""
    content = content if isinstance(content, bytes) else json.dumps(content).encode()
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def decoded(part):
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


class Key:
    """An RSA key that signs tokens."""

    def __init__(self, private):
        self._private = private

    @classmethod
    def read(cls, path):
        return cls(serialization.load_pem_private_key(path.read_bytes(), password=None))

    @classmethod
    def new(cls):
        return cls(rsa.generate_private_key(public_exponent=65537, key_size=2048))

    def rs256(self, message):
        return self._private.sign(message, padding.PKCS1v15(), hashes.SHA256())

    def hs256_with_the_public_key(self, message):
        """For a verifier that lets the token choose: it would take the public key for a shared secret."""
        return hmac.digest(self._public(serialization.Encoding.PEM), message, "sha256")

    def name(self):
        """The `kid` under which the emulator's pool publishes the key."""
        return base64.b64encode(hashlib.sha256(self._public(serialization.Encoding.DER)).digest()).decode()

    def _public(self, encoding):
        return self._private.public_key().public_bytes(encoding, serialization.PublicFormat.SubjectPublicKeyInfo)


class Issuer:
    """The stack's user pool. The emulator keeps the pool's keys in its state, so the tests can sign as the pool."""

    def __init__(self, token):
        head, claims, _ = token.split(".")
        self.header, self.genuine = decoded(head), decoded(claims)
        pool = self.genuine["iss"].rsplit("/", 1)[-1]
        keys = settings.from_environment().directory / "state" / "cognito-pool-keys"
        self.key, self.id_key = (Key.read(keys / f"{pool}-{use}.pem") for use in ("access", "id"))

    def claims(self, **changes):
        """Those of a fresh access token, with these changes. None leaves a claim out."""
        now = int(time.time())
        fresh = {"jti": str(uuid.uuid4()), "iat": now, "auth_time": now, "exp": now + HOUR}
        return {name: value for name, value in (self.genuine | fresh | changes).items() if value is not None}

    def token(self, **changes):
        return self.signed(self.header, self.claims(**changes))

    def member(self, organization, user, role):
        return self.token(organization_id=organization, user_id=user, role=role)

    def signed(self, header, claims, sign=None):
        message = f"{encoded(header)}.{encoded(claims)}"
        return f"{message}.{encoded((sign or self.key.rs256)(message.encode()))}"
