"""Whether a database can take an installation in. It is asked before anything is changed."""

from typing import NamedTuple

from sqlalchemy import Connection, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError

from runcard.domain.errors import Conflict, InvalidInput
from runcard.store.engine.database import Database, DatabaseFailed
from runcard.store.installation.integrity import MIN_POSTGRESQL
from runcard.store.moving.target import progress_of

# Unscoped: an installation is moved as a whole.

_OPTION = "to"
# How long a host may be silent, so that stations do not wait for ever at the switch.
_SILENT_MS = "15000"
_FACTS = """
SELECT current_setting('server_version_num')::int / 10000, getdatabaseencoding(),
current_setting('transaction_read_only'), current_user, current_schema(),
has_schema_privilege(current_schema(), 'CREATE')"""
_TABLES = """
SELECT relname FROM pg_class
WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'f')
ORDER BY relname"""
_OTHERS = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()"""


class _Facts(NamedTuple):
    version: int
    encoding: str
    read_only: str
    user: str
    schema: str | None
    may_create: bool | None


def open_target(url: str) -> Database:
    """The database at this URL. Raises InvalidInput for an address that is none of a PostgreSQL database."""
    try:
        backend = make_url(url).get_backend_name()
    except (ArgumentError, ValueError) as error:  # ValueError: of the port
        raise InvalidInput.at(_OPTION, f"The URL cannot be read; {_wanted()}.") from error
    if backend != "postgresql":
        raise InvalidInput.at(_OPTION, f"The URL starts with {backend}://; {_wanted()}.")
    address = make_url(url).set(drivername="postgresql+psycopg")
    bounded = {"tcp_user_timeout": _SILENT_MS} if "tcp_user_timeout" not in address.query else {}
    return Database(address.update_query_dict(bounded))


def check_target(target: Database) -> None:
    """Check that the database answers, can hold an installation, and is empty or holds an unfinished move.

    Raises DatabaseFailed or Conflict.
    """
    shown = shown_url(target)
    try:
        with target.engine.connect() as connection:
            _check(connection, shown)
    except DBAPIError as error:
        raise DatabaseFailed(
            f"{shown} cannot be used: {error.orig}. Check host, port, name, user and password. Nothing was changed."
        ) from error


def shown_url(target: Database) -> str:
    """The URL of a database as it was given, without its password."""
    return (
        target.url.set(drivername="postgresql")
        .difference_update_query(["tcp_user_timeout"])
        .render_as_string()
    )


def count_others(target: Database) -> int:
    """How many other connections the database has."""
    with target.engine.connect() as connection:
        return int(connection.execute(text(_OTHERS)).scalar_one())


def _check(connection: Connection, shown: str) -> None:
    facts = _Facts(*connection.execute(text(_FACTS)).one())
    if facts.version < MIN_POSTGRESQL:
        raise DatabaseFailed(
            f"{shown} has PostgreSQL {facts.version}; Runcard needs version {MIN_POSTGRESQL} or newer."
        )
    if facts.read_only == "on":
        raise DatabaseFailed(f"{shown} takes no writes: it may be a replica. Name the primary.")
    if facts.encoding != "UTF8":
        raise DatabaseFailed(
            f"{shown} has the encoding {facts.encoding}; make it with CREATE DATABASE ... ENCODING 'UTF8' "
            "TEMPLATE template0."
        )
    if facts.schema is None or not facts.may_create:
        raise DatabaseFailed(
            f"User {facts.user} may not create tables in {shown}. Let the user own the database, or "
            f"GRANT CREATE ON SCHEMA {facts.schema or 'public'} TO {facts.user}."
        )
    if progress_of(connection) is None:
        tables = connection.execute(text(_TABLES)).scalars().all()
        if tables:
            raise Conflict(
                f"{shown} is not empty: it has {len(tables)} tables, such as {tables[0]}. "
                "Name an empty database; CREATE DATABASE makes one."
            )


def _wanted() -> str:
    return "give that of a PostgreSQL database, such as postgresql://user@host/name"
