"""Why a file is not accepted."""

from __future__ import annotations


class VerifyError(Exception):
    """Root of both."""


class Unreadable(VerifyError):
    """A file or an argument is not what this program reads. It says nothing about the record."""


class DoesNotFit(VerifyError):
    """A file is well formed, and what it says of the record is not true."""


def shown(text: object, most: int = 200) -> str:
    """A text of a stranger for a terminal: shortened, and without characters that do something there."""
    plain = "".join(
        one if one.isprintable() else one.encode("unicode_escape").decode("ascii")
        for one in str(text)[: most + 1]
    )
    return plain if len(plain) <= most else plain[:most] + "..."
