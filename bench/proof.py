"""How fast changes get into the proof, how fast it is verified, and how long a receipt takes.

    python bench/proof.py --json

See README.md in this folder for how to read the numbers.
"""

import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import msgspec
import typer

sys.path.insert(0, str(Path(__file__).parents[1]))  # so that this file can be run by its path

from bench.copied_runs import build_floor, record_runs
from bench.failure import BenchFailed
from bench.one_line import print_line
from runcard.evidence.prover import Prover
from runcard.evidence.signing import open_signing_key
from runcard.evidence.verification import Verification
from runcard.store.commit.writer import Writer
from runcard.store.engine.database import Database
from runcard.store.engine.migrate import migrate

_RECEIPTS = 20


class Line(msgspec.Struct):
    """entries: in the tree. receipt_ms: the median."""

    entries: int
    records: int
    sealed_per_s: float
    verified_per_s: float
    receipt_ms: float


def main(
    runs: Annotated[int, typer.Option(help="How many runs to record first.", min=1)] = 5000,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON line.")] = False,
) -> None:
    """Measure the proof on SQLite: sealing, verifying and receipts."""
    with TemporaryDirectory() as folder:
        line = _measure(Path(folder), runs)
    print_line(line, as_json=as_json, digits=1)


def _measure(folder: Path, runs: int) -> Line:
    database = Database.open(None, folder / "runcard.sqlite3")
    migrate(database)
    writer = Writer(database)
    try:
        return _measured(database, writer, folder, runs)
    finally:
        writer.close()
        database.close()


def _measured(database: Database, writer: Writer, folder: Path, runs: int) -> Line:
    floor = writer.write_shared(build_floor)
    ids = record_runs(writer, floor, runs)
    organization_id = floor.organization_id
    prover = Prover(database, writer, open_signing_key(None, folder))
    sealing_s = _timed(lambda: prover.seal(organization_id))
    prover.sign(organization_id)
    receipts = [
        _timed(partial(prover.prove_run, organization_id, one)) for one in ids[:: max(1, runs // _RECEIPTS)]
    ]
    with database.read_in(organization_id) as scope:
        checking = Verification(scope)
        started = time.perf_counter()
        found = list(checking.run())
        verifying_s = time.perf_counter() - started
    if found:
        raise BenchFailed(f"what nobody changed does not fit: {found[0].problem}")
    entries = checking.tally.entries
    return Line(
        entries,
        checking.tally.records,
        entries / sealing_s,
        entries / verifying_s,
        statistics.median(receipts) * 1000,
    )


def _timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


if __name__ == "__main__":
    typer.run(main)
