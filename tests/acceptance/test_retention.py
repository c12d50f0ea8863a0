"""A server that deletes what is old beside its work, and is killed in the middle of it."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

from sqlalchemy import func, select, update
from typer.testing import CliRunner

from runcard.cli.main import app
from runcard.store.commit.transaction import SharedTransaction
from runcard.store.engine import tables as t
from runcard.store.files.attachments import Owner
from runcard.store.files.blobs import Blobs
from runcard.store.files.bytes_to_remove import list_removals
from runcard.store.retention.log import list_removed_days
from tests.acceptance.wire import create_run, run_of
from tests.analytics.copies import OwnCopy, own_copy
from tests.old_runs import attach_at, days_ago, keys_in, record_at
from tests.servers import Server

UNITS = 300
RUNS_A_UNIT = 2
OLD = UNITS * RUNS_A_UNIT
YOUNG = 20
EACH = 5  # of so many units one has a file
# Each takes some milliseconds.
MOST_LOOKS = 100_000


def record_history(server: Server, blobs: Blobs) -> set[str]:
    """Old units, each run twice, and young ones, of which some have files; the keys of those of young ones."""
    actor = server.world.acme.admin.actor

    def apply(tx: SharedTransaction) -> set[str]:
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


def test_killed_in_the_middle_of_a_sweep(doomed: Server, tmp_path: Path) -> None:
    blobs = Blobs.open(None, None, tmp_path / "attachments")
    young_files = record_history(doomed, blobs)
    home = doomed.world.acme.id
    doomed.runcard("organization", "set", "--run-retention-days", "3", "--organization", "acme")
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
    assert "organization acme: deleted" in doomed.log
    assert doomed.runcard("doctor")["findings"] == []
    assert set(keys_in(blobs)) == young_files
    with doomed.database() as database:
        with database.read_in(home) as scope:
            removed = [day.removed for day in list_removed_days(scope, 5)]
        left = runs_by_unit(doomed).total()
        assert sum(one.runs for one in removed) == OLD + YOUNG * RUNS_A_UNIT + 1 - left
        assert sum(one.files for one in removed) == UNITS // EACH
        survived = OwnCopy.in_file(database, tmp_path / "analytics.duckdb")
        survived.follow()
        with own_copy(database) as rebuilt:
            rebuilt.follow()
            assert survived.content() == rebuilt.content()
        survived.close()


def test_a_server_whose_clock_may_be_wrong_deletes_nothing(doomed: Server, tmp_path: Path) -> None:
    """That nothing has happened for a year is what a clock looks like that is a year ahead."""
    blobs = Blobs.open(None, None, tmp_path / "attachments")
    record_history(doomed, blobs)
    doomed.runcard("organization", "set", "--run-retention-days", "3", "--organization", "acme")

    def set_back(tx: SharedTransaction) -> None:
        tx.connection.execute(update(t.retention_log).values(set_at=days_ago(365)))

    doomed.change(set_back)
    before = runs_by_unit(doomed)
    doomed.start()
    look_until(lambda: "nothing is deleted: The clock says" in doomed.log)
    with doomed.client(doomed.world.acme.fct.api_key) as station:
        create_run(station, run_of("AFTERWARDS"))
    doomed.stop()
    assert runs_by_unit(doomed).total() == before.total() + 1
    at = ["--organization", "acme", "--data-dir", str(tmp_path)]
    at += [] if doomed.database_url is None else ["--database-url", doomed.database_url]
    told = CliRunner().invoke(app, ["retention", *at])
    assert (told.exit_code, told.stdout) == (1, "")
    assert "runcard retention --clock-is-right" in told.stderr
    assert doomed.runcard("retention", "--clock-is-right", "--organization", "acme")["runs"] == OLD
    # It is known again by then.
    assert doomed.runcard("retention", "--organization", "acme")["runs"] == 0


def waiting_removals(server: Server) -> bool:
    with server.database() as database, database.read() as connection:
        return bool(list_removals(connection))
