"""What an installation consists of, opened as its settings say: its database, its files, its columnar copy."""

import logging
from collections.abc import Sequence
from datetime import timedelta

from runcard.activity.log import ActivityLog
from runcard.activity.noted_calls import Notes
from runcard.analytics.copy.columnar_copy import ColumnarCopy
from runcard.analytics.copy.engines.clickhouse import ClickHouse
from runcard.analytics.copy.engines.clickhouse_address import Address
from runcard.analytics.copy.engines.duckdb import CopyLocked, DuckDb
from runcard.analytics.copy.engines.engine import CopyFailed
from runcard.auth.secret_keys import open_keys
from runcard.memory import MemoryPlan
from runcard.prefixes import endpoints
from runcard.settings import Settings, SettingsError
from runcard.store.documents.document_store import DocumentStore
from runcard.store.engine.database import Database, DatabaseUrlInvalid, bound_page_caches
from runcard.store.engine.migrate import migrate
from runcard.store.engine.readable import Readable
from runcard.store.engine.replica import Replicated
from runcard.store.files.blobs import Blobs
from runcard.store.moving.journal import check_not_moved

_log = logging.getLogger(__name__)


def memory_plan(settings: Settings) -> MemoryPlan:
    """How the memory of an installation is divided among its parts."""
    return MemoryPlan.of(settings.memory_mb, settings.max_body_bytes)


def open_database(settings: Settings) -> Database:
    """The database of an installation, migrated to the newest schema.

    Raises DatabaseUrlInvalid for a SQLite file that has moved to PostgreSQL.
    """
    bound_page_caches(memory_plan(settings).page_caches_bytes)
    database = open_unmigrated(settings)
    try:
        check_not_moved(database)
        migrate(database)
    except BaseException:
        database.close()
        raise
    return database


def open_unmigrated(settings: Settings) -> Database:
    """The database of an installation with the schema that it has. Raises DatabaseUrlInvalid."""
    return Database.open(settings.database_url, settings.sqlite_path, open_documents(settings))


def open_reads(settings: Settings, database: Database) -> Readable:
    """What doors read: the database of an installation, or the replica that the settings name.

    Raises DatabaseUrlInvalid.
    """
    if settings.database_read_url is None:
        return database
    if not database.is_postgresql:
        raise DatabaseUrlInvalid("database_read_url needs a database_url, because SQLite has no replicas.")
    return Replicated(
        database, Database.open(settings.database_read_url, settings.sqlite_path, database.documents)
    )


def open_blobs(settings: Settings, kind: type[Blobs] = Blobs) -> Blobs:
    """The attachment store of an installation. kind: the class that it is made of."""
    return kind.open(
        settings.attachments_url, settings.attachments_endpoint, settings.data_dir / "attachments"
    )


def open_documents(settings: Settings) -> DocumentStore:
    """The store of the documents of old runs. An imported organization may have some without a `documents_url`."""
    return DocumentStore(
        lambda: Blobs.open(
            settings.documents_url,
            settings.documents_endpoint,
            settings.data_dir / "documents",
            "documents_url",
        )
    )


def open_secret_keys(settings: Settings) -> Sequence[str]:
    """The keys that sign links and forms, the newest first. Raises SecretKeyUnusable."""
    return open_keys(settings.secret_key, settings.data_dir)


def columns_address(url: str) -> Address:
    """The address that `columns_url` names. Raises SettingsError."""
    try:
        return Address.of(url)
    except ValueError as error:
        raise SettingsError(f"columns_url {error}.") from error


def open_copy(settings: Settings, kind: type[ColumnarCopy] = ColumnarCopy) -> ColumnarCopy | None:
    """The columnar copy of an installation; None where the settings turn it off.

    None also where this process cannot open it; the log says why. kind: the class that it is made of. Raises
    SettingsError for an unusable `columns_url`.
    """
    if not settings.columnar_copy:
        return None
    if settings.columns_url is not None:
        engine = ClickHouse.at(columns_address(settings.columns_url), settings.columns_cluster)
        return kind(engine, settings.copy_timeout_s)
    try:
        file = DuckDb(settings.copy_path, memory_plan(settings).copy_bytes)
        return kind(file, settings.copy_timeout_s)
    except CopyLocked:
        _log.warning(
            "another process has %s open: this process queries the database instead", settings.copy_path
        )
    except CopyFailed:
        _log.exception("%s cannot be used: this process queries the database instead", settings.copy_path)
    return None


def open_activity(settings: Settings, truth: Database, notes: Notes) -> ActivityLog | None:
    """The log of an installation's API calls; None where the settings turn it off."""
    if not settings.activity:
        return None
    database = truth if truth.is_postgresql else Database.open(None, settings.activity_path)
    return ActivityLog(notes, endpoints(), database, truth, timedelta(days=settings.activity_days))
