"""Signed links: URLs that carry their own permission, so that a client needs no key to follow them."""

import hashlib
from collections.abc import Sequence
from typing import Any, Literal
from uuid import UUID

from itsdangerous import BadSignature, SignatureExpired, URLSafeTimedSerializer

from runcard.domain.errors import SignatureInvalid
from runcard.edge.connections.hosts import AllowedHosts

Purpose = Literal["upload", "download"]

# Links of older versions work until they expire.
_AS_UNTIL_2026_11: dict[str, Any] = {"key_derivation": "django-concat", "digest_method": hashlib.sha1}


class Links:
    """Makes and checks links to attachments. A link for one purpose is not valid for another."""

    def __init__(
        self,
        secret_keys: Sequence[str],
        public_url: str | None,
        hosts: AllowedHosts,
        expires_s: dict[Purpose, int],
    ) -> None:
        """secret_keys: the newest first. The newest signs, and links signed with any of them are valid."""
        self._secret_keys = secret_keys
        self._hosts = hosts
        self._public_url = public_url.rstrip("/") if public_url else None
        self.expires_s = expires_s

    def url(self, purpose: Purpose, attachment_id: UUID, request_root: str) -> str:
        """An absolute link. request_root: how the client reached this server; used if no public URL is set.

        Raises HostNotAllowed.
        """
        token = self._serializer(purpose).dumps(attachment_id.hex)
        return f"{self.root(request_root)}/files/{purpose}/{token}"

    def root(self, request_root: str) -> str:
        """The root of this server's addresses, without a slash at its end. Raises HostNotAllowed."""
        if self._public_url is None:
            self._hosts.check(request_root)
        return self._public_url or request_root.rstrip("/")

    def attachment_id(self, purpose: Purpose, token: str) -> UUID:
        """The id of the attachment that a link names. Raises SignatureInvalid."""
        try:
            return UUID(hex=self._serializer(purpose).loads(token, max_age=self.expires_s[purpose]))
        except SignatureExpired as error:
            raise SignatureInvalid(f"This {purpose} link has expired; ask for a new one.") from error
        except (BadSignature, ValueError) as error:
            raise SignatureInvalid(f"This {purpose} link is not valid; ask for a new one.") from error

    def _serializer(self, purpose: Purpose) -> URLSafeTimedSerializer:
        return URLSafeTimedSerializer(
            self._secret_keys[::-1],
            salt=f"runcard.{purpose}",
            signer_kwargs={"key_derivation": "hmac", "digest_method": hashlib.sha256},
            fallback_signers=[_AS_UNTIL_2026_11],
        )
