"""What is left of deleted things: a tombstone says what it was, who deleted it, when and why."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select

from runcard.domain.runs.outcome import RunOutcome
from runcard.store.engine.chunks import in_chunks
from runcard.store.engine.scope import Scope
from runcard.store.engine.tables import deleted_things
from runcard.store.lists.followed_merges import merge_targets


class GoneRun(NamedTuple):
    """A deleted run, in the history of its unit. procedure_id: the target, if its procedure was merged."""

    id: UUID
    unit_id: UUID
    procedure_id: UUID
    started_at: datetime
    outcome: RunOutcome
    deleted_by_id: UUID | None
    why: str | None


def list_gone_runs(scope: Scope, unit_ids: Collection[UUID]) -> Sequence[GoneRun]:
    """The deleted runs of these units, in the order of their starts."""
    d = deleted_things.c
    columns = (d.id, d.unit_id, d.procedure_id, d.started_at, d.outcome, d.deleted_by_id, d.why)
    rows = [
        row
        for some in in_chunks(unit_ids)
        for row in scope.connection.execute(select(*columns).where(scope.owns(d), d.unit_id.in_(some)))
    ]
    targets = merge_targets(scope, {row[2] for row in rows})
    found = [
        GoneRun(run_id, unit_id, targets.get(procedure_id, procedure_id), *rest)
        for run_id, unit_id, procedure_id, *rest in rows
    ]
    return sorted(found, key=lambda run: (run.started_at, run.id))


def list_units_of_gone_runs(scope: Scope, procedure_ids: Collection[UUID]) -> Sequence[UUID]:
    """The units of the runs that were deleted on these procedures."""
    d = deleted_things.c
    return [
        unit_id
        for some in in_chunks(procedure_ids)
        for unit_id in scope.connection.execute(
            select(d.unit_id).where(scope.owns(d), d.procedure_id.in_(some)).distinct()
        ).scalars()
    ]
