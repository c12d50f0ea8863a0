"""The runs of a copy as rows in PostgreSQL, with indexes that cover what questions read."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import psycopg

from bench.copied_runs import DAYS
from bench.postgres import postgresql
from runcard.analytics.copy.columnar_copy import ColumnarCopy


class _Table(NamedTuple):
    """query: finds its rows in the copy."""

    columns: str
    query: str


_TABLES = {
    "runs": _Table(
        "run bigint PRIMARY KEY, procedure int, version uuid, unit uuid, part uuid, revision uuid, batch uuid, "
        "station uuid, outcome text, started_at timestamp, ended_at timestamp, sample text, attempt int, "
        "attempts int, passed_at int, last_outcome text",
        "SELECT run, procedure, version, unit, part, revision, batch, created_by_station, outcome, started_at, "
        "ended_at, sample, attempt, attempts, passed_at, last_outcome FROM runs",
    ),
    "phases": _Table(
        "run bigint, procedure int, name text, outcome text, started_at timestamp, ended_at timestamp",
        "SELECT run, procedure, name, outcome, started_at, ended_at FROM phases",
    ),
    "measurements": _Table(
        "run bigint, procedure int, phase text, name text, started_at timestamp, num double precision, "
        "lower double precision, upper double precision, outcome text",
        "SELECT m.run, m.procedure, s.phase, s.name, m.started_at, m.num, s.lower, s.upper, m.outcome "
        "FROM measurements m JOIN specs s USING (spec) ORDER BY m.run",
    ),
}
_INDEXES = [
    "runs (started_at) INCLUDE (procedure, outcome, attempt, attempts, passed_at, last_outcome, sample, ended_at)",
    "runs (procedure, started_at) INCLUDE (run, sample, station)",
    "phases (run) INCLUDE (name, outcome, started_at, ended_at)",
    "phases (procedure, outcome) INCLUDE (run, name)",
    "measurements (procedure, phase, name, started_at) INCLUDE (run, num, lower, upper, outcome)",
    "measurements (run) INCLUDE (phase, name, num, lower, upper, outcome)",
    "measurements (procedure, outcome) INCLUDE (run, phase, name) WHERE outcome = 'FAIL'",
]


@contextmanager
def rows_of(copy: ColumnarCopy, folder: Path) -> Iterator[psycopg.Connection]:
    """A connection to a server of its own that has the runs, vacuumed and analyzed."""
    with (
        postgresql(folder / "postgresql", ["rows"]) as urls,
        psycopg.connect(urls["rows"], autocommit=True) as connection,
    ):
        # As on a machine with this much memory to spare.
        connection.execute("SET maintenance_work_mem = '1GB'")
        connection.execute("SET work_mem = '256MB'")
        for name, (columns, query) in _TABLES.items():
            connection.execute(f"CREATE TABLE {name} ({columns})".encode())
            _fill(copy, connection, folder, name, query)
        for index in _INDEXES:
            connection.execute(f"CREATE INDEX ON {index}".encode())
        connection.execute(
            f"CREATE FUNCTION now_is() RETURNS timestamp IMMUTABLE LANGUAGE sql "
            f"AS $$ SELECT TIMESTAMP '2025-10-01' + INTERVAL '{DAYS} days' $$".encode()
        )
        connection.execute("VACUUM (ANALYZE)")
        yield connection


def _fill(copy: ColumnarCopy, connection: psycopg.Connection, folder: Path, name: str, query: str) -> None:
    path = folder / f"{name}.csv"
    with copy.engine.transaction() as cursor:
        cursor.execute(f"COPY ({query}) TO '{path}' (HEADER false)")
    with (
        path.open("rb") as file,
        connection.cursor().copy(f"COPY {name} FROM STDIN (FORMAT csv)".encode()) as into,
    ):
        while block := file.read(1 << 20):
            into.write(block)
    path.unlink()
