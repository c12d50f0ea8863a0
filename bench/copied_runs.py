"""A columnar copy of many made-up runs: a few are recorded and copied, the others are made from them by SQL."""

import math
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

from runcard.analytics.copy.columnar_copy import ColumnarCopy
from runcard.analytics.copy.engines.duckdb import ENOUGH_ROWS, DuckDb, DuckDbCursor, compact
from runcard.analytics.copy.projector import Projector
from runcard.analytics.copy.schema import RECENT
from runcard.domain.actor import StationActor, SystemActor
from runcard.domain.runs.measurement import Measurement
from runcard.domain.runs.phase import Phase
from runcard.domain.runs.report import RunReport
from runcard.ingest.record_run import PreparedRun, prepare_run, record_run
from runcard.store.commit.transaction import SharedTransaction
from runcard.store.commit.writer import Writer
from runcard.store.creator import Creator
from runcard.store.engine.database import Database
from runcard.store.engine.migrate import migrate
from runcard.store.people.organizations import create_organization
from runcard.store.procedures.rows import create_procedure
from runcard.store.stations.rows import create_station, link_procedures

PROCEDURES, STATIONS, PARTS, REVISIONS, BATCHES = 4, 8, 4, 3, 40
# The name of the first procedure.
PROCEDURE_NAME = "Procedure 0"
PHASES, A_PHASE = 10, 5
MEASUREMENTS = PHASES * A_PHASE
DAYS = 400
_SEEDS = 240
_CHUNK = 20_000
# The numbers of made-up runs begin above those of recorded ones.
_FIRST = 10_000_000
_SEEDED_AT = datetime(2025, 9, 1, tzinfo=UTC)
_START = "TIMESTAMP '2025-10-01'"


class Floor(NamedTuple):
    organization_id: UUID
    procedure_ids: list[UUID]
    stations: list[StationActor]


def build_floor(tx: SharedTransaction) -> Floor:
    organization_id = create_organization(tx, "Bench").id
    stations = [
        StationActor(
            create_station(tx.of(SystemActor(organization_id, "test")), f"Station {n}").id, organization_id
        )
        for n in range(STATIONS)
    ]
    creator = Creator.of(stations[0])
    procedures = [
        create_procedure(tx.of(SystemActor(organization_id, "test")), f"Procedure {n}", creator).id
        for n in range(PROCEDURES)
    ]
    for station in stations:
        link_procedures(tx.of(SystemActor(organization_id, "test")), station.station_id, procedures)
    return Floor(organization_id, procedures, stations)


def record_seeds(writer: Writer, floor: Floor) -> None:
    """Record runs of every procedure, station, part, revision and batch, with all measurements."""
    for n in range(_SEEDS):
        run, station = a_run(floor, n, f"SEED-{n}", _SEEDED_AT)
        writer.write(station, partial(record_run, actor=station, run=run))


def a_run(
    floor: Floor, n: int, serial_number: str = "NEW", started_at: datetime | None = None
) -> tuple[PreparedRun, StationActor]:
    """A run that the floor records, and the station that reports it. started_at: None: now."""
    part = n % PARTS
    report = RunReport(
        procedure=str(floor.procedure_ids[n % PROCEDURES]),
        serial_number=serial_number,
        started_at=started_at,
        part_number=f"PART-{part}",
        revision_number=f"{chr(ord('A') + n // PARTS % REVISIONS)}",
        batch_number=f"BATCH-{n % BATCHES}",
        procedure_version=f"{n // PROCEDURES % 3}.0",
        operator=f"Operator {n % 5}",
        outcome="PASS",
        phases=tuple(_phase(number) for number in range(PHASES)),
    )
    return prepare_run(report), floor.stations[n // 7 % STATIONS]


def record_runs(writer: Writer, floor: Floor, count: int) -> list[UUID]:
    """Record runs, each of a unit of its own, and return their ids."""
    futures: list[Future[UUID]] = []
    for number in range(count):
        run, station = a_run(floor, number, f"SN-{number}")
        futures.append(writer.submit(partial(_record, station=station, run=run)))
    return [future.result() for future in futures]


def _record(shared: SharedTransaction, station: StationActor, run: PreparedRun) -> UUID:
    return record_run(shared.of(station), station, run)


def _phase(number: int) -> Phase:
    measured = tuple(
        Measurement(f"value_{number}_{n}", "PASS", 5.0, "V", 4.0 if n != 3 else None, 6.0)
        for n in range(A_PHASE)
    )
    return Phase(f"phase_{number}", "PASS", _SEEDED_AT, _SEEDED_AT, measured)


def fill(engine: DuckDb, runs: int, tell: Callable[[int], None]) -> None:
    """Make this many runs in the copy, which must have the seeds. tell: called with their number as they come."""
    with engine.transaction() as cursor:
        _make_runs(cursor, runs)
    for start in range(_FIRST, _FIRST + runs, _CHUNK):
        with engine.transaction() as cursor:
            _make_inside(cursor, start, min(start + _CHUNK, _FIRST + runs))
            compact(cursor, ENOUGH_ROWS)
        tell(start - _FIRST + _CHUNK)


def _make_runs(cursor: DuckDbCursor, runs: int) -> None:
    step_us = DAYS * 86_400_000_000 // runs
    # A tenth of the runs are of a unit that the same procedure tested a while before.
    cursor.execute(
        f"""CREATE TEMP TABLE made AS
        SELECT n, n + {_FIRST} AS run, s.*,
            {_START} + to_microseconds(n * {step_us}) AS started_at,
            md5((CASE WHEN hash(n) % 10 = 0 AND n > {400 * PROCEDURES}
                THEN n - {PROCEDURES} * (1 + hash(n * 3) % 400)::BIGINT ELSE n END)::VARCHAR)::UUID AS unit,
            CASE WHEN hash(n * 5) % 25 = 0 THEN 'FAIL' WHEN hash(n * 5) % 200 = 1 THEN 'ERROR'
                ELSE 'PASS' END AS outcome
        FROM range({runs}) t(n) JOIN (
            SELECT row_number() OVER (ORDER BY run) - 1 AS seed, procedure, version, part, revision, batch,
                operator, operator_name, created_by_station, organization FROM runs
        ) s ON s.seed = n % {PROCEDURES} + {PROCEDURES} * ((n // 16 + hash(n) % 9) % {_SEEDS // PROCEDURES})"""
    )
    of_unit = "PARTITION BY procedure, unit"
    cursor.execute(
        f"""INSERT INTO runs BY NAME
        SELECT run, organization, procedure,
            ('00000000-0000-7000-8000-' || lpad(printf('%x', run), 12, '0'))::UUID AS id,
            version, unit, part, revision, batch, operator, operator_name, created_by_station, outcome, started_at,
            started_at + to_seconds(30 + (hash(run) % 60)::INTEGER) AS ended_at, started_at AS created_at,
            {MEASUREMENTS} AS judged, CASE WHEN outcome = 'FAIL' THEN 1 ELSE 0 END AS failed, attempt, attempts,
            min(CASE WHEN outcome = 'PASS' THEN attempt END) OVER ({of_unit}) AS passed_at,
            last_value(outcome) OVER ({of_unit} ORDER BY attempt
                ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS last_outcome,
            arg_min(created_by_station, attempt) FILTER (WHERE outcome = 'PASS') OVER ({of_unit}) AS passed_station
        FROM (
            SELECT *, row_number() OVER ({of_unit} ORDER BY started_at, run) AS attempt,
                count(*) OVER ({of_unit}) AS attempts FROM made
        ) ORDER BY run"""
    )
    cursor.execute("DROP TABLE made")


def _make_inside(cursor: DuckDbCursor, start: int, end: int) -> None:
    cursor.execute(
        f"""INSERT INTO phases BY NAME
        SELECT r.run, r.run AS id_high, r.procedure, p AS position, 'phase_' || p AS name,
            CASE WHEN r.outcome = 'FAIL' AND p = hash(r.run) % {MEASUREMENTS} // {A_PHASE} THEN 'FAIL'
                ELSE 'PASS' END AS outcome,
            r.started_at + to_seconds(3 * p::INTEGER) AS started_at,
            r.started_at + to_seconds(3 * p::INTEGER) + to_milliseconds(500 + (hash(r.run + p) % 2500)::BIGINT)
                AS ended_at,
            0 AS retry_count, true AS is_final
        FROM runs r, range({PHASES}) t(p) WHERE r.run >= ? AND r.run < ? ORDER BY r.run, p""",
        [start, end],
    )
    one_in_a_million = "(1 + hash({}) % 1000000) / 1000001.0"
    length = f"sqrt(-2 * ln({one_in_a_million.format('r.run, s.place')}))"
    normal = f"{length} * cos({2 * math.pi} * {one_in_a_million.format('s.place, r.run')})"
    fails = f"r.outcome = 'FAIL' AND s.place = hash(r.run) % {MEASUREMENTS}"
    cursor.execute(
        f"""INSERT INTO {RECENT} BY NAME
        SELECT r.run, r.run AS id_high, r.procedure, s.place AS position, s.place // {A_PHASE} AS phase, s.spec,
            r.started_at + to_seconds(3 * (s.place // {A_PHASE})::INTEGER) AS started_at, 'numeric' AS kind,
            round(5 + 0.25 * {normal}, 5) + CASE WHEN {fails} THEN 2 ELSE 0 END AS num, 0 AS rest,
            true AS is_final, 0 AS retry_count, CASE WHEN {fails} THEN 'FAIL' ELSE 'PASS' END AS outcome
        FROM runs r JOIN (
            SELECT spec, procedure, row_number() OVER (PARTITION BY procedure ORDER BY spec) - 1 AS place FROM specs
        ) s USING (procedure) WHERE r.run >= ? AND r.run < ? ORDER BY r.run, s.place""",
        [start, end],
    )


class CopiedRuns(NamedTuple):
    """A database of a few runs, and a copy that has these and many others."""

    database: Database
    writer: Writer
    floor: Floor
    copy: ColumnarCopy


@contextmanager
def copied_runs(folder: Path, engine: DuckDb, runs: int, tell: Callable[[int], None]) -> Iterator[CopiedRuns]:
    database = Database.open(None, folder / "runcard.sqlite3")
    migrate(database)
    writer = Writer(database)
    copy = ColumnarCopy(engine, timeout_s=5)
    try:
        floor = writer.write_shared(build_floor)
        record_seeds(writer, floor)
        projector = Projector(database, engine)
        while projector.step().is_behind:
            pass
        fill(engine, runs, tell)
        copy.tell(projector.seen())
        yield CopiedRuns(database, writer, floor, copy)
    finally:
        copy.close()
        writer.close()
        database.close()
        engine.close()
