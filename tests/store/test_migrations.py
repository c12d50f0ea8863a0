"""Migrations make exactly the tables that the code names."""

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, select

from runcard.store.database import Database
from runcard.store.migrate import migrate
from runcard.store.tables import catalog_version, metadata


def test_migrations_equal_the_tables(database: Database) -> None:
    with database.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_every_constraint_of_the_tables_is_there(database: Database) -> None:
    with database.read() as connection:
        there = inspect(connection)
        for table in metadata.sorted_tables:
            # By their columns: SQLAlchemy does not see the names of keys that stand beside a column of SQLite's.
            foreign = {tuple(key["constrained_columns"]) for key in there.get_foreign_keys(table.name)}
            checks = {check["name"] for check in there.get_check_constraints(table.name)}
            assert foreign == {tuple(key.column_keys) for key in table.foreign_key_constraints}, table.name
            assert checks == {str(c.name) for c in table.constraints if type(c).__name__ == "CheckConstraint"}


def test_migrating_again_changes_nothing(database: Database) -> None:
    migrate(database)
    with database.read() as connection:
        assert connection.execute(select(catalog_version)).all() == [(1, 0)]


def test_a_commit_waits_for_the_disk(database: Database) -> None:
    with database.read() as connection:
        if database.is_postgresql:  # whether it has fsync on is its own setting
            assert connection.exec_driver_sql("SHOW synchronous_commit").scalar_one() == "on"
        else:
            assert connection.exec_driver_sql("PRAGMA journal_mode").scalar_one() == "wal"
            assert connection.exec_driver_sql("PRAGMA synchronous").scalar_one() == 2  # FULL
            assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar_one() == 1
