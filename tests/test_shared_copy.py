"""A copy that several processes share: one of them writes it, and another takes over when that one ends."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from runcard.analytics.copy.columnar_copy import ColumnarCopy
from runcard.analytics.copy.engines.clickhouse import ClickHouse
from runcard.analytics.questions.activity.throughput import count_runs
from runcard.analytics.snapshot import Selection, Snapshot
from runcard.domain.errors import FiguresUnavailable
from runcard.domain.runs.report import RunReport
from runcard.store.commit.changes import last_seq
from runcard.store.lists.run_filter import RunFilter
from runcard.worker import Worker
from tests.analytics.clickhouse import own_clickhouse
from tests.conftest import DatabaseKind, Template
from tests.histories import Floor, opened_floor

PATIENCE_S = 60
RUN = RunReport(procedure="later", serial_number="SN", part_number="P", outcome="PASS")


@pytest.fixture(scope="module")
def database_kind() -> DatabaseKind:
    """Only PostgreSQL serves several processes."""
    return "postgresql"


@pytest.fixture(scope="module")
def floor(peopled: Template, peopled_database_url: str | None, module_data_dir: Path) -> Iterator[Floor]:
    with opened_floor(peopled, peopled_database_url, module_data_dir) as floor:
        yield floor


def is_up_to_date(floor: Floor, copy: ColumnarCopy) -> bool:
    while copy.seen is None:
        copy.rest(0.01)
    with floor.database.read() as connection:
        newest = last_seq(connection)
    return copy.is_fresh(newest)


def test_one_writes_and_the_other_takes_over(floor: Floor):
    procedure_id = floor.procedure()
    wanted = Selection(RunFilter(procedure_ids=[procedure_id]))
    with own_clickhouse() as engine:
        copies = [ColumnarCopy(ClickHouse(engine._connect, engine.place), PATIENCE_S) for _ in range(2)]
        workers = [Worker(floor.database, copy) for copy in copies]
        try:
            for recorded in range(1, 4):
                floor.record(procedure_id, [RUN])
                for copy in copies:
                    assert is_up_to_date(floor, copy)
                    with floor.database.read_in(floor.home) as scope, Snapshot(copy, scope) as snapshot:
                        assert count_runs(snapshot, wanted) == recorded
            workers.pop(0).close()
            copies.pop(0)
            floor.record(procedure_id, [RUN])
            assert is_up_to_date(floor, copies[0])
            with floor.database.read_in(floor.home) as scope, Snapshot(copies[0], scope) as snapshot:
                assert count_runs(snapshot, wanted) == 4
        finally:
            for worker in workers:
                worker.close()


def test_where_clickhouse_is_away_questions_say_so(floor: Floor):
    with own_clickhouse() as engine:
        gone = ClickHouse(engine._connect, engine.place)
        with (
            floor.database.read_in(floor.home) as scope,
            Snapshot(ColumnarCopy(gone, 0), scope) as snapshot,
            pytest.raises(FiguresUnavailable),
        ):
            count_runs(snapshot, Selection(RunFilter()))
