"""Tokens in forms, so that no other site can make a browser send one (CSRF)."""

import hashlib
import secrets
from collections.abc import Sequence

from itsdangerous import Signer

from runcard.domain.errors import FormExpired

_SALT_BYTES = 16


class FormTokens:
    """A form carries a salted signature of a secret that its browser has as a cookie.

    The holder is the secret of the log-in session; before there is one, that of a cookie made for the purpose
    (signed double submit).
    """

    def __init__(self, secret_keys: Sequence[str]) -> None:
        """secret_keys: the newest first, which signs; each is believed."""
        self._signer = Signer(
            secret_keys[::-1], salt="runcard.form", key_derivation="hmac", digest_method=hashlib.sha256
        )

    def token(self, holder: str) -> str:
        """Another one each time: sizes of compressed pages tell what they repeat (`edge.connections.compression`)."""
        salt = secrets.token_urlsafe(_SALT_BYTES)
        return f"{salt}.{self._signer.get_signature(_signed(holder, salt)).decode('ascii')}"

    def check(self, holder: str | None, token: str) -> None:
        """Raises FormExpired where the token was not made for this holder."""
        salt, _, signature = token.partition(".")
        if not holder or not self._signer.verify_signature(_signed(holder, salt), signature):
            raise FormExpired


def _signed(holder: str, salt: str) -> str:
    return f"{salt}.{holder}"
