"""Questions about more things than one statement takes values."""

from functools import partial
from uuid import UUID

import pytest

from runcard.domain.ids import new_run_id
from runcard.domain.runs.report import RunReport
from runcard.ingest.record_run import prepare_run, record_run
from runcard.store.commit.transaction import SharedTransaction
from runcard.store.commit.writer import Writer
from runcard.store.creator import Creator
from runcard.store.engine.chunks import MAX_VALUES, in_chunks
from runcard.store.engine.database import Database
from runcard.store.files.attachments import (
    AnnouncedFile,
    create_attachment,
    link_attachment,
    list_attachments,
    mark_stored,
)
from runcard.store.files.blobs import BlobMeta
from runcard.store.runs.records import list_sub_units, read_documents
from tests.world import World

# PostgreSQL takes 65 535 values in one statement, SQLite half as many.
MANY = 66_000


@pytest.mark.parametrize("count", [0, 1, MAX_VALUES, MAX_VALUES + 1, 3 * MAX_VALUES])
def test_chunks_together_are_all_the_values(count: int) -> None:
    chunks = list(in_chunks(range(count)))
    assert [value for chunk in chunks for value in chunk] == list(range(count))
    assert all(1 <= len(chunk) <= MAX_VALUES for chunk in chunks)


@pytest.fixture
def run_ids(writer: Writer, world: World) -> list[UUID]:
    """Two runs, each with a sub-unit and a file, far apart among ids of runs that are not there."""
    actor = world.acme.admin.actor

    def record(tx: SharedTransaction, serial_number: str, *sub_units: str) -> UUID:
        report = RunReport(
            procedure="FVT1",
            serial_number=serial_number,
            part_number="P",
            outcome="PASS",
            sub_units=sub_units,
        )
        return record_run(tx.of(actor), actor, prepare_run(report))

    def record_whole(tx: SharedTransaction, serial_number: str) -> UUID:
        record(tx, f"{serial_number}-C")
        run_id = record(tx, serial_number, f"{serial_number}-C")
        acme = tx.of(actor)
        file = create_attachment(
            acme,
            AnnouncedFile("a.txt"),
            Creator.of(actor),
        )
        mark_stored(acme, file, BlobMeta(1, None))
        link_attachment(acme, file, run_id)
        return run_id

    first, last = (writer.write_shared(partial(record_whole, serial_number=serial)) for serial in ("A", "B"))
    return [first, *(new_run_id() for _ in range(MANY)), last]


def test_runs_are_read_whole_however_many_are_asked_for(
    database: Database, world: World, run_ids: list[UUID]
) -> None:
    home, there = world.acme.id, {run_ids[0], run_ids[-1]}
    with database.read_in(home) as scope:
        assert read_documents(scope, run_ids).keys() == there
        assert list_sub_units(scope, run_ids).keys() == there
        assert list_attachments(scope, run_ids).keys() == there
