"""How many things one request may change, all or none."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from runcard.domain.errors import InvalidInput

MAX_AT_ONCE = 10_000


def distinct_ids(ids: Iterable[UUID]) -> Sequence[UUID]:
    """The things that the field `ids` of a request names, each once, in order. Raises as `check_count` does."""
    found = list(dict.fromkeys(ids))
    check_count("ids", len(found))
    return found


def check_count(name: str, count: int, least: int = 1) -> None:
    """Check how many things the field with this name holds. Raises InvalidInput, also for more than MAX_AT_ONCE."""
    if not least <= count <= MAX_AT_ONCE:
        raise InvalidInput.at(
            name, f"{count} things are named; name {least} to {MAX_AT_ONCE} of them in one request"
        )
