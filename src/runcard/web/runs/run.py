"""The page of one run, with all that lies inside it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, NamedTuple
from urllib.parse import quote, urlencode
from zoneinfo import ZoneInfo

import msgspec
from fastapi import APIRouter, Request
from starlette.responses import Response

from runcard.auth.permissions import may_manage
from runcard.domain.errors import RunNotFound
from runcard.domain.metadata import Metadata, MetadataValue
from runcard.domain.runs.clock import reported_times
from runcard.domain.runs.outcome import RunOutcome, SequenceOutcome
from runcard.domain.runs.run import RunDocument
from runcard.edge.files.transfers import content_disposition
from runcard.edge.files.uploads import settled
from runcard.edge.requests.ids import id_of
from runcard.edge.requests.services import Services, WithServices
from runcard.evidence.receipts import receipt_of
from runcard.store.engine.scope import Scope
from runcard.store.files.attachments import Attachment, list_attachments
from runcard.store.files.imports import list_stated
from runcard.store.lists.run_filter import RunFilter
from runcard.store.metadata import read_metadata
from runcard.store.notes.inside import count_notes_inside
from runcard.store.runs.records import (
    RunPosition,
    RunRecord,
    SubUnitRef,
    find_run,
    list_latest_runs,
    list_sub_units,
    read_documents,
)
from runcard.web.bin.deleting import DeleteForm, delete_form, url_if_deleted
from runcard.web.evidence.lines import ThingHistory, history_of
from runcard.web.files.previews import AttachmentLine, attachment_lines
from runcard.web.frame.clocks import clock_note, start_of
from runcard.web.frame.facts import Fact
from runcard.web.frame.formats import Moment, duration_text, moment_of, number_text
from runcard.web.frame.render import SAFETY_HEADERS, redirect, render
from runcard.web.frame.urls import comparison_url, notes_url
from runcard.web.frame.visit import Visit, WithVisit
from runcard.web.intake.outcomes import stated_name
from runcard.web.lists.filters import page_query
from runcard.web.lists.run_columns import created_by_name, operator_of
from runcard.web.lists.table_files import TableFiles, files_of
from runcard.web.notes.section import NotesSection, notes_of
from runcard.web.runs.compared_with import ComparedWith, compared_with
from runcard.web.runs.logs import LogPanel, log_panel
from runcard.web.runs.phases import PhaseList, phase_list
from runcard.web.runs.report import run_report
from runcard.web.runs.view import RunQuery
from runcard.web.runs.voiding import Voiding, voiding_of
from runcard.web.runs.ways import RunWay, run_ways

router = APIRouter()

_EARLIER_RUNS = 8


class LinkedFact(NamedTuple):
    """url: empty if it leads nowhere."""

    name: str
    value: str
    url: str = ""


class RunLink(NamedTuple):
    name: str
    url: str


class EarlierRunLink(NamedTuple):
    url: str
    outcome: RunOutcome
    procedure: str
    station: str
    started_at: Moment


class SequenceLine(NamedTuple):
    """started_at: None if the sequence was skipped."""

    path: str
    name: str
    outcome: SequenceOutcome
    started_at: Moment | None
    duration: str


class Setting(NamedTuple):
    """A line of metadata or of the configuration. source: where a line of the configuration comes from."""

    key: str
    value: str
    source: str = ""


class RunPage(NamedTuple):
    """comparison: None if there is nothing to compare with. clock_note: what a wrong clock said; usually empty.

    all_runs_url: of all runs of the unit. reported: what the report said, where a person corrected it. correct_url:
    empty if the reader may not correct the run. deletion: None if the reader may not delete the run. noted: how many
    notes a phase or measurement has, by the address of its notes.
    """

    ways: Sequence[RunWay]
    comparison: RunLink | None
    outcome: RunOutcome
    serial_number: str
    unit_url: str
    procedure: RunLink
    started_at: Moment
    ended_at: Moment
    duration: str
    clock_note: str
    facts: Sequence[LinkedFact]
    sub_units: Sequence[RunLink]
    docstring: str | None
    phases: PhaseList
    measurement_files: TableFiles
    logs: LogPanel
    attachments: Sequence[AttachmentLine]
    sequences: Sequence[SequenceLine]
    metadata: Sequence[Setting]
    config: Sequence[Setting]
    earlier: Sequence[EarlierRunLink]
    all_runs_url: str
    report_url: str
    receipt_url: str
    reported: Sequence[Fact]
    correct_url: str
    uncorrect_url: str
    voiding: Voiding
    deletion: DeleteForm | None
    notes: NotesSection
    noted: Mapping[str, int]
    history: ThingHistory


class _Whole(NamedTuple):
    record: RunRecord
    document: RunDocument
    sub_units: Sequence[SubUnitRef]
    attachments: Sequence[Attachment]
    metadata: Metadata
    stated: Sequence[str]


class _Around(NamedTuple):
    """The other runs that the page of a run links to, and what happened to the run since."""

    earlier: Sequence[RunRecord]
    ways: Sequence[RunWay]
    compared: ComparedWith | None
    notes: NotesSection
    noted: Mapping[str, int]
    voiding: Voiding
    history: ThingHistory


@router.get("/runs/{run_id}")
def show_run(
    request: Request,
    services: WithServices,
    visit: WithVisit,
    run_id: str,
    query: Annotated[RunQuery, page_query(RunQuery)],
) -> Response:
    organization_id = visit.actor.organization_id
    with services.database.read_in(organization_id) as scope:
        try:
            run = _get_whole(scope, run_id)
        except RunNotFound:
            if gone := url_if_deleted(scope, run_id):
                return redirect(gone)
            raise
        around = _around(scope, run.record, visit)
    files = list(attachment_lines(services, _stored(services, run), str(request.base_url), visit))
    return render("runs/run.html", _page(run, files, around, query, visit), visit)


@router.get("/runs/{run_id}/report.json")
def download_report(services: WithServices, visit: WithVisit, run_id: str) -> Response:
    """A file with all that is recorded of a run."""
    with services.database.read_in(visit.actor.organization_id) as scope:
        run = _get_whole(scope, run_id)
    return _file(run.record, "", run_report(*run))


@router.get("/runs/{run_id}/receipt.json")
def download_receipt(services: WithServices, visit: WithVisit, run_id: str) -> Response:
    """A file that proves that a run stands in the record as it is now; `runcard-verify` reads it."""
    organization_id, run_uuid = visit.actor.organization_id, id_of(run_id, RunNotFound)
    with services.database.read_in(organization_id) as scope:
        record = find_run(scope, run_uuid)
    proof = None if record is None else services.prover.prove_run(organization_id, run_uuid)
    if record is None or proof is None:
        raise RunNotFound(run_id)
    return _file(record, " receipt", msgspec.json.encode(receipt_of(proof)))


def _file(run: RunRecord, what: str, content: bytes) -> Response:
    """The answer with a file about a run. what: goes behind its name."""
    name = f"{run.unit.serial_number} {run.started_at:%Y-%m-%d %H%M%S}{what}.json"
    return Response(
        content,
        media_type="application/json",
        headers={
            **SAFETY_HEADERS,
            "Cache-Control": "no-store",
            "Content-Disposition": content_disposition(name, inline=False),
        },
    )


def _get_whole(scope: Scope, run_id: str) -> _Whole:
    """A run with all that belongs to it. Raises RunNotFound."""
    run_uuid = id_of(run_id, RunNotFound)
    record = find_run(scope, run_uuid)
    if record is None:
        raise RunNotFound(run_id)
    return _Whole(
        record,
        read_documents(scope, [run_uuid])[run_uuid],
        list_sub_units(scope, [run_uuid]).get(run_uuid, ()),
        list_attachments(scope, [run_uuid]).get(run_uuid, ()),
        read_metadata(scope, [run_uuid]).get(run_uuid, {}),
        list_stated(scope, [run_uuid]).get(run_uuid, ()),
    )


def _earlier(scope: Scope, record: RunRecord) -> Sequence[RunRecord]:
    """The latest runs of the unit before this one, by their start; of runs with the same start, by their id."""
    run_filter = RunFilter(serial_numbers=[record.unit.serial_number])
    here = RunPosition(record.started_at, record.id)
    return list_latest_runs(scope, run_filter, _EARLIER_RUNS, here).rows


def _around(scope: Scope, record: RunRecord, visit: Visit) -> _Around:
    return _Around(
        _earlier(scope, record),
        run_ways(scope, record, visit.zone),
        compared_with(scope, record),
        notes_of(scope, visit, record.id),
        {notes_url(one): count for one, count in count_notes_inside(scope, record.id).items()},
        voiding_of(scope, visit, record),
        history_of(scope, visit, record.id),
    )


def _comparison(record: RunRecord, compared: ComparedWith | None) -> RunLink | None:
    return None if compared is None else RunLink(f"Compare with {compared.text}", comparison_url(record.id))


def _stored(services: Services, run: _Whole) -> Sequence[Attachment]:
    """The attachments whose bytes have arrived: with v2, a file belongs to a run before its bytes arrive."""
    return [one for one in settled(services, run.attachments) if one.stored_at is not None]


def _page(
    run: _Whole,
    files: Sequence[AttachmentLine],
    around: _Around,
    query: RunQuery,
    visit: Visit,
) -> RunPage:
    record, document, zone = run.record, run.document, visit.zone
    here = f"/runs/{record.id}"
    serial_number = record.unit.serial_number
    return RunPage(
        ways=around.ways,
        comparison=_comparison(record, around.compared),
        outcome=record.outcome,
        serial_number=serial_number,
        unit_url=_unit_url(serial_number),
        procedure=RunLink(record.procedure.name, f"/procedures/{record.procedure.id}"),
        started_at=moment_of(record.started_at, zone),
        ended_at=moment_of(record.ended_at, zone),
        duration=duration_text(record.duration),
        clock_note=clock_note(record, zone),
        facts=[fact for fact in _facts(record, run.stated, zone) if fact.value],
        sub_units=[RunLink(unit.serial_number, _unit_url(unit.serial_number)) for unit in run.sub_units],
        docstring=record.docstring,
        phases=phase_list(record, document, query, here, zone),
        measurement_files=files_of(f"{here}/measurements", RunQuery(show=query.show)),
        logs=log_panel(document.logs, query, here, reported_times(record).started_at, zone),
        attachments=files,
        sequences=_sequences(document, zone),
        metadata=[Setting(key, _value_text(value)) for key, value in run.metadata.items()],
        config=_config(document),
        earlier=[_earlier_run(one, zone) for one in around.earlier],
        all_runs_url=_runs_url({"serial": serial_number}),
        report_url=f"{here}/report.json",
        receipt_url=f"{here}/receipt.json",
        reported=[
            Fact(name.replace("_", " "), _said(name, said, zone)) for name, said in record.corrected.items()
        ],
        correct_url=f"{here}/correct" if may_manage(visit.actor) else "",
        uncorrect_url=f"{here}/uncorrect",
        voiding=around.voiding,
        deletion=delete_form(
            visit,
            "run",
            record.id,
            "This run is deleted with its phases, measurements, logs and files; the unit stays.",
        ),
        notes=around.notes,
        noted=around.noted,
        history=around.history,
    )


def _said(field: str, said: str | None, zone: ZoneInfo) -> str:
    """What a report said of a field, as people read it."""
    if field == "started_at" and said is not None:
        moment = moment_of(datetime.fromisoformat(said), zone)
        return f"{moment.date} {moment.time}"
    return said or "nothing"


def _facts(record: RunRecord, stated: Sequence[str], zone: ZoneInfo) -> list[LinkedFact]:
    """The facts of a run. A name leads to the runs that share it, a station to its page."""
    station, user, operator, part = (
        record.created_by_station,
        record.created_by_user,
        operator_of(record),
        {"part": record.part.number},
    )
    batch = record.batch.name if record.batch else ""
    version = record.version.name if record.version else ""
    recorded = moment_of(record.created_at, zone)
    return [
        LinkedFact("Part", record.part.number, _runs_url(part)),
        LinkedFact("Revision", record.revision.name, _runs_url({**part, "revision": record.revision.name})),
        LinkedFact("Batch", batch, _runs_url({"batch": batch})),
        LinkedFact(
            "Procedure",
            f"{record.procedure.name} ({record.procedure.identifier})",
            f"/procedures/{record.procedure.id}",
        ),
        LinkedFact(
            "Version", version, _runs_url({"procedure": str(record.procedure.id), "version": version})
        ),
        LinkedFact("Station", station.name if station else "", f"/stations/{station.id}" if station else ""),
        LinkedFact("Recorded by", user.name if user else ""),
        LinkedFact("Operator", operator, _runs_url({"operator": operator})),
        LinkedFact("Unit class", record.unit.sample or ""),
        LinkedFact("Slot", record.slot_name or record.slot_key or ""),
        LinkedFact("Execution", record.execution_id or ""),
        LinkedFact("Stated at import", ", ".join(map(stated_name, stated))),
        LinkedFact("Recorded", f"{recorded.date} {recorded.time}"),
        LinkedFact("Run ID", str(record.id)),
    ]


def _runs_url(query: Mapping[str, str]) -> str:
    return f"/runs?{urlencode(query)}"


def _unit_url(serial_number: str) -> str:
    return f"/units/{quote(serial_number, safe='')}"


def _earlier_run(run: RunRecord, zone: ZoneInfo) -> EarlierRunLink:
    return EarlierRunLink(
        f"/runs/{run.id}", run.outcome, run.procedure.name, created_by_name(run), start_of(run, zone)
    )


def _sequences(document: RunDocument, zone: ZoneInfo) -> Sequence[SequenceLine]:
    return [
        SequenceLine(
            one.path,
            one.name,
            one.outcome,
            None if one.started_at is None else moment_of(one.started_at, zone),
            duration_text(one.ended_at - one.started_at) if one.started_at and one.ended_at else "",
        )
        for one in document.sequences
    ]


def _config(document: RunDocument) -> Sequence[Setting]:
    """The configuration of a run. Of a secret, only its use is recorded, so only that is shown."""
    values = [Setting(one.key, _value_text(one.value), one.source or "") for one in document.config]
    return [*values, *(Setting(one.key, "secret", one.source or "") for one in document.secrets)]


def _value_text(value: MetadataValue) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return value
    return number_text(value)
