"""Bringing a database to the newest schema."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text

from runcard.store.database import Database

_MIGRATIONS = Path(__file__).parent / "migrations"
_MIGRATION_LOCK = 0x52_43_03


def migrate(database: Database) -> None:
    """Run the migrations that this database has not seen; of several processes that start at once, one does it."""
    with database.writing_connection() as connection, connection.begin():
        if database.is_postgresql:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
        command.upgrade(_config(connection), "head")


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config
