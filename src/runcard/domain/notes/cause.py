"""The tree of causes: which may stand where, and in which order people read them."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from runcard.domain.errors import InvalidInput

MAX_CODE_LENGTH = 60
MAX_NAME_LENGTH = 100
# Causes of an organization, and how many may stand below one another.
MAX_CAUSES = 1000
MAX_DEPTH = 8

# The parent of each cause; None: it stands at the top.
Parents = Mapping[UUID, UUID | None]


class Cause(NamedTuple):
    """code: by which people and programs name it. archived_at: since when it is given to nothing new."""

    id: UUID
    code: str
    name: str
    parent_id: UUID | None
    archived_at: datetime | None = None


class PlacedCause(NamedTuple):
    """depth: how many causes stand above it. path: the names from the top down to its own."""

    cause: Cause
    depth: int
    path: tuple[str, ...]


def in_tree_order(causes: Sequence[Cause]) -> Iterator[PlacedCause]:
    """Each cause, followed by its branch. Those of one parent are in the order of their codes."""
    children: dict[UUID | None, list[Cause]] = defaultdict(list)
    for cause in sorted(causes, key=lambda one: (one.code.casefold(), one.id)):
        children[cause.parent_id].append(cause)
    waiting = [PlacedCause(cause, 0, (cause.name,)) for cause in reversed(children[None])]
    while waiting:
        placed = waiting.pop()
        yield placed
        depth, path = placed.depth + 1, placed.path
        below = reversed(children[placed.cause.id])
        waiting += [PlacedCause(child, depth, (*path, child.name)) for child in below]


def check_place(parents: Parents, cause_id: UUID, parent_id: UUID | None) -> None:
    """Check that a cause may stand below this parent; None: at the top. Raises InvalidInput.

    parents: of all causes as they are now. The cause may be new.
    """
    above = list(_above(parents, parent_id))
    if cause_id in above:
        raise InvalidInput.at(
            "parent", "a cause cannot stand below itself or its own branch; choose another parent"
        )
    below = max((_steps_to(parents, one, cause_id) for one in parents), default=0)
    if len(above) + 1 + below > MAX_DEPTH:
        raise InvalidInput.at(
            "parent", f"the tree would have more than {MAX_DEPTH} levels; choose a parent further up"
        )


def _above(parents: Parents, cause_id: UUID | None) -> Iterator[UUID]:
    """The cause, its parent, and so on to the top."""
    seen: set[UUID] = set()
    while cause_id is not None and cause_id not in seen:
        seen.add(cause_id)
        yield cause_id
        cause_id = parents.get(cause_id)


def _steps_to(parents: Parents, cause_id: UUID, ancestor_id: UUID) -> int:
    """How far below another a cause stands; 0: it is that one, or does not stand below it."""
    above = list(_above(parents, cause_id))
    return above.index(ancestor_id) if ancestor_id in above else 0
