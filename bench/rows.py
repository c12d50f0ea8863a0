"""The runs of a copy as rows in PostgreSQL, with the tables and indexes that one would make by hand for the questions.

Each unit, run, phase and measurement is a row with what the station reported, in the narrowest types. The limits are on
the measurement, and so are its procedure, phase and time, so that an index can cover a question. No row holds what
other rows decide: which attempt a run was, and whether a later attempt passed, is computed by each query. `is_final` is
known when a run is reported: the run has no later attempt of the phase.

`runs_with_our_columns` also has the columns that Runcard's copy keeps on a run, for the statements in
`sql/with_our_columns`. It shows how much of a time is due to the columns, and how much to the engine.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, get_args
from uuid import UUID

import psutil
import psycopg
from pyarrow import csv

from bench.copied_runs import PROCEDURE_NAME, CopiedRuns
from bench.postgres import postgresql
from runcard.analytics.copy.engines.duckdb import DuckDbCursor
from runcard.domain.runs.outcome import MeasurementOutcome, PhaseOutcome, RunOutcome
from runcard.store.lists.names import NameKind, names_of


class _Table(NamedTuple):
    """query: finds the rows in the copy, in the order of their key."""

    columns: str
    query: str


_OUTCOMES = sorted({*get_args(RunOutcome), *get_args(PhaseOutcome), *get_args(MeasurementOutcome)})
# Compared byte by byte.
_TEXT = 'text COLLATE "C"'
_TABLES = {
    "units": _Table(
        f"id int PRIMARY KEY, serial_number {_TEXT} NOT NULL, sample {_TEXT}",
        "SELECT row_number() OVER (ORDER BY unit), unit::VARCHAR, any_value(sample) FROM runs GROUP BY unit",
    ),
    "runs": _Table(
        "id bigint PRIMARY KEY, procedure_id int NOT NULL, unit_id int NOT NULL, part_id int NOT NULL, "
        "station_id int, outcome outcome NOT NULL, started_at timestamptz NOT NULL, ended_at timestamptz NOT NULL",
        "SELECT run, procedure, dense_rank() OVER (ORDER BY unit), dense_rank() OVER (ORDER BY part), "
        "dense_rank() OVER (ORDER BY created_by_station), outcome, started_at, ended_at FROM runs ORDER BY run",
    ),
    "runs_with_our_columns": _Table(
        "id bigint PRIMARY KEY, procedure_id int NOT NULL, unit_id int NOT NULL, part_id int NOT NULL, "
        f"station_id int, outcome outcome NOT NULL, started_at timestamptz NOT NULL, sample {_TEXT}, "
        "attempt int NOT NULL, attempts int NOT NULL, passed_at int, last_outcome outcome NOT NULL, "
        "judged int NOT NULL, failed int NOT NULL",
        "SELECT run, procedure, dense_rank() OVER (ORDER BY unit), dense_rank() OVER (ORDER BY part), "
        "dense_rank() OVER (ORDER BY created_by_station), outcome, started_at, sample, attempt, attempts, passed_at, "
        "last_outcome, judged, failed FROM runs ORDER BY run",
    ),
    "phases": _Table(
        f"run_id bigint, position int, procedure_id int NOT NULL, sequence_path {_TEXT}, name {_TEXT} NOT NULL, "
        "outcome outcome NOT NULL, started_at timestamptz NOT NULL, ended_at timestamptz NOT NULL, "
        "is_final bool NOT NULL, PRIMARY KEY (run_id, position)",
        "SELECT run, position, procedure, sequence_path, name, outcome, started_at, ended_at, is_final FROM phases "
        "ORDER BY run, position",
    ),
    "measurements": _Table(
        f"run_id bigint, position int, procedure_id int NOT NULL, sequence_path {_TEXT}, phase {_TEXT} NOT NULL, "
        f"name {_TEXT} NOT NULL, uom {_TEXT}, lower double precision, upper double precision, num double precision, "
        "started_at timestamptz NOT NULL, outcome outcome NOT NULL, is_final bool NOT NULL, "
        "PRIMARY KEY (run_id, position)",
        "SELECT m.run, m.position, m.procedure, s.sequence_path, s.phase, s.name, s.uom, s.lower, s.upper, m.num, "
        "m.started_at, m.outcome, m.is_final FROM measurements m JOIN specs s USING (spec) ORDER BY m.run, m.position",
    ),
}
_INDEXES = {
    "units": ["(id) WHERE sample IS NOT NULL"],
    "runs": [
        "(started_at) INCLUDE (id, procedure_id, unit_id, part_id, station_id, outcome, ended_at)",
        "(procedure_id, started_at) INCLUDE (id, unit_id, station_id)",
        "(procedure_id, unit_id, started_at, id) INCLUDE (part_id, station_id, outcome)",
    ],
    "runs_with_our_columns": [
        """(started_at) INCLUDE (procedure_id, unit_id, part_id, station_id, outcome, sample, attempt, attempts,
            passed_at, last_outcome, judged, failed)""",
        "(procedure_id, unit_id) INCLUDE (attempt, passed_at, station_id) WHERE attempt = passed_at AND attempt > 1",
    ],
    "phases": [
        "(procedure_id, started_at) INCLUDE (run_id, sequence_path, name, outcome, ended_at) WHERE is_final",
        """(procedure_id, started_at) INCLUDE (run_id, sequence_path, name)
            WHERE is_final AND outcome IN ('FAIL', 'ERROR')""",
    ],
    "measurements": [
        """(procedure_id, phase, name, started_at, run_id, position)
            INCLUDE (num, lower, upper, outcome, uom, sequence_path) WHERE is_final AND num IS NOT NULL""",
        """(procedure_id, started_at) INCLUDE (run_id, sequence_path, phase, name)
            WHERE is_final AND outcome = 'FAIL'""",
        "(run_id, outcome) WHERE is_final",
    ],
}
# The tables of names, and the query of the copy for their numbers and ids.
_NAMED: Mapping[NameKind, tuple[str, str]] = {
    "procedure": ("procedures", "SELECT procedure, id FROM procedures"),
    "part": ("parts", "SELECT row_number() OVER (ORDER BY part), part FROM runs GROUP BY part"),
    "station": (
        "stations",
        (
            "SELECT row_number() OVER (ORDER BY created_by_station), created_by_station FROM runs "
            "GROUP BY created_by_station"
        ),
    ),
}


class FilledRows(NamedTuple):
    """A database that has the runs. procedure: number of the first procedure. numbers: of runs, by their ids."""

    connection: psycopg.Connection
    procedure: int
    numbers: Mapping[UUID, int]

    def find(self, statement: str, values: Mapping[str, Any]) -> Sequence[Sequence[Any]]:
        return self.connection.execute(statement.encode(), values).fetchall()


@contextmanager
def rows_of(copied: CopiedRuns, folder: Path) -> Iterator[FilledRows]:
    """A PostgreSQL server that has the runs, vacuumed and analyzed."""
    with (
        postgresql(folder / "postgresql", ["rows"], _settings()) as urls,
        psycopg.connect(urls["rows"], autocommit=True) as connection,
    ):
        connection.execute("SET timezone = 'UTC'")
        _fill(copied, connection, folder)
        [(procedure,)] = connection.execute("SELECT id FROM procedures WHERE name = %s", [PROCEDURE_NAME])
        with copied.copy.engine.transaction() as cursor:
            numbers = dict(cursor.execute("SELECT id, run FROM runs").fetchall())
        yield FilledRows(connection, procedure, numbers)


def _settings() -> Mapping[str, str]:
    """The settings that a careful administrator gives a server of two cores."""
    memory_mb = psutil.virtual_memory().total >> 20
    return {
        "shared_buffers": f"{min(memory_mb // 4, 4096)}MB",
        "effective_cache_size": f"{memory_mb // 2}MB",
        "work_mem": "256MB",
        "maintenance_work_mem": "1GB",
        "max_wal_size": "8GB",
        "random_page_cost": "1.1",
        "max_parallel_workers_per_gather": "2",
        "max_parallel_maintenance_workers": "2",
        "jit": "off",
    }


def _fill(copied: CopiedRuns, connection: psycopg.Connection, folder: Path) -> None:
    names = ", ".join(f"'{outcome}'" for outcome in _OUTCOMES)
    connection.execute(f"CREATE TYPE outcome AS ENUM ({names})".encode())
    for name, (columns, query) in _TABLES.items():
        connection.execute(f"CREATE TABLE {name} ({columns})".encode())
        _copy_rows(copied, connection, folder, name, query)
    _name(copied, connection)
    for name, indexes in _INDEXES.items():
        for index in indexes:
            connection.execute(f"CREATE INDEX ON {name} {index}".encode())
    connection.execute("VACUUM (FREEZE, ANALYZE)")


def _copy_rows(
    copied: CopiedRuns, connection: psycopg.Connection, folder: Path, name: str, query: str
) -> None:
    path = folder / f"{name}.csv"
    with copied.copy.engine.transaction() as cursor:
        assert isinstance(cursor, DuckDbCursor), "only what DuckDB holds is compared with rows"
        # The copy has no access to other files, so it cannot write this one itself.
        found = cursor.connection.execute(f"SELECT COLUMNS(*)::VARCHAR FROM ({query})")
        batches = found.to_arrow_reader(100_000)
        assert batches is not None, "a query has rows"
        with csv.CSVWriter(
            path, batches.schema, write_options=csv.WriteOptions(include_header=False)
        ) as rows:
            for batch in batches:
                rows.write_batch(batch)
    with (
        path.open("rb") as file,
        connection.cursor().copy(f"COPY {name} FROM STDIN (FORMAT csv)".encode()) as into,
    ):
        while block := file.read(1 << 20):
            into.write(block)
    path.unlink()


def _name(copied: CopiedRuns, connection: psycopg.Connection) -> None:
    """Make the tables of names, by the numbers that rows refer to."""
    with (
        copied.copy.engine.transaction() as cursor,
        copied.database.read_in(copied.floor.organization_id) as scope,
    ):
        for kind, (table, query) in _NAMED.items():
            ids = cursor.execute(query).fetchall()
            names = names_of(scope, kind, [id_ for _, id_ in ids])
            connection.execute(f"CREATE TABLE {table} (id int PRIMARY KEY, name {_TEXT} NOT NULL)".encode())
            with connection.cursor().copy(f"COPY {table} FROM STDIN".encode()) as into:
                for number, id_ in ids:
                    into.write_row((number, names[id_]))
