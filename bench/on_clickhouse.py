"""The rows of a DuckDB copy in ClickHouse, whose engine runs inside of the process of the bench."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import pyarrow as pa

from bench.copied_runs import CopiedRuns
from runcard.analytics.copy.columnar_copy import ColumnarCopy
from runcard.analytics.copy.engines.duckdb import DuckDb
from runcard.analytics.copy.engines.engine import Batch
from runcard.analytics.copy.schema import TABLES
from tests.analytics.clickhouse import own_clickhouse

_CHUNK = 1_000_000


@contextmanager
def on_clickhouse(copied: CopiedRuns, engine: DuckDb) -> Iterator[CopiedRuns]:
    """The same runs, with a copy in ClickHouse that has what this DuckDB has; its parts are merged."""
    with own_clickhouse() as clickhouse:
        clickhouse.make_ready()
        with clickhouse.batch(engine.last_seen()) as batch:
            for table in TABLES:
                if table != "copy_state":
                    _copy(engine, batch, table)
        with clickhouse._client() as client:  # noqa: SLF001
            for table in TABLES:
                client.command(f"OPTIMIZE TABLE {table} FINAL")
        copy = ColumnarCopy(clickhouse, timeout_s=5)
        copy.tell(clickhouse.last_seen().seq)
        yield copied._replace(copy=copy)
        copy.close()


def _copy(engine: DuckDb, batch: Batch, table: str) -> None:
    columns = ", ".join(_told(name, kind) for name, kind in TABLES[table].items())
    with engine.transaction() as cursor:
        found: Any = cursor.connection.execute(f"SELECT {columns} FROM {table}").to_arrow_reader(_CHUNK)
        for rows in found:
            batch.insert(table, _with_ids(table, pa.table(rows)))


def _told(name: str, kind: str) -> str:
    """A column as Arrow knows it: the values of an enumeration are texts."""
    plain = kind in ("UUID", "VARCHAR") or kind.removesuffix("[]").isupper()
    return f'"{name}"' if plain else f'"{name}"::VARCHAR AS "{name}"'


def _with_ids(table: str, rows: pa.Table) -> pa.Table:
    """The rows with ids as the projector makes them; DuckDB gives texts."""
    for place, (name, kind) in enumerate(TABLES[table].items()):
        if kind == "UUID":
            texts = rows.column(place).to_pylist()
            ids = pa.array([None if one is None else UUID(one).bytes for one in texts], pa.binary(16))
            rows = rows.set_column(place, name, pa.ExtensionArray.from_storage(pa.uuid(), ids))
    return rows
