"""Signed links: URLs that carry their own permission, so that a client needs no key to follow them."""

from typing import Literal
from uuid import UUID

from itsdangerous import BadSignature, SignatureExpired, URLSafeTimedSerializer

from runcard.domain.errors import SignatureInvalid
from runcard.edge.connections.hosts import AllowedHosts

Purpose = Literal["upload", "download"]


class Links:
    """Makes and checks links to attachments. A link of one purpose is worth nothing for another."""

    def __init__(
        self, secret_key: str, public_url: str | None, hosts: AllowedHosts, expires_s: dict[Purpose, int]
    ) -> None:
        self._secret_key = secret_key
        self._hosts = hosts
        self._public_url = public_url.rstrip("/") if public_url else None
        self.expires_s = expires_s

    def url(self, purpose: Purpose, attachment_id: UUID, request_root: str) -> str:
        """An absolute link. `request_root` is how the client reached this server, where no public URL is set.

        Raises HostNotAllowed.
        """
        token = self._serializer(purpose).dumps(attachment_id.hex)
        return f"{self.root(request_root)}/files/{purpose}/{token}"

    def root(self, request_root: str) -> str:
        """The root under which this server is reached, without a slash at its end. Raises HostNotAllowed."""
        if self._public_url is None:
            self._hosts.check(request_root)
        return self._public_url or request_root.rstrip("/")

    def attachment_id(self, purpose: Purpose, token: str) -> UUID:
        """The attachment that a link stands for. Raises SignatureInvalid."""
        try:
            return UUID(hex=self._serializer(purpose).loads(token, max_age=self.expires_s[purpose]))
        except SignatureExpired as error:
            raise SignatureInvalid(f"This {purpose} link has expired; ask for a new one.") from error
        except (BadSignature, ValueError) as error:
            raise SignatureInvalid(f"This {purpose} link is not valid; ask for a new one.") from error

    def _serializer(self, purpose: Purpose) -> URLSafeTimedSerializer:
        return URLSafeTimedSerializer(self._secret_key, salt=f"runcard.{purpose}")
