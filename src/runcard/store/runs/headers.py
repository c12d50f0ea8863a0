"""Headers of runs with ids instead of names, for the columnar copy: names change, ids do not."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select

from runcard.domain.floor.sample import SampleClass
from runcard.domain.runs.outcome import RunOutcome
from runcard.domain.runs.run import RunDocument
from runcard.store.commit.documents import unpack_document
from runcard.store.documents.reading import read_moved
from runcard.store.engine import tables as t
from runcard.store.engine.chunks import in_chunks
from runcard.store.engine.scope import Scope


class CopiedHeader(NamedTuple):
    """A run's header. Exactly one of `created_by_user_id` and `created_by_station_id` is there.

    reported_started_at: the start by a wrong clock; see `domain.runs.clock`. sample: the unit's class at the time.
    voided_at: None: the run counts. clock_started_at: where a person corrected the start, that by the station's clock.
    """

    id: UUID
    procedure_id: UUID
    version_id: UUID | None
    unit_id: UUID
    part_id: UUID
    revision_id: UUID
    batch_id: UUID | None
    operator_id: UUID | None
    operator_name: str | None
    created_by_station_id: UUID | None
    created_by_user_id: UUID | None
    deployment_id: UUID | None
    outcome: RunOutcome
    started_at: datetime
    ended_at: datetime
    created_at: datetime
    execution_id: str | None
    slot_key: str | None
    slot_name: str | None
    reported_started_at: datetime | None
    sample: SampleClass | None
    voided_at: datetime | None
    clock_started_at: datetime | None


class UnitHeader(NamedTuple):
    """The column of a unit by which lists of runs are sorted."""

    id: UUID
    serial_key: str


def read_whole_runs(scope: Scope, run_ids: Collection[UUID]) -> Sequence[tuple[CopiedHeader, RunDocument]]:
    """Those of these runs that exist now, with what is inside them, in the order of their ids.

    Raises DocumentUnavailable where a document has left the database and cannot be read.
    """
    r, d = t.runs.c, t.run_documents.c
    found: list[tuple[CopiedHeader, RunDocument]] = []
    for some in in_chunks(sorted(run_ids)):
        query = (
            select(*(r[name] for name in CopiedHeader._fields), d.body)
            .join_from(t.runs, t.run_documents, d.run_id == r.id, isouter=True)
            .where(scope.owns(r), r.id.in_(some))
            .order_by(r.id)
        )
        rows = scope.connection.execute(query).all()
        moved = read_moved(scope, [row.id for row in rows if row.body is None])
        bodies = ((header, body or moved.get(header[0])) for *header, body in rows)
        found += [(CopiedHeader(*header), unpack_document(body)) for header, body in bodies if body]
    return found


def read_unit_headers(scope: Scope, unit_ids: Collection[UUID]) -> Sequence[UnitHeader]:
    """Those of these units that exist now."""
    u = t.units.c
    found: list[UnitHeader] = []
    for some in in_chunks(unit_ids):
        query = select(*(u[name] for name in UnitHeader._fields)).where(scope.owns(u), u.id.in_(some))
        found += [UnitHeader(*row) for row in scope.connection.execute(query)]
    return found
