"""The way of a database to the newest schema."""

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection

from runcard.store.engine.database import Database, DatabaseFailed
from runcard.store.engine.locks import Lock, hold

_MIGRATIONS = Path(__file__).parent / "migrations"


def migrate(database: Database, to: str = "head") -> None:
    """Run the migrations that this database has not seen. If several processes start at once, one of them does it.

    to: the last migration to run. Raises DatabaseFailed for the database of a newer Runcard.
    """
    with database.writing_connection() as connection, connection.begin():
        hold(connection, Lock.MIGRATION)
        try:
            command.upgrade(_config(connection), to)
        except CommandError as error:
            raise DatabaseFailed(
                f"The database cannot be migrated: {error}. If a newer Runcard made it, install that Runcard."
            ) from error


def is_newest_schema(connection: Connection) -> bool:
    """Whether this database has seen every migration that this Runcard knows, and no other."""
    return MigrationContext.configure(connection).get_current_revision() == newest_schema()


@cache
def newest_schema() -> str | None:
    """The last migration that this Runcard knows. It is found once, because all migrations are read for it."""
    return ScriptDirectory.from_config(_config()).get_current_head()


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.set_main_option("path_separator", "os")
    if connection is not None:
        config.attributes["connection"] = connection
    return config
