"""Secrets that are given out: made at random, kept only as a digest."""

import hashlib
import secrets

from runcard.domain.errors import Unauthenticated

_PREFIX_LENGTH = 8


def new_token(kind: str) -> str:
    """A fresh secret: its kind and 43 random characters, such as `rc_…`."""
    return f"{kind}_{secrets.token_urlsafe(32)}"


def digest_of(token: str) -> bytes:
    """The digest of a secret, all that is kept of it. A secret is long and random: one round of SHA-256 is enough."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()


def display_prefix(token: str) -> str:
    """The beginning of a secret, by which people recognize it."""
    return token[:_PREFIX_LENGTH]


def bearer_token(authorization: str | None) -> str:
    """The key in an Authorization header. Raises Unauthenticated."""
    if not authorization:
        raise Unauthenticated("API key is missing. Send the header Authorization: Bearer YOUR_API_KEY.")
    scheme, _, token = authorization.strip().partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token:
        raise Unauthenticated("Authorization header is not of the form: Bearer YOUR_API_KEY.")
    return token
