"""The runs around a run, compared with a plain search among all of them."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from random import Random
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Connection, event

from runcard.domain.runs.outcome import RunOutcome
from runcard.domain.runs.report import RunReport
from runcard.store.commit.writer import Writer
from runcard.store.engine.database import Database
from runcard.store.engine.scope import Scope
from runcard.store.runs.neighbours import (
    Neighbour,
    find_neighbours_of_procedure,
    find_neighbours_of_unit,
    find_pass_of_part,
    find_pass_of_unit,
    find_run_before,
)
from runcard.store.runs.records import RunRecord, read_runs
from tests.histories import START, Floor
from tests.world import World

OUTCOMES: list[RunOutcome] = ["PASS", "FAIL", "ERROR"]


@pytest.fixture
def floor(database: Database, writer: Writer, world: World) -> Floor:
    return Floor(database, writer, world)


def runs_of_few_units(floor: Floor) -> list[UUID]:
    """Many runs of few units and two procedures, many of which start together."""
    chance = Random(3)
    ids: list[UUID] = []
    for name in ("First", "Second"):
        reports = [
            RunReport(
                procedure="",
                serial_number=f"SN-{unit}",
                part_number=f"P-{unit % 2}",
                outcome=chance.choice(OUTCOMES),
                started_at=START + timedelta(minutes=chance.randint(0, 6)),
            )
            for unit in (chance.randint(1, 5) for _ in range(30))
        ]
        ids += floor.record(floor.procedure(name), reports)
    return ids


def last(
    runs: Sequence[RunRecord], before: RunRecord, is_wanted: Callable[[RunRecord], bool]
) -> Neighbour | None:
    found = [one for one in runs if place(one) < place(before) and is_wanted(one)]
    return neighbour(max(found, key=place)) if found else None


def first(
    runs: Sequence[RunRecord], after: RunRecord, is_wanted: Callable[[RunRecord], bool]
) -> Neighbour | None:
    found = [one for one in runs if place(one) > place(after) and is_wanted(one)]
    return neighbour(min(found, key=place)) if found else None


def place(run: RunRecord) -> tuple[Any, UUID]:
    return run.started_at, run.id


def neighbour(run: RunRecord) -> Neighbour:
    return Neighbour(run.id, run.outcome, run.started_at)


def test_neighbours_are_those_that_started_next_and_of_one_start_by_id(floor: Floor) -> None:
    ids = runs_of_few_units(floor)
    with floor.database.read_in(floor.home) as scope:
        runs = read_runs(scope, ids)
        for run in runs:
            of_unit = find_neighbours_of_unit(scope, run)
            of_procedure = find_neighbours_of_procedure(scope, run)
            same_unit, same_procedure = same("unit", run), same("procedure", run)
            assert of_unit == (last(runs, run, same_unit), first(runs, run, same_unit))
            assert of_procedure == (last(runs, run, same_procedure), first(runs, run, same_procedure))


def test_what_a_run_is_compared_with_came_before_it(floor: Floor) -> None:
    ids = runs_of_few_units(floor)
    with floor.database.read_in(floor.home) as scope:
        runs = read_runs(scope, ids)
        for run in runs:
            of_both = [one for one in runs if same("unit", run)(one) and same("procedure", run)(one)]
            of_part = [one for one in runs if same("part", run)(one) and same("procedure", run)(one)]
            assert find_run_before(scope, run) == last(of_both, run, lambda one: True)
            assert find_pass_of_unit(scope, run) == last(of_both, run, has_passed)
            assert find_pass_of_part(scope, run) == last(of_part, run, has_passed)


def same(name: str, run: RunRecord) -> Callable[[RunRecord], bool]:
    return lambda one: getattr(one, name).id == getattr(run, name).id


def has_passed(run: RunRecord) -> bool:
    return run.outcome == "PASS"


def test_another_organization_finds_nothing(floor: Floor) -> None:
    ids = runs_of_few_units(floor)
    with floor.database.read() as connection:
        run = read_runs(Scope(connection, floor.home), ids)[20]
        assert find_neighbours_of_unit(Scope(connection, floor.elsewhere), run) == (None, None)
        assert find_neighbours_of_procedure(Scope(connection, floor.elsewhere), run) == (None, None)
        for find in (find_run_before, find_pass_of_unit, find_pass_of_part):
            assert find(Scope(connection, floor.elsewhere), run) is None


def test_no_neighbour_is_found_by_sorting_on_sqlite(floor: Floor) -> None:
    """Along an index of the unit's or the procedure's runs, which has them in order."""
    ids = runs_of_few_units(floor)
    with floor.database.read_in(floor.home) as scope:
        if scope.connection.dialect.name != "sqlite":
            pytest.skip("of few rows PostgreSQL uses no index")
        run = read_runs(scope, ids)[20]
        plans = plans_of(scope.connection, lambda: find_neighbours_of_unit(scope, run))
        assert len(plans) == 2
        assert all("ix_runs_unit_id_runs_started_at (unit_id=? AND (started_at,id)" in plan for plan in plans)
        plans = plans_of(scope.connection, lambda: find_neighbours_of_procedure(scope, run))
        assert len(plans) == 2
        assert all(
            "ix_runs_procedure_id_runs_started_at (procedure_id=? AND (started_at,id)" in plan
            for plan in plans
        )
        plans = plans_of(scope.connection, lambda: find_pass_of_part(scope, run))
        assert len(plans) == 1
        assert "ix_runs_procedure_id_runs_started_at (procedure_id=? AND (started_at,id)" in plans[0]


def plans_of(connection: Connection, find: Callable[[], object]) -> list[str]:
    """What SQLite says of each statement that `find` runs."""
    statements: list[tuple[str, Any]] = []

    def keep(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
        statements.append((statement, parameters))

    event.listen(connection, "before_cursor_execute", keep)
    find()
    event.remove(connection, "before_cursor_execute", keep)
    plans = []
    for statement, parameters in statements:
        rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        plans.append("; ".join(row[-1] for row in rows))
    return plans
