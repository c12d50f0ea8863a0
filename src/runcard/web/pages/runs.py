"""The list of runs, newest first."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from urllib.parse import quote
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request
from starlette.responses import Response

from runcard.domain.errors import InvalidInput
from runcard.domain.instant import as_utc, format_instant
from runcard.domain.outcome import RunOutcome
from runcard.edge.deps import WithParts
from runcard.store.database import Connection
from runcard.store.procedures import list_procedures
from runcard.store.run_records import RunPosition, RunRecord, list_latest_runs
from runcard.web.first_run import SOME_PROCEDURE, curl_command
from runcard.web.formats import Moment, duration_text, moment_of
from runcard.web.render import render
from runcard.web.visit import WithVisit

router = APIRouter()

_PAGE_SIZE = 50


class RunLine(NamedTuple):
    """station: what recorded the run, a station or a user."""

    url: str
    outcome: RunOutcome
    serial_number: str
    part_number: str
    revision: str
    batch: str
    procedure: str
    version: str
    station: str
    operator: str
    started_at: Moment
    duration: str


class FirstRun(NamedTuple):
    """How to send a first run. procedure: the identifier to send it to; empty where there is none yet."""

    procedure: str
    command: str


class RunsPage(NamedTuple):
    """older_url, newest_url: empty where there is nothing to go to. first_run: where there are no runs at all."""

    runs: Sequence[RunLine]
    older_url: str
    newest_url: str
    first_run: FirstRun | None


@router.get("/runs")
def show_runs(request: Request, parts: WithParts, visit: WithVisit, after: str | None = None) -> Response:
    position = None if after is None else _position(after)
    organization_id = visit.actor.organization_id
    with parts.database.read() as connection:
        records = list_latest_runs(connection, organization_id, _PAGE_SIZE + 1, position)
        is_empty = not records and position is None
        root = parts.links.root(str(request.base_url))
        first_run = _first_run(connection, organization_id, root) if is_empty else None
    shown = records[:_PAGE_SIZE]
    page = RunsPage(
        runs=[_line(record, visit.zone) for record in shown],
        older_url=f"/runs?after={_after(shown[-1])}" if len(records) > _PAGE_SIZE else "",
        newest_url="/runs" if position else "",
        first_run=first_run,
    )
    return render("runs.html", page, visit)


def _line(record: RunRecord, zone: ZoneInfo) -> RunLine:
    recorder = record.created_by_station or record.created_by_user
    return RunLine(
        url=f"/runs/{record.id}",
        outcome=record.outcome,
        serial_number=record.unit.serial_number,
        part_number=record.part.number,
        revision=record.revision.name,
        batch=record.batch.name if record.batch else "",
        procedure=record.procedure.name,
        version=record.version.name if record.version else "",
        station=recorder.name if recorder else "",
        operator=record.operator.name if record.operator else "",
        started_at=moment_of(record.started_at, zone),
        duration=duration_text(record.duration),
    )


def _after(record: RunRecord) -> str:
    return quote(f"{format_instant(record.started_at)}_{record.id}", safe="")


def _position(after: str) -> RunPosition:
    """Raises InvalidInput for a text that `_after` did not make."""
    moment, _, run_id = after.partition("_")
    try:
        return RunPosition(as_utc(datetime.fromisoformat(moment)), UUID(run_id))
    except ValueError as error:
        raise InvalidInput.at("after", f"{after!r} is no place in the list; start from /runs") from error


def _first_run(connection: Connection, organization_id: UUID, root: str) -> FirstRun:
    procedures = list_procedures(connection, organization_id)
    procedure = procedures[0].identifier if procedures else ""
    return FirstRun(procedure, curl_command(root, "YOUR_API_KEY", procedure or SOME_PROCEDURE))
