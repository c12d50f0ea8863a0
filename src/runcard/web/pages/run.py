"""One run with all that lies inside it."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request
from starlette.responses import Response

from runcard.domain.errors import RunNotFound
from runcard.domain.outcome import LogLevel, PhaseOutcome, RunOutcome
from runcard.domain.phase import Log, Phase
from runcard.domain.run import RunDocument
from runcard.edge.deps import Parts, WithParts
from runcard.edge.ids import id_of
from runcard.edge.uploads import download_url, settled
from runcard.store.attachments import Attachment, list_attachments
from runcard.store.refs import UnitRef
from runcard.store.run_records import RunRecord, find_run, list_sub_units, read_documents
from runcard.web.formats import Moment, duration_text, moment_of, precise_moment_of, size_text
from runcard.web.measurements import MeasurementLine, measurement_line
from runcard.web.render import render
from runcard.web.visit import WithVisit

router = APIRouter()

_MAX_FAILURES = 20


class Fact(NamedTuple):
    name: str
    value: str


class PhaseSection(NamedTuple):
    """anchor: its id inside the page. retry: 0 for the first attempt."""

    anchor: str
    name: str
    outcome: PhaseOutcome
    started_at: Moment
    duration: str
    retry: int
    docstring: str | None
    measurements: Sequence[MeasurementLine]


class Failure(NamedTuple):
    """What to look at first in a run that did not pass: a measurement, or a phase that has none to blame."""

    anchor: str
    name: str


class LogLine(NamedTuple):
    at: Moment
    level: LogLevel
    message: str
    source: str


class AttachmentLine(NamedTuple):
    url: str
    name: str
    size: str
    content_type: str
    is_report: bool


class RunPage(NamedTuple):
    """failures: the first of them; `more_failures` are left out."""

    outcome: RunOutcome
    serial_number: str
    procedure: str
    started_at: Moment
    duration: str
    facts: Sequence[Fact]
    sub_units: Sequence[str]
    docstring: str | None
    failures: Sequence[Failure]
    more_failures: int
    phases: Sequence[PhaseSection]
    logs: Sequence[LogLine]
    attachments: Sequence[AttachmentLine]


@router.get("/runs/{run_id}")
def show_run(request: Request, parts: WithParts, visit: WithVisit, run_id: str) -> Response:
    organization_id, wanted = visit.actor.organization_id, id_of(run_id, RunNotFound)
    with parts.database.read() as connection:
        record = find_run(connection, organization_id, wanted)
        if record is None:
            raise RunNotFound(run_id)
        document = read_documents(connection, organization_id, [wanted])[wanted]
        sub_units = list_sub_units(connection, organization_id, [wanted]).get(wanted, ())
        attachments = list_attachments(connection, organization_id, [wanted]).get(wanted, ())
    root = str(request.base_url)
    # Files of v2 belong to a run before their bytes have come.
    stored = [one for one in settled(parts, attachments) if one.stored_at is not None]
    files = [_attachment_line(parts, attachment, root) for attachment in stored]
    return render("run.html", _page(record, document, sub_units, files, visit.zone), visit)


def _page(
    record: RunRecord,
    document: RunDocument,
    sub_units: Sequence[UnitRef],
    files: Sequence[AttachmentLine],
    zone: ZoneInfo,
) -> RunPage:
    phases = [_phase_section(phase, number, zone) for number, phase in enumerate(document.phases, start=1)]
    failures = list(_failures(phases))
    return RunPage(
        outcome=record.outcome,
        serial_number=record.unit.serial_number,
        procedure=record.procedure.name,
        started_at=moment_of(record.started_at, zone),
        duration=duration_text(record.duration),
        facts=[fact for fact in _facts(record, zone) if fact.value],
        sub_units=[unit.serial_number for unit in sub_units],
        docstring=record.docstring,
        failures=failures[:_MAX_FAILURES],
        more_failures=len(failures[_MAX_FAILURES:]),
        phases=phases,
        logs=[_log_line(log, zone) for log in document.logs],
        attachments=files,
    )


def _facts(record: RunRecord, zone: ZoneInfo) -> list[Fact]:
    station, user, operator = record.created_by_station, record.created_by_user, record.operator
    recorded = moment_of(record.created_at, zone)
    return [
        Fact("Part", record.part.number),
        Fact("Revision", record.revision.name),
        Fact("Batch", record.batch.name if record.batch else ""),
        Fact("Procedure", f"{record.procedure.name} ({record.procedure.identifier})"),
        Fact("Version", record.version.name if record.version else ""),
        Fact("Station", station.name if station else ""),
        Fact("Recorded by", user.name if user else ""),
        Fact("Operator", (operator.name if operator else record.operator_name) or ""),
        Fact("Sample", record.unit.sample or ""),
        Fact("Slot", record.slot_name or record.slot_key or ""),
        Fact("Recorded", f"{recorded.date} {recorded.time}"),
        Fact("Run ID", str(record.id)),
    ]


def _phase_section(phase: Phase, number: int, zone: ZoneInfo) -> PhaseSection:
    return PhaseSection(
        anchor=f"phase-{number}",
        name=phase.name,
        outcome=phase.outcome,
        started_at=precise_moment_of(phase.started_at, zone),
        duration=duration_text(phase.ended_at - phase.started_at),
        retry=phase.retry_count,
        docstring=phase.docstring,
        measurements=[measurement_line(measurement) for measurement in phase.measurements],
    )


def _failures(phases: Sequence[PhaseSection]) -> Iterator[Failure]:
    """Every measurement that failed, and every phase that failed or broke without one."""
    for phase in phases:
        failed = [one.name for one in phase.measurements if one.outcome == "FAIL"]
        if not failed and phase.outcome in ("FAIL", "ERROR"):
            yield Failure(phase.anchor, phase.name)
        for name in failed:
            yield Failure(phase.anchor, name if name == phase.name else f"{phase.name}: {name}")


def _log_line(log: Log, zone: ZoneInfo) -> LogLine:
    return LogLine(
        precise_moment_of(log.timestamp, zone), log.level, log.message, f"{log.source_file}:{log.line_number}"
    )


def _attachment_line(parts: Parts, attachment: Attachment, request_root: str) -> AttachmentLine:
    return AttachmentLine(
        url=download_url(parts, attachment, request_root),
        name=attachment.name,
        size=size_text(attachment.size_bytes or 0),
        content_type=attachment.shown_content_type,
        is_report=attachment.is_report,
    )
