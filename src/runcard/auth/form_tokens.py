"""Tokens in forms: another site cannot make a browser send a form (CSRF)."""

import hashlib
import secrets
from collections.abc import Sequence

from itsdangerous import Signer

from runcard.domain.errors import FormExpired

_SALT_BYTES = 16


class FormTokens:
    """Makes and checks the token of a form: a salted signature of a secret that the browser has as a cookie.

    The holder is that secret: of the log-in session or, before log-in, of a cookie made for forms (signed double
    submit).
    """

    def __init__(self, secret_keys: Sequence[str]) -> None:
        """secret_keys: newest first. The newest signs; all are accepted."""
        self._signer = Signer(
            secret_keys[::-1], salt="runcard.form", key_derivation="hmac", digest_method=hashlib.sha256
        )

    def token(self, holder: str) -> str:
        """A new token for each form: sizes of compressed pages betray repeats (`edge.connections.compression`)."""
        salt = secrets.token_urlsafe(_SALT_BYTES)
        return f"{salt}.{self._signer.get_signature(_signed(holder, salt)).decode('ascii')}"

    def check(self, holder: str | None, token: str) -> None:
        """Check that the token was made for this holder. Raises FormExpired."""
        salt, _, signature = token.partition(".")
        if not holder or not self._signer.verify_signature(_signed(holder, salt), signature):
            raise FormExpired


def _signed(holder: str, salt: str) -> str:
    return f"{salt}.{holder}"
