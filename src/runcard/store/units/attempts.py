"""The runs of one unit, procedure by procedure."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import func, select

from runcard.domain.runs.outcome import RunOutcome
from runcard.store.engine.scope import Scope
from runcard.store.engine.tables import procedures, runs
from runcard.store.lists.refs import CREATOR_COLUMNS, CreatedBy, ProcedureRef, created_by, with_creator


class NumberedAttempt(NamedTuple):
    """A run of a unit on a procedure. number: from 1, in the order of the starts. For its times see `RunRecord`."""

    id: UUID
    number: int
    outcome: RunOutcome
    started_at: datetime
    ended_at: datetime
    created_by: CreatedBy
    reported_started_at: datetime | None
    reported_ended_at: datetime | None

    @property
    def duration(self) -> timedelta:
        return self.ended_at - self.started_at


class UnitAttempts(NamedTuple):
    """The runs of a unit on one procedure. total: how many there are. shown: some of them, last first."""

    procedure: ProcedureRef
    total: int
    shown: Sequence[NumberedAttempt]


def list_attempts(scope: Scope, unit_id: UUID, at_most: int) -> Sequence[UnitAttempts]:
    """The last runs of a unit, at most `at_most` on each procedure. The procedure that was run last comes first."""
    return _attempts(scope, unit_id, at_most, None)


def list_earlier_attempts(
    scope: Scope,
    unit_id: UUID,
    procedure_id: UUID,
    before: int,
    at_most: int,
) -> Sequence[UnitAttempts]:
    """The last runs of a unit on one procedure before the run number `before`; empty if it never ran on it."""
    return _attempts(scope, unit_id, at_most, (procedure_id, before))


def _attempts(
    scope: Scope,
    unit_id: UUID,
    at_most: int,
    earlier: tuple[UUID, int] | None,
) -> Sequence[UnitAttempts]:
    r, p = runs.c, procedures.c
    number = func.row_number().over(partition_by=r.procedure_id, order_by=(r.started_at, r.id))
    total = func.count().over(partition_by=r.procedure_id)
    own = select(r.id, number.label("number"), total.label("total")).where(
        scope.owns(r), r.unit_id == unit_id
    )
    if earlier is not None:
        own = own.where(r.procedure_id == earlier[0])
    numbered = own.subquery()
    n = numbered.c
    joined = numbered.join(runs, r.id == n.id).join(procedures, p.id == r.procedure_id)
    shown_before = n.total + 1 if earlier is None else earlier[1]
    query = (
        select(
            p.id, p.name, p.identifier, n.total, r.id, n.number, r.outcome, r.started_at, r.ended_at,
            r.reported_started_at, r.reported_ended_at, *CREATOR_COLUMNS,
        )
        .select_from(with_creator(runs, joined))
        .where(n.number < shown_before, n.number >= shown_before - at_most)
        .order_by(r.started_at.desc(), r.id.desc())
    )  # fmt: skip
    found: dict[UUID, tuple[ProcedureRef, int, list[NumberedAttempt]]] = {}
    for row in scope.connection.execute(query):
        procedure = ProcedureRef(*row[:3])
        attempts = found.setdefault(procedure.id, (procedure, row[3], []))[2]
        run_id, number, outcome, started_at, ended_at, reported_start, reported_end, *creator = row[4:]
        times = (started_at, ended_at)
        attempts.append(
            NumberedAttempt(
                run_id, number, outcome, *times, created_by(*creator), reported_start, reported_end
            )
        )
    return [UnitAttempts(*attempts) for attempts in found.values()]
