"""How fast runs are voided, corrected, deleted, restored and removed for good, all in one write, while nobody records.

    python bench/bin.py --json

See README.md in this folder for how to read the numbers.
"""

import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import msgspec
import typer

sys.path.insert(0, str(Path(__file__).parents[1]))  # so that this file can be run by its path

from bench.copied_runs import build_floor, record_runs
from bench.one_line import print_line
from runcard.domain.actor import UserActor
from runcard.domain.ids import new_id
from runcard.domain.runs.correction import RunCorrection
from runcard.ingest.corrections.runs import correct_runs, take_back_corrections
from runcard.store.bin.deleting import Deletion
from runcard.store.commit.transaction import Transaction
from runcard.store.commit.writer import Writer
from runcard.store.engine.database import Database
from runcard.store.engine.migrate import migrate
from runcard.store.restoring.purge import purge
from runcard.store.restoring.restore import restore
from runcard.store.runs.rows import delete_runs
from runcard.store.runs.voids import end_voids, void_runs


class Line(msgspec.Struct):
    """Runs a second, each in one write."""

    runs: int
    voided_per_s: float
    unvoided_per_s: float
    corrected_per_s: float
    taken_back_per_s: float
    deleted_per_s: float
    restored_per_s: float
    purged_per_s: float


def main(
    runs: Annotated[int, typer.Option(help="How many runs to record first.", min=1)] = 2000,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON line.")] = False,
) -> None:
    """Measure voids and the bin on SQLite."""
    with TemporaryDirectory() as folder:
        line = _measure(Path(folder), runs)
    print_line(line, as_json=as_json, digits=0)


def _measure(folder: Path, runs: int) -> Line:
    database = Database.open(None, folder / "runcard.sqlite3")
    migrate(database)
    writer = Writer(database)
    try:
        floor = writer.write_shared(build_floor)
        ids = record_runs(writer, floor, runs)
        admin = UserActor(new_id(), floor.organization_id, "admin")

        def rate(deed: Callable[[Transaction], Any]) -> float:
            started = time.perf_counter()
            writer.write_catalog(admin, deed)
            return runs / (time.perf_counter() - started)

        def delete(tx: Transaction) -> None:
            delete_runs(tx, ids, Deletion())

        voided = rate(lambda tx: void_runs(tx, admin, ids, "bench"))
        unvoided = rate(lambda tx: end_voids(tx, ids, None))
        right = RunCorrection(operator="Bench", started_at=datetime(2026, 3, 2, tzinfo=UTC))
        corrected = rate(lambda tx: correct_runs(tx, admin, ids, right, "bench"))
        taken_back = rate(lambda tx: take_back_corrections(tx, ids, "bench"))
        deleted = rate(delete)
        restored = rate(lambda tx: restore(tx, ids[0], None))
        rate(delete)
        purged = rate(lambda tx: purge(tx, ids[0], None))
        return Line(runs, voided, unvoided, corrected, taken_back, deleted, restored, purged)
    finally:
        writer.close()
        database.close()


if __name__ == "__main__":
    typer.run(main)
