"""The line of the demo, with samples, other operators and a re-linked unit, and a copy of it; a floor for other
histories.
"""

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import NamedTuple, get_args
from uuid import UUID

import pytest

from runcard.analytics.copy.columnar_copy import ColumnarCopy
from runcard.analytics.snapshot import Snapshot
from runcard.auth.api_keys import new_api_key
from runcard.cli.demo_line.fill import MadeFloor, build_floor, record_history
from runcard.cli.demo_line.history import demo_runs
from runcard.domain.actor import SystemActor
from runcard.domain.floor.sample import SampleClass
from runcard.store.bin.deleting import Deletion
from runcard.store.commit.transaction import SharedTransaction
from runcard.store.commit.writer import Writer
from runcard.store.engine.database import Connection, Database
from runcard.store.engine.migrate import migrate
from runcard.store.engine.scope import Scope
from runcard.store.files.blobs import Blobs
from runcard.store.lists.pages import Page
from runcard.store.lists.run_filter import RunFilter
from runcard.store.runs.records import list_runs
from runcard.store.runs.rows import delete_runs
from runcard.store.runs.voids import void_runs
from runcard.store.units.classes import classify_unit
from tests.analytics.copies import EngineKind, OwnCopy, own_copy
from tests.analytics.truth import Frames, read_frames
from tests.analytics.written import Writing, write
from tests.conftest import SQLITE_FILE, Template
from tests.histories import Floor as HistoryFloor
from tests.histories import opened_floor

RUNS = 1200
NOW = datetime(2026, 4, 20, 9, 30, tzinfo=UTC)


class Line(NamedTuple):
    """home: its organization. connection: of the truth."""

    home: UUID
    connection: Connection
    copy: ColumnarCopy
    frames: Frames

    @property
    def snapshot(self) -> Snapshot:
        return Snapshot(self.copy, Scope(self.connection, self.home))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let ClickHouse follow one kind of database: the copy of the other is the same, and takes as long again."""
    again = {"engine_kind": "clickhouse", "database_kind": "postgresql"}
    items[:] = [item for item in items if not again.items() <= _params(item).items()]


def _params(item: pytest.Item) -> dict[str, object]:
    callspec = getattr(item, "callspec", None)
    return {} if callspec is None else callspec.params


class RecordedLine(NamedTuple):
    """home: its organization. connection: of the truth."""

    home: UUID
    database: Database
    connection: Connection
    frames: Frames


@pytest.fixture(scope="session")
def recorded_line(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RecordedLine]:
    """The demo line's last 60 days, across a change of the clocks in Europe; nobody changes it."""
    folder = tmp_path_factory.mktemp("line")
    database = Database.open(None, folder / SQLITE_FILE)
    migrate(database)
    writer = Writer(database)
    try:
        floor = writer.write_shared(lambda tx: build_floor(tx, "no password", new_api_key(), {}))
        blobs = Blobs.open(None, None, folder / "attachments")
        record_history(writer, blobs, floor, demo_runs(1, RUNS, 60, NOW), lambda _: None)
        _set_samples_apart(database, writer, floor)
        _void_and_delete(database, writer, floor)
        home = floor.organization_id
        with database.read() as connection:
            yield RecordedLine(home, database, connection, read_frames(connection, home))
    finally:
        writer.close()
        database.close()


@pytest.fixture(scope="session", params=get_args(EngineKind))
def engine_kind(request: pytest.FixtureRequest) -> EngineKind:
    kind: EngineKind = request.param
    return kind


@pytest.fixture(scope="session")
def written(engine_kind: EngineKind) -> Writing:
    """Writes runs down in a database of their own, and copies them."""
    return partial(write, engine_kind)


@pytest.fixture(scope="session")
def line(recorded_line: RecordedLine, engine_kind: EngineKind) -> Iterator[Line]:
    """A copy of the recorded line."""
    with own_copy(recorded_line.database, engine_kind) as copy:
        copy.follow()
        yield Line(recorded_line.home, recorded_line.connection, copy.copy, recorded_line.frames)


@pytest.fixture(scope="module")
def floor(
    peopled: Template, peopled_database_url: str | None, module_data_dir: Path
) -> Iterator[HistoryFloor]:
    with opened_floor(peopled, peopled_database_url, module_data_dir) as floor:
        yield floor


@pytest.fixture(scope="module")
def followed(floor: HistoryFloor, engine_kind: EngineKind) -> Iterator[OwnCopy]:
    """A copy that takes in what each history leaves, after those before."""
    with own_copy(floor.database, engine_kind) as copy:
        yield copy


def _set_samples_apart(database: Database, writer: Writer, floor: MadeFloor) -> None:
    home = floor.organization_id
    with database.read_in(home) as scope:
        page = list_runs(scope, RunFilter(), "started_at", Page(40, 100), descending=True)
    units = sorted({run.unit.id for run in page.rows})
    classes: tuple[SampleClass, ...] = ("golden", "failing", "ignored")
    for number, unit_id in enumerate(units[:15]):
        writer.write_shared(partial(_classify, home, unit_id, classes[number % 3]))


def _void_and_delete(database: Database, writer: Writer, floor: MadeFloor) -> None:
    """Void and delete runs of units that have several, among them first runs that failed, and a few others."""
    home = floor.organization_id
    with database.read_in(home) as scope:
        page = list_runs(scope, RunFilter(), "started_at", Page(RUNS), descending=False)
    by_unit: dict[tuple[UUID, UUID], list[UUID]] = defaultdict(list)
    for run in page.rows:
        by_unit[run.unit.id, run.procedure.id].append(run.id)
    several = [runs for runs in by_unit.values() if len(runs) > 1]
    once = [runs for runs in by_unit.values() if len(runs) == 1]
    voided = [runs[place % len(runs)] for place, runs in enumerate(several[::3])]
    deleted = [runs[place % len(runs)] for place, runs in enumerate(several[1::3])]
    voided += [run for runs in once[::40] for run in runs]
    assert len(voided) > 20
    assert len(deleted) > 10
    writer.write(floor.engineer, lambda tx: void_runs(tx, floor.engineer, voided, "Wrong fixture"))
    writer.write(floor.engineer, lambda tx: delete_runs(tx, deleted, Deletion()))


def _classify(home: UUID, unit_id: UUID, sample: SampleClass, tx: SharedTransaction) -> None:
    classify_unit(tx.of(SystemActor(home, "test")), unit_id, sample, with_runs=True)
