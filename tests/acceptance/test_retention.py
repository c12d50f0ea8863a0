"""A server that deletes what is old beside its work, and is killed in the middle of it."""

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import func, select

from runcard.store import tables as t
from runcard.store.attachments import Owner
from runcard.store.blobs import Blobs
from runcard.store.file_removals import list_removals
from runcard.store.retention_log import list_removed_days
from runcard.store.transaction import Transaction
from tests.acceptance.wire import create_run, run_of
from tests.analytics.copies import OwnCopy, own_copy
from tests.conftest import Template
from tests.old_runs import attach_at, days_ago, keys_in, record_at
from tests.postgresql import Postgresql
from tests.servers import Server

UNITS = 300
RUNS_A_UNIT = 2
OLD = UNITS * RUNS_A_UNIT
YOUNG = 20
EACH = 5  # of so many units one has a file
# Each takes some milliseconds.
MOST_LOOKS = 100_000


@pytest.fixture
def doomed(
    peopled: Template, module_data_dir: Path, postgresql_if_wanted: Postgresql | None
) -> Iterator[Server]:
    assert peopled.world is not None
    for url in peopled.copy(module_data_dir, postgresql_if_wanted):
        server = Server(module_data_dir, url, peopled.world)
        try:
            yield server
        finally:
            server.close()


def record_history(server: Server, blobs: Blobs) -> set[str]:
    """Old units, each run twice, and young ones, of which some have files; the keys of those of young ones."""
    actor = server.world.acme.admin.actor

    def apply(tx: Transaction) -> set[str]:
        young = set()
        for number in range(UNITS + YOUNG):
            is_old = number < UNITS
            runs = [
                record_at(tx, actor, days_ago(40 if is_old else 1), f"SN-{number}", outcome=outcome)
                for outcome in ("FAIL", "PASS")
            ]
            if number % EACH == 0:
                file = attach_at(tx, blobs, actor, days_ago(40), Owner(run_id=runs[0]))
                young |= set() if is_old else {f"{actor.organization_id}/{file}"}
        return young

    return server.change(apply)


def runs_by_unit(server: Server) -> Counter[UUID]:
    with server.database() as database, database.read() as connection:
        r = t.runs.c
        query = select(r.unit_id, func.count()).where(r.organization_id == server.world.acme.id)
        return Counter(dict(map(tuple, connection.execute(query.group_by(r.unit_id)))))


def look_until(is_so: Callable[[], bool]) -> None:
    assert any(is_so() for _ in range(MOST_LOOKS))


def test_killed_in_the_middle_of_a_sweep(doomed: Server, module_data_dir: Path) -> None:
    blobs = Blobs.open(None, None, module_data_dir / "attachments")
    young_files = record_history(doomed, blobs)
    home = doomed.world.acme.id
    doomed.runcard("organization", "set", "--run-retention-days", "30", "--organization", "acme")
    assert doomed.runcard("retention", "--dry-run", "--organization", "acme")["runs"] == OLD

    left = OLD + YOUNG * RUNS_A_UNIT
    for _ in range(2):
        doomed.start()
        before = left
        look_until(lambda: runs_by_unit(doomed).total() < before)  # noqa: B023 (asked at once)
        doomed.kill()
        units = runs_by_unit(doomed)
        left = units.total()
        assert set(units.values()) == {RUNS_A_UNIT}
        assert YOUNG < len(units) < UNITS + YOUNG
        assert doomed.runcard("doctor")["findings"] == []

    doomed.start()
    # Stations report meanwhile, one of them a unit whose runs are about to go or have gone.
    with doomed.client(doomed.world.acme.fct.api_key) as station:
        create_run(station, run_of(f"SN-{UNITS - 1}"))
    look_until(lambda: len(runs_by_unit(doomed)) == YOUNG + 1)
    look_until(lambda: not waiting_removals(doomed))
    doomed.stop()
    assert doomed.runcard("doctor")["findings"] == []
    assert set(keys_in(blobs)) == young_files
    with doomed.database() as database:
        with database.read() as connection:
            removed = [day.removed for day in list_removed_days(connection, home, 5)]
        left = runs_by_unit(doomed).total()
        assert sum(one.runs for one in removed) == OLD + YOUNG * RUNS_A_UNIT + 1 - left
        assert sum(one.files for one in removed) == UNITS // EACH
        survived = OwnCopy(database, module_data_dir / "analytics.duckdb")
        survived.follow()
        with own_copy(database) as rebuilt:
            rebuilt.follow()
            assert survived.content() == rebuilt.content()
        survived.close()


def waiting_removals(server: Server) -> bool:
    with server.database() as database, database.read() as connection:
        return bool(list_removals(connection))
