"""A process that voids, corrects, deletes, restores and purges many runs at once is killed, again and again: all of a
deed is done, or nothing.
"""

import random
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from sqlalchemy import func, select

from runcard.store.engine import tables as t
from tests.analytics.written import run_of
from tests.conftest import Template
from tests.examples import examples
from tests.histories import Floor, opened_floor
from tests.store.killing import kill_in_the_middle
from tests.trails import assert_trail_fits

RUNS = 60

# Does one deed after the other, and tells before each.
_DEEDS = """
import sys
from itertools import cycle
from pathlib import Path
from uuid import UUID
from sqlalchemy import select
from runcard.domain.actor import UserActor
from runcard.domain.runs.correction import RunCorrection
from runcard.ingest.corrections.runs import correct_runs, take_back_corrections
from runcard.store.bin.deleting import Deletion
from runcard.store.commit.writer import Writer
from runcard.store.engine.database import Database
from runcard.store.engine.scope import Scope
from runcard.store.engine.tables import deleted_things, runs
from runcard.store.restoring.contents import list_bin
from runcard.store.lists.pages import Page
from runcard.store.restoring.purge import purge
from runcard.store.restoring.restore import restore
from runcard.store.runs.rows import delete_runs
from runcard.store.runs.voids import end_voids, void_runs

url, sqlite_path, home, somebody, ends = sys.argv[1:]
database = Database.open(url or None, Path(sqlite_path))
writer = Writer(database)
who = UserActor(UUID(somebody), UUID(home), "admin")

def present():
    with database.read() as connection:
        query = select(runs.c.id, runs.c.voided_at, runs.c.as_reported).order_by(runs.c.id)
        return connection.execute(query.where(runs.c.organization_id == who.organization_id)).all()

while True:
    there = present()
    with database.read_in(who.organization_id) as scope:
        waiting = [one.thing.id for one in list_bin(scope, Page(10)).rows]
    print("deed", flush=True)
    if waiting and ends == "purge":
        writer.write(who, lambda tx: purge(tx, waiting[0], "why"))
        break
    if waiting:
        writer.write_catalog(who, lambda tx: restore(tx, waiting[0], "why"))
    elif there and there[0].voided_at is None:
        writer.write(who, lambda tx: void_runs(tx, who, [run.id for run in there], "why"))
    elif there:
        writer.write(who, lambda tx: end_voids(tx, [run.id for run in there], "why"))
        if there[0].as_reported is None:
            right = RunCorrection(operator="Bo")
            writer.write(who, lambda tx: correct_runs(tx, who, [run.id for run in there], right, "why"))
        else:
            writer.write(who, lambda tx: take_back_corrections(tx, [run.id for run in there], "why"))
        writer.write(who, lambda tx: delete_runs(tx, [run.id for run in there], Deletion(why="why")))
print("done", flush=True)
"""


@pytest.fixture
def floor(peopled: Template, peopled_database_url: str | None, module_data_dir: Path) -> Iterator[Floor]:
    with opened_floor(peopled, peopled_database_url, module_data_dir) as floor:
        yield floor


class State(NamedTuple):
    """How many runs are there, are voided, are corrected, wait in the bin, and are gone for good."""

    there: int
    voided: int
    corrected: int
    waiting: int
    gone: int


def whole_state_of(floor: Floor) -> State:
    """The state, after a look whether each deed was done to all runs or to none."""
    r, d = t.runs.c, t.deleted_things.c
    with floor.database.read() as connection:
        runs = connection.execute(
            select(func.count(), func.count(r.voided_at), func.count(r.as_reported))
        ).one()
        waiting = connection.execute(select(func.count()).where(d.content.is_not(None))).scalar_one()
        gone = connection.execute(select(func.count()).where(d.purged_at.is_not(None))).scalar_one()
    state = State(*runs, waiting, gone)
    assert set(state) <= {0, RUNS}
    assert state.there + state.waiting + state.gone == RUNS
    assert_trail_fits(floor.database)
    return state


def test_each_deed_is_whole(floor: Floor) -> None:
    chance = random.Random(7)
    procedure_id = floor.procedure()
    floor.record(procedure_id, [run_of(number) for number in range(RUNS)])
    seen = set()
    for _ in range(max(6, examples() // 4)):
        kill_in_the_middle(floor, chance, _DEEDS, "restore")
        seen.add(whole_state_of(floor))
    assert len(seen) > 1
    for _ in range(20):
        kill_in_the_middle(floor, chance, _DEEDS, "purge")
        if whole_state_of(floor).gone:
            return
    raise AssertionError("no purge came to its end")
