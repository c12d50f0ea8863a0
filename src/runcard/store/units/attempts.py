"""The runs of one unit, procedure by procedure."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Subquery, func, select, type_coerce, union_all

from runcard.domain.floor.sample import SampleClass
from runcard.domain.runs.outcome import RunOutcome
from runcard.store.engine.scope import Scope
from runcard.store.engine.tables import deleted_things, procedures, runs
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
    is_voided: bool = False

    @property
    def duration(self) -> timedelta:
        return self.ended_at - self.started_at


class DeletedAttempt(NamedTuple):
    """A run that was deleted, which keeps its number."""

    id: UUID
    number: int
    outcome: RunOutcome
    started_at: datetime


class UnitAttempts(NamedTuple):
    """The runs of a unit on one procedure. total: how many there are, deleted ones included. shown: some of them, last
    first. deleted: those that were deleted within the range of those shown, last first.
    """

    procedure: ProcedureRef
    total: int
    shown: Sequence[NumberedAttempt]
    deleted: Sequence[DeletedAttempt]


class UnitRun(NamedTuple):
    """A run of a unit. voided_at: None: it counts. sample: None: of a production unit."""

    id: UUID
    unit_id: UUID
    procedure_id: UUID
    part_id: UUID
    started_at: datetime
    outcome: RunOutcome
    voided_at: datetime | None
    sample: SampleClass | None


def list_runs_of_units(scope: Scope, unit_ids: Collection[UUID]) -> Sequence[UnitRun]:
    """All runs of these units, in the order of their starts."""
    r = runs.c
    columns = (r[name] for name in UnitRun._fields)
    query = select(*columns).where(scope.owns(r), r.unit_id.in_(unit_ids)).order_by(r.started_at, r.id)
    return [UnitRun(*row) for row in scope.connection.execute(query)]


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
    numbered = _numbered(scope, unit_id, None if earlier is None else earlier[0])
    r, p, n = runs.c, procedures.c, numbered.c
    joined = numbered.join(runs, r.id == n.id).join(procedures, p.id == r.procedure_id)
    shown_before = n.total + 1 if earlier is None else earlier[1]
    within = (n.number < shown_before, n.number >= shown_before - at_most)
    query = (
        select(
            p.id, p.name, p.identifier, n.total, r.id, n.number, r.outcome, r.started_at, r.ended_at,
            r.reported_started_at, r.reported_ended_at, r.voided_at, *CREATOR_COLUMNS,
        )
        .select_from(with_creator(runs, joined))
        .where(*within)
        .order_by(r.started_at.desc(), r.id.desc())
    )  # fmt: skip
    deleted = _deleted(scope, numbered, within)
    found: dict[UUID, tuple[ProcedureRef, int, list[NumberedAttempt]]] = {}
    for row in scope.connection.execute(query):
        procedure = ProcedureRef(*row[:3])
        attempts = found.setdefault(procedure.id, (procedure, row[3], []))[2]
        run_id, number, outcome, started_at, ended_at, reported_start, reported_end, voided_at, *creator = (
            row[4:]
        )
        times = (started_at, ended_at)
        attempts.append(
            NumberedAttempt(
                run_id, number, outcome, *times, created_by(*creator), reported_start, reported_end,
                voided_at is not None,
            )
        )  # fmt: skip
    return [UnitAttempts(*attempts, deleted.get(attempts[0].id, [])) for attempts in found.values()]


def _numbered(scope: Scope, unit_id: UUID, procedure_id: UUID | None) -> Subquery:
    """The runs of a unit and those that were deleted, numbered on each procedure. procedure_id: None: on all.

    A run that was deleted before its procedure was merged counts on the target of the merge.
    """
    r, d, p = runs.c, deleted_things.c, procedures.c
    present = select(r.id, r.procedure_id, r.started_at).where(scope.owns(r), r.unit_id == unit_id)
    target = func.coalesce(p.merged_into_id, d.procedure_id)
    gone = (
        select(d.id, type_coerce(target, d.procedure_id.type).label("procedure_id"), d.started_at)
        .select_from(deleted_things.outerjoin(procedures, p.id == d.procedure_id))
        .where(scope.owns(d), d.unit_id == unit_id)
    )
    every = union_all(present, gone).subquery()
    e = every.c
    number = func.row_number().over(partition_by=e.procedure_id, order_by=(e.started_at, e.id))
    total = func.count().over(partition_by=e.procedure_id)
    numbered = select(e.id, e.procedure_id, number.label("number"), total.label("total"))
    if procedure_id is not None:
        numbered = numbered.where(e.procedure_id == procedure_id)
    return numbered.subquery()


def _deleted(
    scope: Scope, numbered: Subquery, within: Sequence[ColumnElement[bool]]
) -> Mapping[UUID, list[DeletedAttempt]]:
    """The deleted runs among those that are numbered, by procedure, last first."""
    d, n = deleted_things.c, numbered.c
    columns = (d.id, n.number, d.outcome, d.started_at)
    query = select(n.procedure_id, *columns).join_from(numbered, deleted_things, d.id == n.id)
    found: dict[UUID, list[DeletedAttempt]] = defaultdict(list)
    for procedure_id, *row in scope.connection.execute(
        query.where(scope.owns(d), *within).order_by(n.number.desc())
    ):
        found[procedure_id].append(DeletedAttempt(*row))
    return found
