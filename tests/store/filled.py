"""An organization whose records name each other, to see what a deed leaves of them."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TypeVar
from uuid import UUID

from sqlalchemy import Table, select

from runcard.domain.floor.repair import RepairReport
from runcard.domain.runs.measurement import Measurement
from runcard.domain.runs.phase import Phase
from runcard.domain.runs.report import RunReport
from runcard.ingest.record_repair import record_repair
from runcard.ingest.record_run import prepare_run, record_run
from runcard.store.commit.transaction import Transaction
from runcard.store.commit.writer import Writer
from runcard.store.creator import Creator
from runcard.store.engine import tables as t
from runcard.store.engine.database import Database
from runcard.store.files.attachments import AnnouncedFile, Owner, create_attachment, link_upload
from runcard.store.files.imports import ImportedFile, note_import
from runcard.store.runs.rows import find_reported_run
from tests.world import World

START = datetime(2026, 1, 2, tzinfo=UTC)
# What a deletion and a restoration add to, or have no part in.
_GROWING = {t.changes.name, t.catalog_version.name, t.unit_moves.name}

Rows = dict[str, list[str]]
T = TypeVar("T")


class Filled:
    """Acme with units, sub-units, runs, repairs, files and batches that name each other."""

    def __init__(self, database: Database, writer: Writer, world: World) -> None:
        self.database, self.writer, self.world = database, writer, world
        self.home = world.acme.id
        self.admin = world.acme.admin.actor
        self.runs = [
            self.record(serial, number, sub_units)
            for number, (serial, sub_units) in enumerate(
                [
                    ("SUB-1", ()),
                    ("SUB-2", ()),
                    ("TOP", ("SUB-1", "SUB-2")),
                    ("TOP", ()),
                    ("OTHER", ("SUB-2",)),
                ]
            )
        ]
        self.files = self.write(self._bring_files)

    def write(self, apply: Callable[[Transaction], T]) -> T:
        return self.writer.write_catalog(self.admin, apply)

    def unit(self, serial: str) -> UUID:
        return self.write(lambda tx: tx.catalog.get_unit(self.home, serial).id)

    def rows(self) -> Rows:
        """All rows of every table, except of those that only grow."""
        with self.database.read() as connection:
            return {
                table.name: sorted(map(repr, connection.execute(select(table)).all()))
                for table in t.metadata.sorted_tables
                if table.name not in _GROWING
            }

    def ids(self, table: Table) -> Sequence[UUID]:
        with self.database.read() as connection:
            return connection.execute(select(table.c.id).order_by(table.c.id)).scalars().all()

    def has_run(self, client_run_ref: str) -> bool:
        """Whether the run with this key is recorded."""
        with self.database.read_in(self.home) as scope:
            return find_reported_run(scope, client_run_ref) is not None

    def record(self, serial: str, number: int, sub_units: Sequence[str], part: str = "PCB-100") -> UUID:
        report = RunReport(
            procedure=str(self.world.acme.board.id),
            serial_number=serial,
            outcome="FAIL" if number % 2 else "PASS",
            part_number=part,
            batch_number="LOT-1",
            procedure_version="v1",
            sub_units=tuple(sub_units),
            started_at=START + timedelta(minutes=number),
            duration=timedelta(seconds=30),
            client_run_ref=f"ref-{number}",
            metadata={"humidity": 40.5, "shift": "früh", "hot": True},
            phases=(Phase("p", "PASS", START, START, (Measurement("Ø", "PASS", 1.5),)),),
        )
        station = self.world.acme.fct.actor
        return self.writer.write(station, partial(record_run, actor=station, run=prepare_run(report)))

    def _bring_files(self, tx: Transaction) -> Sequence[UUID]:
        """A file of a run, one of a unit, one that a run was imported from, and a picture of a station."""
        creator = Creator.of(self.admin)
        made = [create_attachment(tx, AnnouncedFile(f"{name}.txt"), creator).id for name in "abcd"]
        link_upload(tx, made[0], Owner(run_id=self.runs[2]))
        link_upload(tx, made[1], Owner(unit_id=tx.catalog.get_unit(self.home, "TOP").id))
        imported = note_import(tx, ImportedFile(b"d" * 32, "WATS", made[2]), [self.runs[3]], creator)
        record_repair(tx, self.admin, RepairReport("TOP", "Repair", "PASS", START), imported.id)
        return made
