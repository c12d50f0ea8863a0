"""How fast an installation moves to PostgreSQL, how long stations wait for it, and what a run costs meanwhile.

    python bench/move.py --json

See README.md in this folder for how to read the numbers.
"""

import sys
import time
from collections import defaultdict
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import msgspec
import typer

sys.path.insert(0, str(Path(__file__).parents[1]))  # so that this file can be run by its path

from bench.copied_runs import Floor, build_floor, record_runs
from bench.one_line import print_line
from bench.postgres import postgresql
from runcard.domain.ids import new_id
from runcard.store.commit.writer import Writer
from runcard.store.engine.database import Database
from runcard.store.engine.migrate import migrate
from runcard.store.engine.tables import metadata
from runcard.store.moving.binary_rows import moved
from runcard.store.moving.checks import open_target
from runcard.store.moving.journal import forget_move, open_journal
from runcard.store.moving.moving import Mover
from runcard.store.moving.source import count_rows, snapshot, writing

# How many runs are recorded to see what one costs.
_SAMPLE = 2_000


class Line(msgspec.Struct):
    """Processor time is that of this process, without that of PostgreSQL."""

    runs: int
    rows: int
    rows_per_s: float
    copy_s: float
    compare_s: float
    switch_s: float
    run_cpu_us: float
    run_with_journal_cpu_us: float


def main(
    runs: Annotated[
        int, typer.Option(help="How many runs to move, besides 4 000 that are timed.", min=2_000)
    ] = 10_000,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON line.")] = False,
) -> None:
    """Measure a move while nobody records."""
    with TemporaryDirectory() as folder:
        line = _measure(Path(folder), runs)
    print_line(line, as_json=as_json, digits=2)


def _measure(folder: Path, runs: int) -> Line:
    with closing(Database.open(None, folder / "runcard.sqlite3")) as source:
        migrate(source)
        plain_us, journal_us = _record(source, runs)
        with snapshot(source) as connection:
            rows = sum(count_rows(connection, moved(table)) for table in metadata.sorted_tables)
        with (
            postgresql(folder / "postgresql", ["moved"]) as urls,
            closing(open_target(urls["moved"])) as target,
        ):
            took_s = _move(source, target)
    return Line(
        runs=runs + 2 * _SAMPLE,
        rows=rows,
        rows_per_s=rows / sum(took_s.values()),
        copy_s=took_s["Copying"],
        compare_s=took_s["Comparing"],
        switch_s=took_s["Switching"],
        run_cpu_us=plain_us,
        run_with_journal_cpu_us=journal_us,
    )


def _record(source: Database, runs: int) -> tuple[float, float]:
    """Record so many runs, and return what one more costs: without the journal of a move, and with it."""
    with closing(Writer(source)) as writer:
        floor = writer.write_shared(build_floor)
        record_runs(writer, floor, runs)
        plain_us = _cost_us(writer, floor)
        with writing(source) as connection:
            open_journal(connection, new_id())
        journal_us = _cost_us(writer, floor)
        with writing(source) as connection:
            forget_move(connection)
    return plain_us, journal_us


def _cost_us(writer: Writer, floor: Floor) -> float:
    started = time.process_time()
    record_runs(writer, floor, _SAMPLE)  # of units that are there
    return (time.process_time() - started) / _SAMPLE * 1e6


def _move(source: Database, target: Database) -> dict[str, float]:
    """How long each step took."""
    took_s: dict[str, float] = defaultdict(float)
    step, since = "Preparing", time.perf_counter()

    def tell(told: str, _done: int, _total: int) -> None:
        nonlocal step, since
        now = time.perf_counter()
        took_s[step] += now - since
        step, since = told, now

    mover = Mover(source, target, tell)
    with mover.alone():
        mover.begin()
        mover.copy_and_switch()
        mover.finish()
    tell("end", 0, 0)
    return took_s


if __name__ == "__main__":
    typer.run(main)
