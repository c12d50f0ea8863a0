"""Browsers from which somebody has logged in: the guesses of others do not lock them out."""

import hashlib
import secrets
from collections.abc import Sequence

from itsdangerous import BadSignature, Signer

from runcard.auth.tokens import digest_of
from runcard.domain.text import lookup_key


class KnownBrowsers:
    """Makes and checks marks. A mark in a browser says that it has logged in with an e-mail."""

    def __init__(self, secret_keys: Sequence[str]) -> None:
        """secret_keys: newest first. The newest signs; all are accepted."""
        self._signer = Signer(
            secret_keys[::-1], salt="runcard.browser", key_derivation="hmac", digest_method=hashlib.sha256
        )

    def mark(self, email: str) -> str:
        """A new mark, for a browser that has just logged in."""
        return self._signer.sign(f"{secrets.token_urlsafe(12)}:{_digest(email)}").decode("ascii")

    def find(self, mark: str | None, email: str) -> str | None:
        """The id of the browser in its mark; None if the mark does not say that it logged in with this e-mail."""
        try:
            browser, _, digest = self._signer.unsign(mark or "").decode("ascii").partition(":")
        except BadSignature:
            return None
        return browser if digest == _digest(email) else None


def _digest(email: str) -> str:
    return digest_of(lookup_key(email)).hex()
