"""A process that copies is killed in the middle of it, again and again: what it leaves goes on to equal the record."""

import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import get_args
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from runcard.analytics.questions.yields.first_pass_yield import first_pass_yield
from runcard.analytics.snapshot import Selection, Snapshot
from runcard.domain.actor import SystemActor
from runcard.domain.runs.measurement import Measurement
from runcard.domain.runs.outcome import RunOutcome
from runcard.domain.runs.phase import Log, Phase
from runcard.domain.runs.report import RunReport
from runcard.store.bin.deleting import Deletion
from runcard.store.lists.run_filter import RunFilter
from runcard.store.runs.rows import delete_run
from tests.analytics.copies import OwnCopy, own_copy
from tests.analytics.truth import read_runs, yields_of
from tests.conftest import Template
from tests.examples import examples
from tests.histories import START, Floor, opened_floor

OUTCOMES = get_args(RunOutcome)
ASKED_EVERY = 4

# Takes small steps as fast as it can, and tells of each. So many rows are sorted in at once that it does so often.
_COPYING = """
import sys
from pathlib import Path
from runcard.analytics.copy import projector
from runcard.analytics.copy.engines.duckdb import DuckDb
from runcard.store.engine.database import Database

projector._CHANGES = 12
url, sqlite_path, copy_path = sys.argv[1:]
database = Database.open(url or None, Path(sqlite_path))
copying = projector.Projector(database, DuckDb(Path(copy_path), enough_rows=100))
while True:
    print(copying.step().seq, flush=True)
"""


@pytest.fixture
def floor(peopled: Template, peopled_database_url: str | None, module_data_dir: Path) -> Iterator[Floor]:
    with opened_floor(peopled, peopled_database_url, module_data_dir) as floor:
        yield floor


@contextmanager
def copying(floor: Floor, path: Path) -> Iterator["subprocess.Popen[str]"]:
    """A process that copies, until it is killed at the end of the block."""
    url = floor.database.url
    where = (
        [url.render_as_string(hide_password=False), ""]
        if floor.database.is_postgresql
        else ["", str(url.database)]
    )
    command = [sys.executable, "-c", _COPYING, *where, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def reports(chance: random.Random, kill: int) -> list[RunReport]:
    """Runs of units that come again, so that what is there has to be told anew."""
    return [
        RunReport(
            procedure="later",
            serial_number=f"SN-{chance.randrange(60)}",
            part_number="P",
            outcome=chance.choice(OUTCOMES),
            phases=(
                Phase("p", "PASS", START, START, (Measurement(f"m{n % 5}", "PASS", n, "V", 0.0, kill),)),
            ),
            logs=(Log("INFO", START, "text", "a.py", 1),),
        )
        for n in range(25)
    ]


def test_killed_again_and_again(floor: Floor, tmp_path: Path):
    chance, procedure_id, path = random.Random(4), floor.procedure(), tmp_path / "analytics.duckdb"
    seen = []
    for kill in range(1, max(2 * ASKED_EVERY, examples() // 3) + 1):
        made = floor.record(procedure_id, reports(chance, kill))
        floor.writer.write(
            SystemActor(floor.home, "test"),
            partial(delete_run, run_id=chance.choice(list(made)), deletion=Deletion()),
        )
        with copying(floor, path) as process:
            assert process.stdout is not None
            told = [int(process.stdout.readline()) for _ in range(chance.randint(1, 4))]
        survived = OwnCopy.in_file(floor.database, path)
        seen.append(survived.seen())
        assert seen[-1] >= told[-1]
        if kill % ASKED_EVERY == 0:
            survived.follow()
            _compare(floor, survived, procedure_id)
        survived.close()
    assert seen == sorted(seen)
    survived = OwnCopy.in_file(floor.database, path)
    survived.follow()
    with own_copy(floor.database) as rebuilt:
        rebuilt.follow()
        assert survived.content() == rebuilt.content()
    survived.close()


def _compare(floor: Floor, copy: OwnCopy, procedure_id: UUID) -> None:
    """Yields that the copy knows, with those of the record."""
    with floor.database.read_in(floor.home) as scope:
        wanted = Selection(RunFilter(procedure_ids=[procedure_id]))
        total = first_pass_yield(Snapshot(copy.copy, scope), wanted, ZoneInfo("UTC")).total
        runs = read_runs(scope.connection, floor.home)
    told = (total.units, total.first_pass.count, total.second_pass.count, total.final.count)
    assert told == yields_of(runs[runs["procedure_id"] == procedure_id])
    assert total.opportunities > 0
