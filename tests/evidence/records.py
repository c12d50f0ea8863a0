"""A small record with everything in it, sealed and signed, for tests that change it behind Runcard's back."""

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Table

from runcard.domain.proof.head import SignedHead
from runcard.domain.runs.correction import RunCorrection
from runcard.domain.runs.report import RunReport
from runcard.evidence.prover import Prover
from runcard.evidence.signing import open_signing_key
from runcard.evidence.verification import Discrepancy, Verification
from runcard.ingest.corrections.runs import correct_runs
from runcard.ingest.corrections.units import UnitCorrection, correct_units
from runcard.ingest.record_run import prepare_run, record_run
from runcard.ingest.record_unit import UnitChange, change_unit
from runcard.store.bin.deleting import Deletion
from runcard.store.commit.transaction import Transaction
from runcard.store.commit.writer import Writer
from runcard.store.creator import Creator
from runcard.store.engine.database import Database
from runcard.store.files.attachments import AnnouncedFile, create_attachment
from runcard.store.installation.sqlite_copy import copy_database
from runcard.store.restoring.purge import purge
from runcard.store.runs.rows import delete_run
from runcard.store.runs.voids import void_runs
from runcard.store.unit_merges.merge import merge_units
from runcard.store.unit_merges.obstacles import Kept
from runcard.store.units.records import delete_units
from tests.world import World


class Sealed(NamedTuple):
    """head: signed after everything was sealed."""

    database: Database
    organization_id: UUID
    prover: Prover
    head: SignedHead


def fill(writer: Writer, world: World, runs: int = 12) -> list[UUID]:
    """Record runs of new units and change one, bring a file, delete two runs, void two; returns the ids of the runs."""
    station, admin = world.acme.fct.actor, world.acme.admin.actor
    made = []
    for number in range(runs):
        report = RunReport(
            procedure=str(world.acme.board.id),
            serial_number=f"SN-{number}",
            outcome="PASS",
            part_number="PCB-1",
            batch_number="LOT-1",
            metadata={"humidity": 40.5, "shift": "früh"},
        )
        prepared = prepare_run(report)
        made.append(writer.write(station, partial(record_run, actor=station, run=prepared)))
    change = UnitChange(serial_number="SN-ZERO", metadata={"note": "renamed"})
    writer.write_catalog(admin, lambda tx: change_unit(tx, admin, "SN-0", change))
    writer.write(admin, lambda tx: create_attachment(tx, AnnouncedFile("log.txt"), Creator.of(admin)))
    for run_id in made[1:3]:
        writer.write(admin, partial(delete_run, run_id=run_id, deletion=Deletion(why="Recorded twice")))
    writer.write(admin, lambda tx: purge(tx, made[2], "For privacy"))
    writer.write(admin, lambda tx: void_runs(tx, admin, made[3:5], "The lid was open"))
    return made


def correct(writer: Writer, world: World, made: Sequence[UUID]) -> None:
    """Correct two of the runs that `fill` recorded, and the labels of two units, of which one is deleted; merge two."""
    admin = world.acme.admin.actor
    right = RunCorrection(serial_number="SN-9", started_at=datetime(2026, 3, 2, tzinfo=UTC))
    writer.write(admin, lambda tx: correct_runs(tx, admin, [made[0], made[5]], right, "The scan was wrong"))
    for serial in ("SN-10", "SN-11"):

        def relabel(tx: Transaction, serial: str = serial) -> object:
            unit = tx.catalog.get_unit(world.acme.id, serial)
            right = UnitCorrection(serial_number=f"{serial}-R")
            return correct_units(tx, admin, [unit.id], right, "The label was wrong")

        writer.write_catalog(admin, relabel)
    # Its old serial number goes into the bin with it.
    writer.write_catalog(admin, lambda tx: delete_units(tx, ["SN-11"], Deletion(), with_runs=True))
    writer.write_catalog(admin, partial(_merge, old="SN-8", new="SN-7"))


def _merge(tx: Transaction, old: str, new: str) -> None:
    source, into = (tx.catalog.get_unit(tx.organization_id, serial) for serial in (old, new))
    merge_units(tx, source.id, into.id, Kept(), "Misread")


def sealed_record(database: Database, writer: Writer, world: World, folder: Path) -> Sealed:
    """The record of Acme, filled, sealed and signed."""
    correct(writer, world, fill(writer, world))
    prover = Prover(database, writer, open_signing_key(None, folder))
    prover.seal(world.acme.id)
    head = prover.sign(world.acme.id)
    assert head is not None
    return Sealed(database, world.acme.id, prover, head)


def findings(record: Sealed, *outside: SignedHead) -> list[Discrepancy]:
    with record.database.read_in(record.organization_id) as scope:
        return list(Verification(scope, outside).run())


def found_after(
    record: Sealed, folder: Path, tamper: Callable[[sqlite3.Connection], object]
) -> list[Discrepancy]:
    """What is found in a copy of the database that somebody changed."""
    copied = folder / "changed.sqlite3"
    copied.unlink(missing_ok=True)
    copy_database(record.database, copied)
    with closing(sqlite3.connect(copied)) as connection:
        tamper(connection)
        connection.commit()
    with closing(Database.open(None, copied)) as database, database.read_in(record.organization_id) as scope:
        return list(Verification(scope).run())


def rows_of(record: Sealed, table: Table) -> list[dict[str, Any]]:
    """The rows of the organization as SQLite keeps them."""
    owner = "id" if table.name == "organizations" else "organization_id"
    query = f"SELECT * FROM {table.name} WHERE {owner} = ?"
    with record.database.engine.connect() as connection:
        found = connection.exec_driver_sql(query, (record.organization_id.bytes,))
        return [dict(row) for row in found.mappings()]
