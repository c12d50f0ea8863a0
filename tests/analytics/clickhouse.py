"""The engine of ClickHouse inside of the process of the tests, with a database for each copy."""

import atexit
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, partial
from itertools import count
from pathlib import Path

import clickhouse_connect
from clickhouse_connect.driver.client import Client

from runcard.analytics.copy.engines.clickhouse import SETTINGS, ClickHouse

_numbers = count()


@cache
def _folder() -> Path:
    """Where the engine keeps its files. A process can have only one engine."""
    folder = Path(tempfile.mkdtemp(prefix="runcard-clickhouse-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def connect(database: str | None = None) -> Client:
    """A client of the engine."""
    return clickhouse_connect.get_client(
        interface="chdb", path=str(_folder()), database=database, settings=dict(SETTINGS)
    )


@contextmanager
def own_clickhouse() -> Iterator[ClickHouse]:
    """An engine with a database of its own, which is empty."""
    name = f"copy_{next(_numbers)}"
    client = connect()
    client.command(f"CREATE DATABASE {name}")
    engine = ClickHouse(partial(connect, name), f"clickhouse://tests/{name}")
    try:
        yield engine
    finally:
        engine.close()
        client.command(f"DROP DATABASE {name}")
        client.close()
