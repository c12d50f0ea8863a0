"""The hand-made way without an ORM: FastAPI, pydantic and psycopg, a transaction for each run, COPY for what is inside.

It answers the same requests as `hand_made.py` and fills the same tables. It looks up all that a run refers to by one
statement, and creates what is missing. One event loop serves all connections, because threads would take turns at the
interpreter lock.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from typing import Annotated, Any, NamedTuple
from uuid import UUID

import uuid_utils.compat
from fastapi import FastAPI, Header, HTTPException, Request
from psycopg import AsyncConnection

from bench.hand_made import PhaseIn, RunIn, RunOut

_CONNECTIONS = 16

_FIND = """
    SELECT key.organization_id, procedure.id, part.id, revision.id, batch.id, unit.id, unit.revision_id, unit.batch_id
    FROM api_key AS key
    LEFT JOIN procedure ON procedure.organization_id = key.organization_id AND procedure.identifier = %(procedure)s
    LEFT JOIN part ON part.organization_id = key.organization_id AND part.number = %(part)s
    LEFT JOIN revision ON revision.part_id = part.id AND revision.number = %(revision)s
    LEFT JOIN batch ON batch.organization_id = key.organization_id AND batch.number = %(batch)s
    LEFT JOIN unit ON unit.organization_id = key.organization_id AND unit.serial_number = %(serial)s
    WHERE key.key_hash = %(key_hash)s AND key.revoked_at IS NULL
"""
# DO NOTHING would return no id where another request was first.
_PART = """
    INSERT INTO part (id, organization_id, number) VALUES (%s, %s, %s)
    ON CONFLICT (organization_id, number) DO UPDATE SET number = excluded.number RETURNING id
"""
_REVISION = """
    INSERT INTO revision (id, part_id, number) VALUES (%s, %s, %s)
    ON CONFLICT (part_id, number) DO UPDATE SET number = excluded.number RETURNING id
"""
_BATCH = """
    INSERT INTO batch (id, organization_id, number) VALUES (%s, %s, %s)
    ON CONFLICT (organization_id, number) DO UPDATE SET number = excluded.number RETURNING id
"""
_UNIT = """
    INSERT INTO unit (id, organization_id, serial_number, revision_id, batch_id) VALUES (%s, %s, %s, %s, %s)
    ON CONFLICT (organization_id, serial_number)
    DO UPDATE SET revision_id = excluded.revision_id, batch_id = excluded.batch_id RETURNING id
"""
_RUN = """
    INSERT INTO run (id, organization_id, procedure_id, unit_id, outcome, started_at, ended_at, created_at)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
"""
_PHASES = "COPY phase (id, run_id, position, name, outcome, started_at, ended_at) FROM STDIN"
_MEASUREMENTS = """
    COPY measurement
    (phase_id, position, name, outcome, value_number, value_text, units, lower_limit, upper_limit) FROM STDIN
"""
_LOGS = "COPY log (run_id, position, level, timestamp, message, source_file, line_number) FROM STDIN"

Row = Sequence[Any]


class Found(NamedTuple):
    """The records that a run refers to. None: not there yet. unit_revision_id, unit_batch_id: of the unit now."""

    organization_id: UUID
    procedure_id: UUID | None
    part_id: UUID | None
    revision_id: UUID | None
    batch_id: UUID | None
    unit_id: UUID | None
    unit_revision_id: UUID | None
    unit_batch_id: UUID | None


def create_app(database_url: str) -> FastAPI:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.free = asyncio.Queue()
        async with AsyncExitStack() as stack:
            for _ in range(_CONNECTIONS):
                connection = await AsyncConnection.connect(database_url)
                app.state.free.put_nowait(await stack.enter_async_context(connection))
            yield

    app = FastAPI(lifespan=lifespan)
    app.post("/v1/runs")(create_run)
    return app


async def create_run(run: RunIn, request: Request, authorization: Annotated[str, Header()] = "") -> RunOut:
    free: asyncio.Queue[AsyncConnection] = request.app.state.free
    connection = await free.get()
    try:
        async with connection.transaction():
            return RunOut(id=await _record(connection, run, authorization.removeprefix("Bearer ")))
    finally:
        free.put_nowait(connection)


async def _record(connection: AsyncConnection, run: RunIn, api_key: str) -> UUID:
    found = await _find(connection, run, api_key)
    unit_id = await _unit_id(connection, run, found)
    run_id = uuid_utils.compat.uuid7()
    outcome = run.outcome or ("PASS" if run.run_passed else "FAIL")
    times = (run.started_at, run.started_at + run.duration, datetime.now(UTC))
    await connection.execute(
        _RUN, [run_id, found.organization_id, found.procedure_id, unit_id, outcome, *times]
    )
    phases = [(uuid_utils.compat.uuid7(), phase) for phase in run.phases]
    await _copy(connection, _PHASES, _phase_rows(run_id, phases))
    await _copy(connection, _MEASUREMENTS, _measurement_rows(phases))
    logs = (
        (run_id, position, log.level, log.timestamp, log.message, log.source_file, log.line_number)
        for position, log in enumerate(run.logs)
    )
    await _copy(connection, _LOGS, logs)
    return run_id


async def _find(connection: AsyncConnection, run: RunIn, api_key: str) -> Found:
    unit = run.unit_under_test
    names = {
        "key_hash": hashlib.sha256(api_key.encode()).digest(),
        "procedure": run.procedure_id,
        "part": unit.part_number,
        "revision": unit.revision,
        "batch": unit.batch_number,
        "serial": unit.serial_number,
    }
    row = await (await connection.execute(_FIND, names)).fetchone()
    if row is None:
        raise HTTPException(401, "API key is unknown")
    found = Found(*row)
    if found.procedure_id is None:
        raise HTTPException(404, f"Procedure {run.procedure_id} is unknown")
    return found


async def _unit_id(connection: AsyncConnection, run: RunIn, found: Found) -> UUID:
    """The id of the unit, which is updated if it has moved, or created with all that it refers to."""
    unit, organization_id = run.unit_under_test, found.organization_id
    part_id, revision_id, batch_id = found.part_id, found.revision_id, found.batch_id
    if part_id is None:
        part_id = await _create(connection, _PART, organization_id, unit.part_number)
    if revision_id is None:
        revision_id = await _create(connection, _REVISION, part_id, unit.revision)
    if batch_id is None and unit.batch_number is not None:
        batch_id = await _create(connection, _BATCH, organization_id, unit.batch_number)
    place = (revision_id, batch_id)
    if found.unit_id is not None and place == (found.unit_revision_id, found.unit_batch_id):
        return found.unit_id
    return await _create(connection, _UNIT, organization_id, unit.serial_number, *place)


async def _create(connection: AsyncConnection, statement: str, *values: UUID | str | None) -> UUID:
    """The id of a new record, or of the one that another request has created meanwhile."""
    made = await connection.execute(statement.encode(), [uuid_utils.compat.uuid7(), *values])
    row = await made.fetchone()
    assert row is not None
    found: UUID = row[0]
    return found


async def _copy(connection: AsyncConnection, statement: str, rows: Iterable[Row]) -> None:
    async with connection.cursor() as cursor, cursor.copy(statement.encode()) as copy:
        for row in rows:
            await copy.write_row(row)


def _phase_rows(run_id: UUID, phases: Iterable[tuple[UUID, PhaseIn]]) -> Iterable[Row]:
    for position, (phase_id, phase) in enumerate(phases):
        started_at, ended_at = (
            datetime.fromtimestamp(ms / 1000, UTC) for ms in (phase.start_time_millis, phase.end_time_millis)
        )
        yield phase_id, run_id, position, phase.name, phase.outcome, started_at, ended_at


def _measurement_rows(phases: Iterable[tuple[UUID, PhaseIn]]) -> Iterable[Row]:
    for phase_id, phase in phases:
        for position, one in enumerate(phase.measurements):
            value = one.measured_value
            is_number = isinstance(value, float)
            number, text = value if is_number else None, None if is_number or value is None else str(value)
            limits = (one.lower_limit, one.upper_limit)
            yield phase_id, position, one.name, one.outcome, number, text, one.units, *limits
