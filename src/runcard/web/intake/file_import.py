"""The page of one import: its file, and the runs and repairs that were recorded from it."""

from collections.abc import Sequence
from typing import Annotated, NamedTuple
from uuid import UUID

from fastapi import APIRouter, Request
from msgspec import Struct
from starlette.responses import Response

from runcard.domain.errors import FileImportNotFound
from runcard.domain.runs.outcome import RunOutcome
from runcard.edge.requests.ids import id_of
from runcard.edge.requests.services import WithServices
from runcard.exports.spreadsheets import Cell, Rows, SheetColumn
from runcard.store.engine.scope import Scope
from runcard.store.files.attachments import find_attachments
from runcard.store.files.imports import (
    ImportRecord,
    get_import,
    list_imported_runs,
    list_repaired_units,
    list_stated,
)
from runcard.store.intake.quarantine import find_quarantined_id
from runcard.store.lists.pages import Page
from runcard.store.runs.records import RunRecord, read_runs
from runcard.web.files.previews import AttachmentLine, attachment_lines
from runcard.web.frame.clocks import start_of
from runcard.web.frame.facts import Fact, creator_name
from runcard.web.frame.formats import Moment, count_text, moment_of, size_text
from runcard.web.frame.render import render
from runcard.web.frame.urls import run_url, unit_url
from runcard.web.frame.visit import Visit, WithVisit
from runcard.web.intake.outcomes import RecordLink, import_url, quarantined_url, runs_text, stated_name
from runcard.web.intake.report_formats import format_text
from runcard.web.lists.filters import page_query, url_of
from runcard.web.lists.pager import Cursor, Pager, list_page, pager
from runcard.web.lists.table_files import FileAsk, TableFiles, file_route, files_of

router = APIRouter()

_MOST_REPAIRED = 100
_SHEET = [
    SheetColumn("Run of unit"),
    SheetColumn("Outcome"),
    SheetColumn("Procedure"),
    SheetColumn("Part"),
    SheetColumn("Started", "moment"),
    SheetColumn("Stated at import"),
    SheetColumn("Run ID"),
]


class FileImportQuery(Struct, kw_only=True):
    cursor: Cursor | None = None


class ImportedRunLine(NamedTuple):
    """stated: the fields that the person who brought the file stated."""

    url: str
    serial_number: str
    outcome: RunOutcome
    procedure: str
    part_number: str
    started_at: Moment
    stated: str


class FileImportPage(NamedTuple):
    """name: empty if the file was deleted. partly: how far the import came, if it was cut short; else empty.
    quarantined_url: of its file, if that waits in quarantine; else empty.
    """

    name: str
    partly: str
    quarantined_url: str
    facts: Sequence[Fact]
    file: AttachmentLine | None
    runs: Sequence[ImportedRunLine]
    files: TableFiles
    has_stated: bool
    pager: Pager
    repaired: Sequence[RecordLink]
    has_more_repaired: bool


@router.get("/imports/{import_id}")
def show_import(
    request: Request,
    services: WithServices,
    visit: WithVisit,
    import_id: str,
    query: Annotated[FileImportQuery, page_query(FileImportQuery)],
) -> Response:
    organization_id, import_uuid = visit.actor.organization_id, id_of(import_id, FileImportNotFound)
    with services.database.read_in(organization_id) as scope:
        record = get_import(scope, import_uuid)
        waiting = find_quarantined_id(scope, record.digest)
        at = list_page(scope.connection, query.cursor)
        listed = list_imported_runs(scope, record.id, at)
        repaired = list_repaired_units(scope, record.id, Page(_MOST_REPAIRED))
        attachments = find_attachments(scope, [record.attachment_id] if record.attachment_id else [])
        runs = _runs(scope, visit, listed.rows)
    files = list(attachment_lines(services, list(attachments.values()), str(request.base_url)))
    page = FileImportPage(
        name=record.name or "",
        partly=_partly(record),
        quarantined_url="" if waiting is None else quarantined_url(waiting),
        facts=_facts(record, visit),
        file=files[0] if files else None,
        runs=runs,
        files=files_of(f"{import_url(record.id)}/runs", query, "cursor"),
        has_stated=any(run.stated for run in runs),
        pager=pager(at, listed, lambda cursor: url_of(import_url(record.id), query, cursor=cursor)),
        repaired=[RecordLink(serial_number, unit_url(serial_number)) for serial_number in repaired.rows],
        has_more_repaired=repaired.has_more,
    )
    return render("intake/file_import.html", page, visit)


@file_route(router, "/imports/{import_id}/runs", FileImportQuery, "Imported runs", _SHEET)
def list_all_imported_runs(ask: FileAsk[FileImportQuery]) -> Rows:
    """All runs of an import that still exist, in the order of the file. Raises FileImportNotFound."""
    organization_id, import_uuid = ask.organization_id, id_of(ask.names["import_id"], FileImportNotFound)
    with ask.services.database.read_in(organization_id) as scope:
        get_import(scope, import_uuid)

    def cells(scope: Scope, ids: Sequence[UUID]) -> Sequence[Sequence[Cell]]:
        stated = list_stated(scope, ids)
        return [_cells(run, stated.get(run.id, ())) for run in read_runs(scope, ids)]

    return ask.whole_list(lambda scope, page: list_imported_runs(scope, import_uuid, page), cells)


def _runs(scope: Scope, visit: Visit, ids: Sequence[UUID]) -> Sequence[ImportedRunLine]:
    stated = list_stated(scope, ids)
    return [_line(run, visit, stated.get(run.id, ())) for run in read_runs(scope, ids)]


def _line(run: RunRecord, visit: Visit, stated: Sequence[str]) -> ImportedRunLine:
    return ImportedRunLine(
        run_url(run.id),
        run.unit.serial_number,
        run.outcome,
        run.procedure.name,
        run.part.number,
        start_of(run, visit.zone),
        _stated_text(stated),
    )


def _cells(run: RunRecord, stated: Sequence[str]) -> Sequence[Cell]:
    return [
        run.unit.serial_number,
        run.outcome,
        run.procedure.name,
        run.part.number,
        run.started_at,
        _stated_text(stated),
        str(run.id),
    ]


def _stated_text(fields: Sequence[str]) -> str:
    return ", ".join(map(stated_name, fields))


def _partly(record: ImportRecord) -> str:
    if record.recorded_count is None:
        return ""
    return f"Reports 1 to {count_text(record.recorded_count)} of this file are recorded; the rest is not."


def _facts(record: ImportRecord, visit: Visit) -> Sequence[Fact]:
    imported = moment_of(record.created_at, visit.zone)
    facts = [
        Fact("Recorded", runs_text(record.run_count, record.repair_count) or "nothing is left of it"),
        Fact("Read as", format_text(record.importer)),
        Fact("Size", "" if record.size_bytes is None else size_text(record.size_bytes)),
        Fact("Imported", f"{imported.date} {imported.time}"),
        Fact("By", creator_name(record.created_by)),
    ]
    return [fact for fact in facts if fact.value]
