"""Identifiers of procedures: the short names that station programs call them by, such as FVT1 or VANILLA."""

import re
from collections.abc import Iterable
from contextlib import suppress
from uuid import UUID

from runcard.domain.errors import InvalidInput
from runcard.domain.text import shortened

MAX_IDENTIFIER_LENGTH = 60
_ALLOWED = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_PREFIX = "FVT"
_NUMBERED = re.compile(rf"{_PREFIX}(\d{{1,9}})", re.IGNORECASE)
_MAX_SHOWN = 80


def checked_identifier(text: str) -> str:
    """The identifier without surrounding blanks. Raises InvalidInput for a text that cannot be an identifier.

    A text in the form of an id is refused, because a procedure is looked up by its identifier or its id.
    """
    identifier = text.strip()
    if len(identifier) > MAX_IDENTIFIER_LENGTH or not _ALLOWED.fullmatch(identifier):
        raise InvalidInput.at(
            "identifier",
            f"{shortened(identifier, _MAX_SHOWN)!r} is no identifier; give 1 to {MAX_IDENTIFIER_LENGTH} "
            "letters (A to Z), digits, '-', '_' and '.', with a letter or a digit first",
        )
    with suppress(ValueError):
        UUID(identifier)
        raise InvalidInput.at(
            "identifier", f"{identifier!r} has the form of an id; give a name, such as {_PREFIX}1"
        )
    return identifier


def next_identifier(taken: Iterable[str]) -> str:
    """The identifier for a procedure without a chosen one: FVT1, FVT2, …, one above the highest that is taken."""
    numbers = [int(found[1]) for name in taken if (found := _NUMBERED.fullmatch(name))]
    return f"{_PREFIX}{max(numbers, default=0) + 1}"
