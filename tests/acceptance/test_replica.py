"""Readers get a replica's connection while it misses nothing, and else the database's."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from runcard.opening import open_database, open_reads
from runcard.settings import Settings
from runcard.store.commit.writer import Writer
from runcard.store.engine.database import Database, DatabaseUrlInvalid
from runcard.store.engine.migrate import migrate
from runcard.store.engine.replica import Replicated
from runcard.store.people.teams import create_team, list_teams
from tests.postgresql import Postgresql, Replica, running_postgresql
from tests.servers import AnyServer
from tests.world import World, build_world


@pytest.fixture(scope="module")
def own_postgresql() -> Iterator[Postgresql]:
    """A server that few databases are in, so that it is soon copied."""
    with running_postgresql() as running:
        yield running


@pytest.fixture(scope="module")
def url(own_postgresql: Postgresql) -> Iterator[str]:
    with own_postgresql.database() as url:
        yield url


@pytest.fixture
def primary(url: str, tmp_path: Path) -> Iterator[Database]:
    found = Database.open(url, tmp_path / "none.sqlite3")
    migrate(found)
    yield found
    found.close()


@pytest.fixture(scope="module")
def replica(own_postgresql: Postgresql, url: str) -> Iterator[Replica]:
    with own_postgresql.replica() as following:
        yield following


@pytest.fixture
def both(primary: Database, replica: Replica, url: str, tmp_path: Path) -> Iterator[Replicated]:
    found = Replicated(primary, Database.open(replica.url_of(url), tmp_path / "none.sqlite3"))
    yield found
    found.close()


@pytest.fixture
def writing(primary: Database) -> Iterator[Writer]:
    writer = Writer(primary)
    yield writer
    writer.close()


@pytest.fixture
def acme(writing: Writer, primary: Database) -> Iterator[World]:
    yield build_world(writing)
    with primary.engine.begin() as connection:
        connection.execute(text("TRUNCATE organizations, users CASCADE"))


def is_of_replica(connection: Connection) -> bool:
    found: bool = connection.execute(text("SELECT pg_is_in_recovery()")).scalar_one()
    return found


def test_a_reader_finds_on_the_replica_what_was_written_just_before(
    both: Replicated, writing: Writer, acme: World
) -> None:
    answered = 0
    for number in range(20):
        name = f"Shift {number}"
        writing.write(acme.acme.admin.actor, partial(create_team, name=name))
        with both.read_in(acme.acme.id) as scope:
            answered += is_of_replica(scope.connection)
            assert name in {team.name for team in list_teams(scope)}
    assert answered == 20


def test_the_database_answers_for_a_replica_that_is_behind(
    both: Replicated, writing: Writer, acme: World, replica: Replica, caplog: pytest.LogCaptureFixture
) -> None:
    with replica.behind():
        writing.write(acme.acme.admin.actor, lambda tx: create_team(tx, "Night shift"))
        with both.read_in(acme.acme.id) as scope:
            assert not is_of_replica(scope.connection)
            assert "Night shift" in {team.name for team in list_teams(scope)}
    assert "it is too far behind" in caplog.text


def test_lists_have_each_run_right_after_its_report(
    acme: World, replica: Replica, url: str, tmp_path: Path
) -> None:
    server = AnyServer(tmp_path, url, {"RUNCARD_DATABASE_READ_URL": replica.url_of(url)})
    server.start()
    runs = f"{server.url}/api/v2/runs"
    with server.client(acme.acme.admin.api_key) as station:
        for number in range(10):
            serial = f"SN-{number}"
            run = {"procedure_id": str(acme.acme.board.id), "serial_number": serial, "part_number": "PCB-1"}
            times = {"started_at": "2026-03-01T10:00:00Z", "ended_at": "2026-03-01T10:00:01Z"}
            station.post(runs, json={**run, **times, "outcome": "PASS"}).raise_for_status()
            listed = station.get(runs, params={"serial_numbers": serial}).raise_for_status()
            assert [one["unit"]["serial_number"] for one in listed.json()["data"]] == [serial]
    server.stop()
    assert "the database answers instead" not in server.log


def test_sqlite_has_no_replica(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, database_read_url="postgresql://db.example.com/runcard")
    database = open_database(settings)
    with pytest.raises(DatabaseUrlInvalid, match="needs a database_url"):
        open_reads(settings, database)
    database.close()


def test_nobody_writes_through_a_reader(both: Replicated, primary: Database, acme: World) -> None:
    for readable in (both, primary):
        with readable.read() as connection, pytest.raises(Exception, match="read-only transaction"):
            connection.execute(text("DELETE FROM organizations"))


def test_a_replica_of_something_else_is_refused(
    primary: Database, own_postgresql: Postgresql, tmp_path: Path
) -> None:
    with own_postgresql.database() as other_url:
        other = Database.open(other_url, tmp_path / "none.sqlite3")
        with pytest.raises(DatabaseUrlInvalid, match="no replica of the database that database_url names"):
            Replicated(primary, other)
        other.close()


def test_the_database_answers_for_a_replica_that_is_away(
    own_postgresql: Postgresql, primary: Database, url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with own_postgresql.replica() as following:
        both = Replicated(primary, Database.open(following.url_of(url), tmp_path / "none.sqlite3"))
        with both.read() as connection:
            assert is_of_replica(connection)
        following.stop()
        for _ in range(2):
            with both.read() as connection:
                assert not is_of_replica(connection)
        both.close()
    assert caplog.text.count("the database answers instead of its replica for 10 s") == 1
