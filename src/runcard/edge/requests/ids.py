"""Ids in paths and texts. A text that is no id names nothing."""

from collections.abc import Callable
from uuid import UUID

from runcard.domain.errors import NotFound


def id_of(text: str, missing: Callable[[str], NotFound]) -> UUID:
    """The id in a text. If the text is no id, raises the error that `missing` makes of it."""
    try:
        return UUID(text)
    except ValueError:
        raise missing(text) from None
