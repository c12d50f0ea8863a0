"""The runs before and after a run, and the runs to compare it with. Runs with the same start are in order of ids."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Select, select, tuple_

from runcard.domain.runs.outcome import RunOutcome
from runcard.store.engine.scope import Scope, owned_by
from runcard.store.engine.tables import runs
from runcard.store.runs.records import RunPosition, RunRecord

# How many runs of a procedure are read in search of a pass of a part: no index has both.
LOOKED_THROUGH = 2000


class Neighbour(NamedTuple):
    id: UUID
    outcome: RunOutcome
    started_at: datetime


class Neighbours(NamedTuple):
    """The runs right before and right after a run; None if there is none."""

    earlier: Neighbour | None
    later: Neighbour | None


def find_neighbours_of_unit(scope: Scope, run: RunRecord) -> Neighbours:
    """Return the runs of the same unit, of any procedure, that started right before and right after a run."""
    return _neighbours(scope, run, runs.c.unit_id == run.unit.id)


def find_neighbours_of_procedure(scope: Scope, run: RunRecord) -> Neighbours:
    """Return the runs of the same procedure, of any unit, that started right before and right after a run."""
    return _neighbours(scope, run, runs.c.procedure_id == run.procedure.id)


def find_run_before(scope: Scope, run: RunRecord) -> Neighbour | None:
    """Return the last run of the same unit and procedure before a run; None if there is none."""
    return _first(scope.connection, _of_unit_before(scope.organization_id, run))


def find_pass_of_unit(scope: Scope, run: RunRecord) -> Neighbour | None:
    """Return the last passed run of the same unit and procedure before a run; None if there is none."""
    return _first(
        scope.connection, _of_unit_before(scope.organization_id, run).where(runs.c.outcome == "PASS")
    )


def find_pass_of_part(scope: Scope, run: RunRecord) -> Neighbour | None:
    """Return the last passed run of the same part and procedure before a run, of any unit.

    None if there is none among the last `LOOKED_THROUGH` runs of the procedure before it.
    """
    r = runs.c
    of_procedure = (scope.owns(r), r.procedure_id == run.procedure.id)
    near = (
        select(r.id, r.outcome, r.started_at, r.part_id)
        .where(*of_procedure, _is_before(run))
        .order_by(r.started_at.desc(), r.id.desc())
        .limit(LOOKED_THROUGH)
        .subquery()
    )
    n = near.c
    query = (
        select(n.id, n.outcome, n.started_at)
        .where(n.part_id == run.part.id, n.outcome == "PASS")
        .order_by(n.started_at.desc(), n.id.desc())
    )
    return _first(scope.connection, query)


def _of_unit_before(organization_id: UUID, run: RunRecord) -> Select[Any]:
    r = runs.c
    same = (r.unit_id == run.unit.id, r.procedure_id == run.procedure.id)
    return _backwards(_runs_that(organization_id, [*same, _is_before(run)]))


def _neighbours(scope: Scope, run: RunRecord, belongs: ColumnElement[bool]) -> Neighbours:
    r = runs.c
    before = _backwards(_runs_that(scope.organization_id, [belongs, _is_before(run)]))
    after = _runs_that(scope.organization_id, [belongs, _position() > _position_of(run)])
    return Neighbours(
        _first(scope.connection, before), _first(scope.connection, after.order_by(r.started_at, r.id))
    )


def _runs_that(organization_id: UUID, conditions: Sequence[ColumnElement[bool]]) -> Select[Any]:
    r = runs.c
    return select(r.id, r.outcome, r.started_at).where(owned_by(organization_id, r), *conditions)


def _backwards(query: Select[Any]) -> Select[Any]:
    return query.order_by(runs.c.started_at.desc(), runs.c.id.desc())


def _is_before(run: RunRecord) -> ColumnElement[bool]:
    is_before: ColumnElement[bool] = _position() < _position_of(run)
    return is_before


def _position() -> Any:
    return tuple_(runs.c.started_at, runs.c.id)


def _position_of(run: RunRecord) -> Any:
    """The position of a run, with the types of the columns: each database keeps moments and ids in its own form."""
    position = RunPosition(run.started_at, run.id)
    return tuple_(*position, types=[runs.c.started_at.type, runs.c.id.type])


def _first(connection: Connection, query: Select[Any]) -> Neighbour | None:
    row = connection.execute(query.limit(1)).one_or_none()
    return None if row is None else Neighbour(*row)
