"""Tokens in forms, so that no other site can make a browser send one (CSRF)."""

import hashlib
from collections.abc import Sequence

from itsdangerous import Signer

from runcard.domain.errors import FormExpired


class FormTokens:
    """A form carries a signature of a secret that its browser has as a cookie.

    The holder is the secret of the log-in session; before there is one, that of a cookie made for the purpose
    (signed double submit).
    """

    def __init__(self, secret_keys: Sequence[str]) -> None:
        """secret_keys: the newest first, which signs; each is believed."""
        self._signer = Signer(
            secret_keys[::-1], salt="runcard.form", key_derivation="hmac", digest_method=hashlib.sha256
        )

    def token(self, holder: str) -> str:
        return self._signer.get_signature(holder).decode("ascii")

    def check(self, holder: str | None, token: str) -> None:
        """Raises FormExpired where the token was not made for this holder."""
        if not holder or not self._signer.verify_signature(holder, token):
            raise FormExpired
