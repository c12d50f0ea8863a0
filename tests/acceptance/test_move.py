"""An installation moves to PostgreSQL while 32 stations report: nothing that was answered is lost or there twice."""

from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import select

from runcard.store.engine.database import Database
from runcard.store.engine.tables import runs, units
from tests.acceptance.floor import FIRST_SUB_UNIT, Floor
from tests.acceptance.wire import assert_error, create_run, run_of, runs_of
from tests.cli.commands import run_beside
from tests.conftest import DatabaseKind
from tests.postgresql import Postgresql
from tests.servers import Server


@pytest.fixture(scope="module", params=["sqlite"])
def database_kind(request: pytest.FixtureRequest) -> DatabaseKind:
    kind: DatabaseKind = request.param
    return kind


def test_32_clients_report_during_a_move(doomed: Server, postgresql: Postgresql):
    doomed.start()
    with doomed.client(doomed.world.acme.admin.api_key) as admin:
        create_run(admin, run_of(FIRST_SUB_UNIT))
    floor = Floor(doomed, is_patient=True)
    with postgresql.database() as url:
        with floor.sending(end=floor.stop):
            floor.wait_for(more=300)
            moved = run_beside("move", "--to", url, "--data-dir", doomed.data_dir, "--json").json
            floor.wait_for(more=300)
        assert moved["database_url"] == f"written to {doomed.data_dir / 'runcard.toml'}"
        assert (doomed.data_dir / "runcard.toml").stat().st_mode & 0o777 == 0o600
        with doomed.client(doomed.world.acme.fct.api_key) as client:
            assert [run["id"] for run in runs_of(client, "CRASH-1")] == [floor.answered["CRASH-1"]]
        assert "the database has moved to PostgreSQL: the server starts again on it" in doomed.log
        assert "begun anew" not in doomed.log  # the columnar copy
        with closing(Database.open(url, Path())) as database, database.read() as connection:
            found = select(units.c.serial_number, runs.c.id).join_from(
                runs, units, units.c.id == runs.c.unit_id
            )
            recorded = connection.execute(found.where(units.c.serial_number != FIRST_SUB_UNIT)).all()
        assert len({row.serial_number for row in recorded}) == len(recorded)
        assert floor.answered.items() <= {row.serial_number: str(row.id) for row in recorded}.items()
        doomed.stop()
        for check in ("doctor", "verify"):
            assert doomed.runcard(check)


def test_a_server_waits_until_it_knows_the_new_database(doomed: Server, postgresql: Postgresql):
    """Writes are refused as in an outage, and the server goes on by itself once database_url is set."""
    settings = doomed.data_dir / "runcard.toml"
    settings.mkdir()  # so that nobody can write it
    doomed.start()
    with doomed.client(doomed.world.acme.admin.api_key) as admin, postgresql.database() as url:
        before = create_run(admin, run_of("BEFORE"))
        move = ("move", "--to", url, "--data-dir", doomed.data_dir, "--json")
        assert "could not be written to runcard.toml" in run_beside(*move).stderr
        refused = admin.post("/runs", json=run_of("MEANWHILE"))
        assert_error(refused, 503, "SERVICE_UNAVAILABLE")
        assert refused.headers["Retry-After"] == "5"
        assert [run["id"] for run in runs_of(admin, "BEFORE")] == [before]
        settings.rmdir()
        assert run_beside(*move).json["database_url"] == f"written to {settings}"
        while (answer := admin.post("/runs", json=run_of("AFTER"))).status_code == 503:
            pass
        assert answer.status_code == 200, answer.text
        assert [run["id"] for run in runs_of(admin, "AFTER")] == [answer.json()["id"]]
        assert runs_of(admin, "MEANWHILE") == []
        doomed.stop()
