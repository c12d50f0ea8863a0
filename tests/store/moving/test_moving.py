"""A SQLite installation that moves to PostgreSQL: every row is there, bit by bit, whatever is written meanwhile."""

from contextlib import closing
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import delete, text
from sqlalchemy.exc import IntegrityError

from runcard.domain.errors import Conflict, DatabaseUnavailable
from runcard.store.commit.writer import Writer
from runcard.store.engine.database import Database
from runcard.store.engine.migrate import migrate
from runcard.store.engine.outages import outage_of
from runcard.store.engine.tables import metadata, taggings
from runcard.store.moving.journal import is_closed
from runcard.store.moving.source import writing
from runcard.store.moving.undoing import undo_move
from tests.store.filled import Filled
from tests.store.moving.moves import change, move
from tests.store.moving.rows import ROWS_OF_EACH, fill, rows_of
from tests.world import World

_WRITES = (
    "INSERT OR REPLACE INTO catalog_version VALUES (1, 2)",
    "INSERT OR IGNORE INTO catalog_version VALUES (1, 2)",
    "INSERT INTO catalog_version VALUES (1, 2) ON CONFLICT DO NOTHING",
    "UPDATE OR IGNORE catalog_version SET value = 2",
    "DELETE FROM catalog_version",
)


def test_every_table_is_moved_bit_by_bit(database: Database, target: Database):
    fill(database)
    before = rows_of(database)
    move(database, target)
    assert rows_of(target) == before
    assert {name for name, rows in before.items() if len(rows) < ROWS_OF_EACH} == set()


def test_no_table_is_left_out(database: Database):
    with database.read() as connection:
        found = connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'table'")).scalars()
        here = {name for name in found if not name.startswith("sqlite_")}
    assert here - {"alembic_version"} == set(metadata.tables)


def test_the_schema_is_the_one_that_migrations_make(
    database: Database, target: Database, postgresql_url: str
):
    """Nothing that the copy went without is missing afterwards."""
    move(database, target)
    with closing(Database.open(postgresql_url, Path())) as migrated_database:
        migrate(migrated_database)
        assert _schema(target) == _schema(migrated_database)


def test_what_is_written_meanwhile_is_moved(
    database: Database, target: Database, writer: Writer, world: World
):
    """At each step of the move a run is added, one is deleted with all that belongs to it, and units change names."""
    filled = Filled(database, writer, world)
    numbers, steps = count(100), set[str]()

    def tell(step: str, done: int, _total: int) -> None:
        if step in ("Switching", "Checking foreign keys"):
            return  # stations wait, or cannot write any more
        if done % 10 == 0 or step not in steps:
            steps.add(step)
            change(filled, next(numbers))

    move(database, target, tell)
    assert steps == {"Preparing", "Copying", "Catching up", "Making indexes", "Comparing"}
    assert rows_of(target) == rows_of(database)


@pytest.mark.parametrize(
    ("step", "damage"),
    [
        ("Making indexes", "UPDATE tags SET colour = 'x'"),
        ("Making indexes", "UPDATE metadata_entries SET number = 1e-323 WHERE number = 5e-324"),
        ("Switching", "DELETE FROM comments"),
    ],
)
def test_a_difference_keeps_the_move_from_switching(
    database: Database, target: Database, step: str, damage: str
):
    fill(database)

    def tell(told: str, done: int, _total: int) -> None:
        if (told, done) == (step, 1):
            with target.engine.begin() as connection:
                connection.execute(text(damage))

    with pytest.raises(Conflict, match="are not the same in both databases, so nothing is switched"):
        move(database, target, tell)
    assert not is_closed(database)
    with writing(database) as connection:
        connection.execute(delete(taggings))


def test_new_changes_are_numbered_after_the_last(
    database: Database, target: Database, writer: Writer, world: World
):
    filled = Filled(database, writer, world)
    # The last number was given to a change that is gone.
    with writing(database) as connection:
        connection.execute(text("UPDATE sqlite_sequence SET seq = 1000 WHERE name = 'changes'"))
    move(database, target)
    with closing(Writer(target)) as working:
        filled.writer = working
        filled.record("AFTER", 900, [])
    with target.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM changes WHERE seq > 1000")).scalar_one() > 0
        assert connection.execute(text("SELECT min(seq) FROM changes WHERE seq > 900")).scalar_one() == 1001


def test_nobody_writes_to_a_file_that_has_moved(database: Database, moved_away: Database):
    assert is_closed(database)
    for statement in _WRITES:
        with database.writing_connection() as connection, pytest.raises(IntegrityError) as refused:
            connection.execute(text(statement))
        assert isinstance(outage_of(refused.value), DatabaseUnavailable)


@pytest.fixture
def moved_away(database: Database, target: Database) -> Database:
    """Where the rows of `database` have moved to."""
    fill(database)
    move(database, target)
    return target


def test_a_move_is_taken_back_as_long_as_nothing_was_recorded(database: Database, moved_away: Database):
    moved_away.close()
    assert undo_move(database, moved_away)
    assert traces_of(database) == []
    with writing(database) as connection:
        connection.execute(delete(taggings))


def test_a_move_is_not_taken_back_while_servers_use_the_database(database: Database, moved_away: Database):
    with moved_away.read() as connection:
        connection.execute(text("SELECT 1"))
        with pytest.raises(Conflict, match="connections use the new database"):
            undo_move(database, moved_away)
    assert is_closed(database)


def test_a_move_is_not_taken_back_once_something_was_recorded(database: Database, moved_away: Database):
    with moved_away.engine.begin() as connection:
        connection.execute(text("UPDATE changes SET seq = seq + 7"))
    moved_away.close()
    with pytest.raises(Conflict, match="has 7 changes that SQLite lacks"):
        undo_move(database, moved_away)
    assert is_closed(database)


def traces_of(database: Database) -> list[str]:
    with database.read() as connection:
        found = text("SELECT name FROM sqlite_master WHERE name LIKE 'move!_%' ESCAPE '!'")
        return list(connection.execute(found).scalars())


def _schema(database: Database) -> list[str]:
    """Columns, constraints and indexes, as PostgreSQL describes them."""
    with database.read() as connection:
        queries = (
            """SELECT conrelid::regclass || conname || pg_get_constraintdef(oid) FROM pg_constraint
            WHERE connamespace = 'public'::regnamespace""",
            "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'",
            """SELECT table_name || column_name || data_type || is_nullable || coalesce(column_default, '')
            FROM information_schema.columns WHERE table_schema = 'public'""",
        )
        return sorted(line for query in queries for line in connection.execute(text(query)).scalars())
