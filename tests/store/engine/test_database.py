"""What one reader sees of the database, what SQLite knows of its tables, and who learns of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from runcard.store.commit.writer import Writer
from runcard.store.engine.database import Database, DatabaseUrlInvalid
from runcard.store.people.teams import create_team
from runcard.store.trail.tree import read_leaves
from tests.world import World


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Database]:
    found = Database.open(None, tmp_path / "some.sqlite3")
    yield found
    found.close()


def plan(database: Database) -> str:
    """How a connection would find rows of which there are few, among many that are alike in something else."""
    with database.read() as connection:
        query = "EXPLAIN QUERY PLAN SELECT * FROM parts WHERE home = 1 AND number = 5"
        return str(connection.exec_driver_sql(query).all())


def test_connections_learn_how_the_tables_have_grown(sqlite: Database) -> None:
    writing = sqlite.writing_connection()
    with writing.begin():
        writing.exec_driver_sql("CREATE TABLE parts (home, number, name)")
        writing.exec_driver_sql("CREATE INDEX by_number ON parts (number)")
        writing.exec_driver_sql("CREATE INDEX by_home ON parts (home)")
    assert "by_home" in plan(sqlite)
    with writing.begin():
        writing.exec_driver_sql(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000) "
            "INSERT INTO parts SELECT 1, i, 'name' FROM n"
        )
    sqlite.keep_statistics(writing)
    assert "by_number" in plan(sqlite)
    writing.close()


def test_a_reader_sees_one_state_whatever_is_committed_meanwhile(
    database: Database, writer: Writer, world: World
) -> None:
    with database.read_in(world.acme.id) as scope:
        before = read_leaves(scope, 0, 10_000)
        writer.write(world.acme.admin.actor, lambda tx: create_team(tx, "Night shift"))
        assert read_leaves(scope, 0, 10_000) == before
    with database.read_in(world.acme.id) as scope:
        assert len(read_leaves(scope, 0, 10_000)) == len(before) + 1


@pytest.mark.parametrize("url", ["", "no url", "postgresql://host:port/name", "postgresql://[::1/name"])
def test_a_url_that_cannot_be_read_is_told(tmp_path: Path, url: str) -> None:
    with pytest.raises(DatabaseUrlInvalid, match="database_url cannot be read"):
        Database.open(url, tmp_path / "some.sqlite3")
