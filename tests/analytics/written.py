"""Runs that a test writes down, value by value, and a copy of them."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

from runcard.analytics.copy.columnar_copy import ColumnarCopy
from runcard.analytics.snapshot import Snapshot
from runcard.domain.runs.measurement import Measurement
from runcard.domain.runs.phase import Phase
from runcard.domain.runs.report import RunReport
from runcard.store.commit.writer import Writer
from runcard.store.engine.database import Connection, Database
from runcard.store.engine.migrate import migrate
from runcard.store.engine.scope import Scope
from tests.analytics.copies import EngineKind, own_copy
from tests.conftest import SQLITE_FILE
from tests.histories import Floor
from tests.world import build_world

START = datetime(2026, 3, 2, 8, tzinfo=UTC)


class Written(NamedTuple):
    """home: the organization. procedure_id: of the runs. runs: their ids, in the order in which they were written."""

    home: UUID
    procedure_id: UUID
    connection: Connection
    copy: ColumnarCopy
    runs: Sequence[UUID]

    @property
    def snapshot(self) -> Snapshot:
        return Snapshot(self.copy, Scope(self.connection, self.home))


def run_of(
    number: int, *measurements: Measurement, phase: str = "p", retry_count: int = 0, part: str = "P"
) -> RunReport:
    """A run that started so many minutes after START, with one phase."""
    started_at = START + timedelta(minutes=number)
    inside = Phase(phase, "PASS", started_at, started_at, measurements, retry_count=retry_count)
    return RunReport(
        procedure="later",
        serial_number=f"W-{number}",
        part_number=part,
        outcome="PASS",
        started_at=started_at,
        phases=(inside,),
    )


# Given an empty folder and the runs.
Writing = Callable[[Path, Sequence[RunReport]], AbstractContextManager[Written]]


@contextmanager
def write(kind: EngineKind, folder: Path, reports: Sequence[RunReport]) -> Iterator[Written]:
    """A database of their own for these runs, all on one procedure."""
    database = Database.open(None, folder / SQLITE_FILE)
    migrate(database)
    writer = Writer(database)
    try:
        floor = Floor(database, writer, build_world(writer))
        procedure_id = floor.procedure()
        runs = floor.record(procedure_id, reports)
        with own_copy(database, kind) as copy, database.read() as connection:
            copy.follow()
            yield Written(floor.home, procedure_id, connection, copy.copy, list(runs))
    finally:
        writer.close()
        database.close()
