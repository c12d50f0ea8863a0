"""What two units have, to see before a merge what would come together and what would stay away."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Column, func, select

from runcard.domain.metadata import MetadataValue
from runcard.domain.notes.cause import Cause
from runcard.store.engine import tables as t
from runcard.store.engine.scope import Scope
from runcard.store.metadata import read_metadata
from runcard.store.notes.causes import causes_of


class UnitCounts(NamedTuple):
    """How much a unit has."""

    runs: int
    sub_units: int
    repairs: int
    files: int


_COUNTED: Sequence[Column[UUID]] = (
    t.runs.c.unit_id,
    t.units.c.parent_id,
    t.repairs.c.unit_id,
    t.attachments.c.unit_id,
)


class LeftBehind(NamedTuple):
    """What the source has and the other unit has otherwise, so that it stays away: the causes, and the values of the
    metadata by key, each of the source first. causes: None: none stays away.
    """

    causes: tuple[Cause, Cause] | None
    metadata: Mapping[str, tuple[MetadataValue, MetadataValue]]


def count_of_unit(scope: Scope, unit_id: UUID) -> UnitCounts:
    """How much a unit has."""
    counts = (
        select(func.count()).where(scope.owns(column.table.c), column == unit_id) for column in _COUNTED
    )
    return UnitCounts(*(scope.connection.execute(query).scalar_one() for query in counts))


def find_left_behind(scope: Scope, source_id: UUID, into_id: UUID) -> LeftBehind:
    """What a merge would leave behind."""
    causes = causes_of(scope, [source_id, into_id])
    old, new = causes.get(source_id), causes.get(into_id)
    metadata = read_metadata(scope, [source_id, into_id])
    others = metadata.get(into_id, {})
    return LeftBehind(
        (old, new) if old is not None and new is not None and old != new else None,
        {
            key: (value, others[key])
            for key, value in metadata.get(source_id, {}).items()
            if key in others and others[key] != value
        },
    )
