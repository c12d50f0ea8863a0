"""ClickHouse, which several servers share. It is reached over HTTP; the tests run its engine inside their process."""

import logging
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import Any
from uuid import UUID

import clickhouse_connect
import numpy as np
import pyarrow as pa
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import Error, OperationalError

from runcard.analytics.copy.columns import columns_of, moment_of_seconds
from runcard.analytics.copy.engines.clickhouse_address import Address
from runcard.analytics.copy.engines.clickhouse_sql import for_clickhouse
from runcard.analytics.copy.engines.clickhouse_sweep import REST_S, RowSweep
from runcard.analytics.copy.engines.clickhouse_tables import (
    EVERY_TABLE,
    GONE,
    INSIDE_SINCE,
    SINCE,
    filters,
    statements,
)
from runcard.analytics.copy.engines.engine import Batch, CopyAway, CopyCursor, CopyFailed, LastSeen
from runcard.analytics.copy.schema import SCHEMA_VERSION, TABLES
from runcard.analytics.copy.standing import Standing

_log = logging.getLogger(__name__)

# Makes ClickHouse answer as DuckDB does, and take long lists of ids and runs of many months.
SETTINGS: Mapping[str, Any] = {
    "aggregate_functions_null_for_empty": 1,
    # A batch is many inserts, one after the other. Collected ones would wait, and could arrive after it was given up.
    "async_insert": 0,
    "cast_keep_nullable": 1,
    "join_use_nulls": 1,
    "joined_subquery_requires_alias": 0,
    "max_partitions_per_insert_block": 0,
    "max_query_size": 64 * 1024 * 1024,
    "prefer_column_name_to_alias": 1,
    "session_timezone": "UTC",
}
# Lets a replica answer only if it has all that was written. A write is there when most of them have it.
_OF_REPLICAS: Mapping[str, Any] = {
    "insert_quorum": "auto",
    "insert_quorum_parallel": 0,
    "select_sequential_consistency": 1,
}
# Errors of a copy that is there but not as this version made it: unknown table, unknown column.
_OTHER_TABLES = (47, 60)
# Errors of a ClickHouse to which this user or this database is unknown, or which has no room for one more query.
_NOT_LET_IN = (81, 192, 193, 194, 202, 497, 516)
_IDS = 16
_CONNECT_S = 5


class ClickHouse:
    """The columnar copy in a database of ClickHouse."""

    is_shared = True

    def __init__(
        self, connect: Callable[[], Client], place: str, rest_s: float = REST_S, cluster: str | None = None
    ) -> None:
        """connect: makes a client with SETTINGS, which one thread uses at a time. It is called when it is needed.

        rest_s: how long rows stay that hold no longer. cluster: whose servers all hold the copy.
        """
        self.place = place
        self._cluster = cluster
        self._sweep = RowSweep(rest_s)
        self._connect = connect
        self._idle: list[Client] = []

    @classmethod
    def at(cls, address: Address, cluster: str | None = None) -> "ClickHouse":
        """The copy at an address, which is not asked yet. cluster: whose servers all hold it; None: there is one."""
        settings = {**SETTINGS, **(_OF_REPLICAS if cluster else {})}
        return cls(lambda: _client(address, settings), address.place, cluster=cluster)

    @contextmanager
    def transaction(self) -> Iterator[CopyCursor]:
        with self.failing(), self._client() as client:
            yield _cursor(client, _last_seen(client).seq)

    @contextmanager
    def failing(self) -> Iterator[None]:
        try:
            yield
        except Error as error:
            if isinstance(error, OperationalError) or error.code in _NOT_LET_IN:
                raise CopyAway(self.place, _reason(error)) from error
            raise CopyFailed(error) from error

    def last_seen(self) -> LastSeen:
        with self.failing(), self._client() as client:
            return _last_seen(client)

    def make_ready(self) -> None:
        """Make the tables where there are none of this version, and remove what a batch left that was cut short."""
        with self.failing(), self._client() as client:
            if not _is_of_this_version(client):
                _log.info(
                    "The columnar copy in %s is new or of another version, and is begun anew", self.place
                )
                self._make(client)
            seen = _last_seen(client).seq
            for table in EVERY_TABLE:
                column = "seq" if table == "copy_state" else "until" if table.startswith("gone_") else SINCE
                if client.query(f"SELECT 1 FROM {table} WHERE {column} > {seen} LIMIT 1").result_rows:
                    client.command(f"DELETE FROM {table} WHERE {column} > {seen}")

    @contextmanager
    def batch(self, last: LastSeen) -> Iterator[Batch]:
        with self.failing(), self._client() as client:
            yield _ClickHouseBatch(client, last.seq)
            # Last of all: until it is there, no reader sees any row of this batch.
            state = (SCHEMA_VERSION, last.seq, last.entity_id, last.changed_at)
            _insert(client, "copy_state", columns_of(TABLES["copy_state"], [state]))
            self._sweep.after(client, last.seq)

    def begin_anew(self) -> None:
        with self.failing(), self._client() as client:
            self._make(client)

    def close(self) -> None:
        while self._idle:
            self._idle.pop().close()

    def _make(self, client: Client) -> None:
        for statement in statements(self._cluster):
            client.command(statement)
        _insert(client, "copy_state", columns_of(TABLES["copy_state"], [(SCHEMA_VERSION, 0, None, None)]))

    @contextmanager
    def _client(self) -> Iterator[Client]:
        """A client that nobody else uses meanwhile. It is used again unless something failed."""
        client = self._idle.pop() if self._idle else self._connect()
        try:
            yield client
        except BaseException:
            client.close()
            raise
        self._idle.append(client)


class _Cursor:
    """Queries of the state after one change."""

    has_log_blocks = False

    def __init__(self, client: Client, conditions: Mapping[str, str]) -> None:
        self._client = client
        self._settings = {"additional_table_filters": dict(conditions)}
        self._query = ""

    def execute(self, sql: str, values: Any = None, /) -> "_Cursor":
        self._query = for_clickhouse(sql, values or ())
        return self

    def fetchall(self) -> list[Any]:
        found = self._client.query(self._query, settings=self._settings)
        ways = [_WAYS.get(kind.base_type or "") for kind in found.column_types]
        if not any(ways):
            return list(found.result_rows)
        return [
            tuple(
                value if way is None or value is None else way(value)
                for way, value in zip(ways, row, strict=True)
            )
            for row in found.result_rows
        ]

    def fetchnumpy(self) -> Mapping[str, Any]:
        found = self._client.query_arrow(self._query, settings=self._settings)
        return {name: _array(found.column(name).combine_chunks()) for name in found.column_names}

    def keep(self, name: str, query: str, values: Any = None) -> int:
        made = f"CREATE OR REPLACE TEMPORARY TABLE {name} ENGINE = Memory AS {for_clickhouse(query, values or ())}"
        self._client.command(made, settings=self._settings)
        return int(self._client.query(f"SELECT count() FROM {name}").result_rows[0][0])

    def register(self, name: str, table: pa.Table) -> None:
        kinds = ", ".join(f"{field.name} {_KINDS[field.type]}" for field in table.schema)
        self._client.command(f"CREATE OR REPLACE TEMPORARY TABLE {name} ({kinds}) ENGINE = Memory")
        _insert(self._client, name, table)


class _ClickHouseBatch:
    """Rows that hold since a change of which no reader knows yet."""

    def __init__(self, client: Client, seq: int) -> None:
        self._client = client
        self._seq = seq

    @property
    def cursor(self) -> CopyCursor:
        return _Cursor(self._client, filters(self._seq, frozenset(gone.name for gone in GONE)))

    def insert(self, table: str, rows: pa.Table) -> None:
        times = [SINCE, INSIDE_SINCE] if table == "runs" else [SINCE]
        for name in times:
            rows = rows.append_column(name, _repeated(self._seq, len(rows)))
        _insert(self._client, table, rows)

    def remove_runs(self, numbers: Collection[int]) -> None:
        there = self._find_runs(numbers, f"run, {SINCE}, {INSIDE_SINCE}")
        self._end("gone_runs", [(run, since) for run, since, _ in there])
        self._end("gone_inside", [(run, inside) for run, _, inside in there])

    def restand(self, rows: pa.Table) -> None:
        standings = {run: standing for run, *standing in zip(*rows.to_pydict().values(), strict=True)}
        columns = list(TABLES["runs"])
        there = self._find_runs(standings, ", ".join([*columns, SINCE, INSIDE_SINCE]))
        unchanged = len(columns) - len(Standing._fields)
        fresh = columns_of(
            TABLES["runs"], [(*row[:unchanged], *standings[row[0]]) for row in there]
        ).append_column(SINCE, _repeated(self._seq, len(there)))
        _insert(self._client, "runs", fresh.append_column(INSIDE_SINCE, pa.array([row[-1] for row in there])))
        self._end("gone_runs", [(row[0], row[-2]) for row in there])

    def remove_units(self, unit_ids: Sequence[UUID]) -> None:
        marks = ", ".join("?" for _ in unit_ids)
        found = self.cursor.execute(f"SELECT id, {SINCE} FROM units WHERE id IN ({marks})", unit_ids)
        self._end("gone_units", found.fetchall())

    def _find_runs(self, numbers: Collection[int], columns: str) -> list[Any]:
        marks = ", ".join("?" for _ in numbers)
        return self.cursor.execute(
            f"SELECT {columns} FROM runs WHERE run IN ({marks})", [*numbers]
        ).fetchall()

    def _end(self, table: str, rows: Sequence[tuple[Any, int]]) -> None:
        """Let these rows hold until this change."""
        if rows:
            [key] = [gone.key for gone in GONE if gone.name == table]
            kinds = {key: "UUID" if key == "id" else "BIGINT", SINCE: "BIGINT", "until": "BIGINT"}
            _insert(self._client, table, columns_of(kinds, [(*row, self._seq) for row in rows]))


def _client(address: Address, settings: Mapping[str, Any]) -> Client:
    return clickhouse_connect.get_client(
        host=address.host,
        port=address.port,
        username=address.user,
        password=address.password,
        database=address.database,
        secure=address.is_secure,
        settings=dict(settings),
        connect_timeout=_CONNECT_S,
    )


def _reason(error: Error) -> object:
    """What the connection or ClickHouse said, without the address of the request, which has all settings in it."""
    return getattr(error.__cause__, "reason", None) or str(error).partition(" (for url ")[0]


def _cursor(client: Client, seen: int) -> _Cursor:
    """A cursor that sees the state after this change, if the rows of the change are there already."""
    counts = ", ".join(f"(SELECT count() FROM {gone.name})" for gone in GONE)
    [row] = client.query(f"SELECT {counts}").result_rows
    kept = frozenset(gone.name for gone, n in zip(GONE, row, strict=True) if n)
    return _Cursor(client, filters(seen, kept))


def _last_seen(client: Client) -> LastSeen:
    found = _find_last_seen(client)
    if found is None:
        raise Error("the copy is not there yet")
    return found


def _find_last_seen(client: Client) -> LastSeen | None:
    """None: the last batch was that of another version."""
    query = f"SELECT seq, entity, changed_at FROM copy_state WHERE version = {SCHEMA_VERSION} ORDER BY seq DESC LIMIT 1"
    rows = client.query(query).result_rows
    if not rows:
        return None
    [(seq, entity, changed_at)] = rows
    return LastSeen(seq, None if entity is None else UUID(int=entity), changed_at)


def _is_of_this_version(client: Client) -> bool:
    """Whether the copy is there and of this version. Raises Error where ClickHouse does not say."""
    try:
        return _find_last_seen(client) is not None
    except Error as error:
        if error.code in _OTHER_TABLES:
            return False
        raise


def _insert(client: Client, table: str, rows: pa.Table) -> None:
    for place, field in enumerate(rows.schema):
        if field.type == pa.uuid():
            rows = rows.set_column(place, field.name, _integers(rows.column(place).combine_chunks()))
        elif field.name == "reported_started_at":
            microseconds = rows.column(place).cast(pa.int64()).to_pylist()
            seconds = [None if value is None else Decimal(value).scaleb(-6) for value in microseconds]
            rows = rows.set_column(place, field.name, pa.array(seconds, pa.decimal128(18, 6)))
    client.insert_arrow(table, rows)


def _integers(ids: pa.Array) -> pa.Array:
    """Ids as 128-bit integers, whose lowest byte comes first."""
    width = pa.binary(_IDS)
    return pa.array([None if one is None else one.bytes[::-1] for one in ids.to_pylist()], width)


def _repeated(number: int, count: int) -> pa.Array:
    return pa.array(np.full(count, number, np.int64))


def _array(column: pa.Array) -> Any:
    """A column as DuckDB gives it: masked where it has NULLs, ids as UUIDs."""
    if pa.types.is_fixed_size_binary(column.type):
        values = [None if one is None else UUID(bytes=one[::-1]) for one in column.to_pylist()]
        return np.array(values, object)
    if pa.types.is_null(column.type):
        return np.full(len(column), None, object)
    if pa.types.is_list(column.type):
        arrays = np.empty(len(column), object)
        for place, inner in enumerate(column):
            arrays[place] = np.asarray(inner.values)
        return arrays
    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.timestamp("us"))
    if column.null_count and not pa.types.is_string(column.type):
        filled = column.fill_null(0) if not pa.types.is_timestamp(column.type) else column
        return np.ma.masked_array(filled.to_numpy(zero_copy_only=False), column.is_null().to_numpy(False))
    return column.to_numpy(zero_copy_only=False)


_KINDS = {
    pa.uuid(): "Nullable(UInt128)",
    pa.string(): "Nullable(String)",
    pa.int32(): "Int32",
    pa.int64(): "Int64",
}
# How values of a type are handed on.
_WAYS: Mapping[str, Callable[[Any], Any]] = {
    "UInt128": lambda number: UUID(int=number),
    "Decimal": moment_of_seconds,
}
