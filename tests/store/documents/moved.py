"""Runs of which some are old, and all that is read of them."""

import io
import secrets
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

from msgspec.structs import replace
from sqlalchemy import Table, func, select

from runcard.domain.actor import Actor
from runcard.domain.ids import first_id_at
from runcard.domain.runs.measurement import Measurement
from runcard.domain.runs.phase import Phase
from runcard.domain.runs.report import RunReport
from runcard.evidence.verification import Discrepancy, Verification
from runcard.exports.rows import export_measurements
from runcard.ingest.record_run import prepare_run, record_run
from runcard.intake.arrived_files import Stores
from runcard.store.commit.transaction import Transaction
from runcard.store.commit.writer import Writer
from runcard.store.contents.inside_runs import Deadline, Listing, list_inside
from runcard.store.contents.measurements import MEASUREMENTS, MeasurementFilter, MeasurementSort
from runcard.store.documents.document_store import DocumentStore
from runcard.store.documents.reading import find_proven_run
from runcard.store.engine import tables as t
from runcard.store.engine.database import Database
from runcard.store.files.blobs import Blobs
from runcard.store.lists.pages import Page
from runcard.store.lists.run_filter import RunFilter
from runcard.store.runs.headers import read_whole_runs
from runcard.store.runs.records import read_documents
from runcard.upkeep.documents import move_documents, tidy_packs
from tests.old_runs import days_ago
from tests.world import World

T = TypeVar("T")
AGES = (200, 150, 120, 100, 40, 1)
OLD = 4


def run_id_at(moment: datetime) -> UUID:
    """An id that a run gets that is recorded at this moment."""
    return UUID(int=first_id_at(moment).int | secrets.randbits(48) << 26)


def record_old(writer: Writer, actor: Actor, moment: datetime, serial_number: str, **fields: Any) -> UUID:
    """Id of a run that was recorded at a moment, whose id tells that moment."""
    told: dict[str, Any] = {"procedure": "FVT1", "outcome": "PASS", "part_number": "PCB-100"}
    report = RunReport(serial_number=serial_number, started_at=moment, **told, **fields)
    run = replace(prepare_run(report, received_at=moment), id=run_id_at(moment))
    return writer.write_shared(lambda tx: record_run(tx.of(actor), actor, run))


class Moved:
    """Six runs of Acme, four of which are older than 90 days, and one of Globex, which is old."""

    def __init__(
        self, database: Database, writer: Writer, documents: DocumentStore, world: World, folder: Path
    ) -> None:
        self.database, self.writer, self.documents, self.folder = database, writer, documents, folder
        self.home, self.admin, self.elsewhere = world.acme.id, world.acme.admin.actor, world.globex.id
        self.stores = Stores(database, writer, Blobs.open(None, None, folder / "attachments"))
        self.runs = [self.record(age) for age in AGES]
        globex = world.globex.admin.actor
        self.foreign = record_old(writer, globex, days_ago(300), "X")

    def record(self, age: float) -> UUID:
        """Id of a run of this age in days."""
        moment = days_ago(age)
        measured = (Measurement("volts", "PASS", age), Measurement("note", "PASS", "x" * 300))
        phase = Phase("heat", "PASS", moment, moment + timedelta(seconds=3), measured)
        return record_old(self.writer, self.admin, moment, f"SN-{age}", phases=(phase,))

    def write(self, apply: Callable[[Transaction], T]) -> T:
        return self.writer.write_catalog(self.admin, apply)

    def move(self, age: float = 90) -> int:
        """Move what is older than this, and return how many documents moved."""
        return sum(move_documents(self.stores, self.documents, self.home, days_ago(age)))

    def move_all_of_globex(self) -> Iterator[int]:
        """Move the documents of the other organization."""
        return move_documents(self.stores, self.documents, self.elsewhere, days_ago(0))

    def tidy(self, days: float = 0) -> None:
        """Tidy the packs as if so many days had passed."""
        list(tidy_packs(self.stores, self.documents, self.home, datetime.now(UTC) + timedelta(days=days)))

    def forget_reads(self) -> None:
        """Let the store read its packs again, as another process would."""
        self.documents.__init__(self.documents._open_blobs)  # type: ignore[misc]

    def count(self, table: Table) -> int:
        with self.database.read() as connection:
            return connection.execute(select(func.count()).select_from(table)).scalar_one()

    def packs(self) -> list[str]:
        """The keys of the files in the store."""
        return sorted(entry.key for entry in self.documents.blobs.list())

    def bodies(self) -> dict[UUID, bytes]:
        """The stored bytes of the documents that are in the database."""
        with self.database.read() as connection:
            query = select(t.run_documents.c.run_id, t.run_documents.c.body)
            return {row.run_id: row.body for row in connection.execute(query)}

    def everything(self, ids: list[UUID] | None = None) -> dict[str, Any]:
        """What each reader has of these runs."""
        ids = self.runs if ids is None else ids
        listing = Listing[MeasurementSort]("measurement_name", Page(100), Deadline(60), descending=False)
        with self.database.read_in(self.home) as scope:
            read: dict[str, Any] = {
                "documents": read_documents(scope, ids),
                "whole": read_whole_runs(scope, ids),
                "inside": list_inside(
                    scope, MEASUREMENTS, RunFilter(ids=ids), MeasurementFilter(), listing
                ).rows,
                "proven": {run_id: find_proven_run(scope, run_id) for run_id in ids},
            }
        pages = export_measurements(self.database, self.home, RunFilter(ids=ids), MeasurementFilter())
        return read | {"exported": [row for page in pages for row in page]}

    def discrepancies(self) -> list[Discrepancy]:
        with self.database.read_in(self.home) as scope:
            return list(Verification(scope).run())

    def damage(self, change: Callable[[bytes], bytes | None]) -> None:
        """Change the only pack; to None: remove it."""
        [key] = self.packs()
        content = change(self.documents.blobs.read(key) or b"")
        self.documents.blobs.delete(key)
        if content is not None:
            self.documents.blobs.write(key, io.BytesIO(content))
        self.forget_reads()
