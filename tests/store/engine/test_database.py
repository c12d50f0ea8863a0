"""What SQLite knows of its tables, and who learns of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from runcard.store.engine.database import Database


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
