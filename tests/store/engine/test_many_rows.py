"""Batches and procedures with more units and runs than one statement takes are deleted whole."""

from collections import Counter
from uuid import UUID

from sqlalchemy import func, select

from runcard.domain.actor import SystemActor
from runcard.domain.runs.report import RunReport
from runcard.ingest.record_run import prepare_run, record_run
from runcard.store.bin.deleting import Deletion
from runcard.store.commit.changes import last_seq, list_changes
from runcard.store.commit.transaction import SharedTransaction
from runcard.store.commit.writer import Writer
from runcard.store.engine.chunks import MAX_VALUES
from runcard.store.engine.database import Database
from runcard.store.engine.tables import run_documents, runs, unit_moves, units
from runcard.store.procedures.records import delete_procedure
from runcard.store.products.batches import delete_batch, get_batch
from runcard.store.units.members import MAX_MEMBERS, list_units_of_batch
from tests.world import World

MANY = MAX_VALUES + 1


def test_many_units_and_runs(database: Database, writer: Writer, world: World) -> None:
    home, board = world.acme.id, world.acme.board.id

    def record_all(tx: SharedTransaction) -> None:
        for number in range(MANY):
            report = RunReport(
                procedure=str(board),
                serial_number=f"SN-{number}",
                outcome="PASS",
                part_number="PCB-1",
                batch_number="LOT-1",
            )
            record_run(tx.of(world.acme.admin.actor), world.acme.admin.actor, prepare_run(report))

    writer.write_shared(record_all)
    with database.read_in(home) as scope:
        batch = get_batch(scope, "LOT-1")
        assert len(list_units_of_batch(scope, batch.id)) == MAX_MEMBERS
    before = _last_seq(database)
    writer.write_shared(lambda tx: delete_batch(tx.of(SystemActor(home, "test")), batch, Deletion()))
    assert _noted(database, before) == {"unit_moved": MANY, "run_changed": MANY, "batch_deleted": 1}
    assert _counts(database) == (MANY, MANY, MANY, MANY)
    assert _in_batch(database, batch.id) == (0, 0)
    before = _last_seq(database)
    writer.write_shared(lambda tx: delete_procedure(tx.of(SystemActor(home, "test")), board, Deletion()))
    assert _noted(database, before) == {"run_deleted": MANY, "procedure_deleted": 1, "station_changed": 1}
    assert _counts(database) == (MANY, MANY, 0, 0)


def _last_seq(database: Database) -> int:
    with database.read() as connection:
        return last_seq(connection)


def _noted(database: Database, after_seq: int) -> Counter[str]:
    with database.read() as connection:
        return Counter(change.kind for change in list_changes(connection, after_seq, 10 * MANY))


def _counts(database: Database) -> tuple[int, ...]:
    with database.read() as connection:
        tables = (units, unit_moves, runs, run_documents)
        return tuple(
            connection.execute(select(func.count()).select_from(table)).scalar_one() for table in tables
        )


def _in_batch(database: Database, batch_id: UUID) -> tuple[int, ...]:
    with database.read() as connection:
        return tuple(
            connection.execute(
                select(func.count()).select_from(table).where(table.c.batch_id == batch_id)
            ).scalar_one()
            for table in (units, runs)
        )
