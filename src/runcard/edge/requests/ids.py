"""Ids in paths and texts: what is no id names nothing."""

from collections.abc import Callable
from uuid import UUID

from runcard.domain.errors import NotFound


def id_of(text: str, missing: Callable[[str], NotFound]) -> UUID:
    """The id that a text gives. Raises what `missing` makes of the text where it gives none."""
    try:
        return UUID(text)
    except ValueError:
        raise missing(text) from None
