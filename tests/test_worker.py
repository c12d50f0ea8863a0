"""The thread that brings the copy up to date, on a truth of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from runcard.analytics.copy.columnar_copy import ColumnarCopy
from runcard.analytics.copy.engines.duckdb import DuckDb
from runcard.analytics.lists.inside_lists import list_logs
from runcard.domain.runs.measurement import Measurement
from runcard.domain.runs.phase import Log, Phase
from runcard.domain.runs.report import RunReport
from runcard.store.commit.changes import last_seq
from runcard.store.contents.inside_runs import Deadline, Listing
from runcard.store.contents.logs import LogFilter
from runcard.store.lists.pages import Page
from runcard.store.lists.run_filter import RunFilter
from runcard.worker import Worker
from tests.analytics.copies import content_of, own_copy
from tests.conftest import Template
from tests.histories import START, Floor, opened_floor

# Far beyond what it takes; only a worker that hangs meets it.
PATIENCE_S = 60
LOGGED = RunReport(
    procedure="later",
    serial_number="SN",
    part_number="P",
    outcome="PASS",
    logs=(Log("INFO", START, "one", "a.py", 1),),
)


@pytest.fixture(scope="module")
def floor(peopled: Template, peopled_database_url: str | None, module_data_dir: Path) -> Iterator[Floor]:
    with opened_floor(peopled, peopled_database_url, module_data_dir) as floor:
        yield floor


@pytest.fixture
def copy(tmp_path: Path) -> ColumnarCopy:
    return ColumnarCopy(DuckDb(tmp_path / "analytics.duckdb"), PATIENCE_S)


@pytest.fixture
def worker(floor: Floor, copy: ColumnarCopy) -> Iterator[Worker]:
    worker = Worker(floor.database, copy)
    yield worker
    worker.close()


def newest(floor: Floor) -> int:
    with floor.database.read() as connection:
        return last_seq(connection)


def is_up_to_date(floor: Floor, copy: ColumnarCopy) -> bool:
    """After waiting for it; at first, nobody waits for a copy of which nothing is known yet."""
    while copy.seen is None:
        copy.rest(0.01)
    return copy.is_fresh(newest(floor))


@pytest.mark.usefixtures("worker")
def test_a_reader_sees_what_was_committed_before_it_asked(floor: Floor, copy: ColumnarCopy) -> None:
    assert is_up_to_date(floor, copy)
    procedure_id = floor.procedure()
    for _ in range(5):
        made = floor.record(procedure_id, [LOGGED])
        with floor.database.read_in(floor.home) as scope:
            # The truth has no time to answer in the copy's place.
            listed = list_logs(
                copy,
                scope,
                RunFilter(procedure_ids=[procedure_id]),
                LogFilter(),
                Listing("run_id", Page(1), Deadline(0), descending=True),
            )
        assert [one.run.id for one in listed.rows] == list(made)


MEASURED = replace(
    LOGGED, phases=(Phase("p", "PASS", START, START, (Measurement("m", "PASS", 1, "V", 0.0, 2.0),)),)
)


@pytest.mark.usefixtures("worker")
def test_a_damaged_copy_is_begun_anew(floor: Floor, copy: ColumnarCopy) -> None:
    procedure_id = floor.procedure()
    floor.record(procedure_id, [MEASURED])
    assert is_up_to_date(floor, copy)
    copy.distrust()
    assert not copy.is_fresh(0)
    floor.record(procedure_id, [MEASURED])
    assert is_up_to_date(floor, copy)
    with own_copy(floor.database) as other:
        other.follow()
        assert content_of(copy) == other.content()


@pytest.mark.usefixtures("worker")
def test_a_copy_of_another_history_is_begun_anew(floor: Floor, copy: ColumnarCopy) -> None:
    """As after a backup was restored: the copy has seen what never happened."""
    floor.record(floor.procedure(), [MEASURED])
    assert is_up_to_date(floor, copy)
    with copy.engine.transaction() as cursor:
        cursor.execute("UPDATE copy_state SET entity = uuid()")
        cursor.execute("UPDATE runs SET outcome = 'ABORTED'")
    floor.record(floor.procedure(), [MEASURED])
    while not is_up_to_date(floor, copy):
        copy.rest(0.01)
    with own_copy(floor.database) as other:
        other.follow()
        assert content_of(copy) == other.content()


def test_when_it_ends_nobody_waits_any_more(floor: Floor, copy: ColumnarCopy) -> None:
    worker = Worker(floor.database, copy)
    assert is_up_to_date(floor, copy)
    worker.close()
    assert copy.is_fresh(0)
    floor.procedure()
    assert not copy.is_fresh(newest(floor))


def test_nobody_waits_for_a_copy_that_is_far_behind(copy: ColumnarCopy) -> None:
    copy.tell(0)
    assert not copy.is_fresh(1_000_000)
    copy.engine.close()
