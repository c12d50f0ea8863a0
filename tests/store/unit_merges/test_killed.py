"""A process that merges and splits two units is killed, again and again: all of a deed is done, or nothing."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace
from sqlalchemy import func, select

from runcard.store.engine import tables as t
from runcard.store.engine.database import Database
from tests.analytics.written import run_of
from tests.conftest import Template
from tests.examples import examples
from tests.histories import Floor, opened_floor
from tests.store.killing import kill_in_the_middle
from tests.trails import assert_trail_fits

RUNS = 60

# Merges all units but one into that, then splits them again, and tells before each.
_DEEDS = """
import sys
from pathlib import Path
from uuid import UUID
from sqlalchemy import select
from runcard.domain.actor import UserActor
from runcard.store.bin.merged import list_merged_into
from runcard.store.commit.writer import Writer
from runcard.store.engine.database import Database
from runcard.store.engine.tables import units
from runcard.store.unit_merges.merge import merge_units
from runcard.store.unit_merges.obstacles import Kept
from runcard.store.unit_merges.split import split_unit

url, sqlite_path, home, somebody = sys.argv[1:]
database = Database.open(url or None, Path(sqlite_path))
writer = Writer(database)
who = UserActor(UUID(somebody), UUID(home), "admin")

while True:
    with database.read_in(who.organization_id) as scope:
        query = select(units.c.id).where(units.c.organization_id == who.organization_id)
        there = scope.connection.execute(query.order_by(units.c.id)).scalars().all()
        merged = list_merged_into(scope, there[0])
    print("deed", flush=True)
    if merged:
        writer.write_catalog(who, lambda tx: split_unit(tx, merged[0].id, "why", with_later_runs=True))
    else:
        writer.write_catalog(who, lambda tx: merge_units(tx, there[1], there[0], Kept(part=True), "why"))
"""


@pytest.fixture
def floor(peopled: Template, peopled_database_url: str | None, module_data_dir: Path) -> Iterator[Floor]:
    with opened_floor(peopled, peopled_database_url, module_data_dir) as floor:
        yield floor


def state_of(database: Database) -> tuple[int, ...]:
    """How many runs each unit has, and how many units are kept for a split."""
    r, d = t.runs.c, t.deleted_things.c
    with database.read() as connection:
        counts = connection.execute(select(func.count(r.id)).group_by(r.unit_id)).scalars().all()
        kept = connection.execute(select(func.count()).where(d.merged_into_id.is_not(None))).scalar_one()
    return (*sorted(counts), kept)


def test_each_deed_is_whole(floor: Floor) -> None:
    chance = random.Random(7)
    procedure_id = floor.procedure()
    for serial in ("SN-1", "SN-I"):
        floor.record(procedure_id, [replace(run_of(number), serial_number=serial) for number in range(RUNS)])
    seen = set()
    for _ in range(max(6, examples() // 4)):
        kill_in_the_middle(floor, chance, _DEEDS)
        state = state_of(floor.database)
        assert state in {(RUNS, RUNS, 0), (2 * RUNS, 1)}
        seen.add(state)
        assert_trail_fits(floor.database)
    assert len(seen) > 1
