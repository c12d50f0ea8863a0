"""The page that maps the columns of a table in quarantine, and previews the runs that result."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, NamedTuple

import msgspec
from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from runcard.auth.permissions import check_may_manage, may_manage
from runcard.domain.errors import InvalidInput, PermissionDenied, QuarantinedFileNotFound, RuncardError
from runcard.domain.runs.measurement import Measurement
from runcard.domain.runs.outcome import RunOutcome
from runcard.edge.answers.errors import answer_error
from runcard.edge.requests.ids import id_of
from runcard.edge.requests.services import Services, WithServices
from runcard.importers.tables.head import TableHead
from runcard.importers.tables.mapping import TableMapping
from runcard.importers.tables.mapping_guess import guess
from runcard.ingest.record_run import PreparedRun
from runcard.intake.choices import ImportChoice, checked, reading_of
from runcard.intake.quarantine import may_retry, opened_quarantined, retry_as_brought
from runcard.store.commit.documents import read_packed
from runcard.store.creator import Creator
from runcard.store.intake.quarantine import QuarantinedFile, get_quarantined
from runcard.store.intake.templates import check_name_is_free, create_template
from runcard.store.procedures.rows import list_procedures
from runcard.web.frame.formats import Moment, count_text, duration_text, figure_text, moment_of
from runcard.web.frame.forms import TOKEN_FIELD, Fields, problems_of, read_fields
from runcard.web.frame.render import redirect, render
from runcard.web.frame.visit import Visit, WithVisit
from runcard.web.intake.arrivals import CLIENT
from runcard.web.intake.mapping_form import RUNS, ColumnLine, Draft, FieldLine, column_lines, field_lines
from runcard.web.intake.outcomes import import_url, mapping_url, quarantined_url
from runcard.web.lists import filters

router = APIRouter(prefix="/imports/quarantine/{file_id}/mapping")

_RUNS_SHOWN, _VALUES_SHOWN = 5, 6
# A form has some fields for each column of a wide table.
_MAX_FORM_BYTES, _MAX_FIELDS = 512 << 10, 3000
_MOST_NAME = 255


class PreviewedRun(NamedTuple):
    """A run as it would be recorded. measured: its first measurements. more: how many others it has."""

    serial_number: str
    part_number: str
    outcome: RunOutcome
    started_at: Moment
    duration: str
    measured: Sequence[str]
    more: str


class MappingPreview(NamedTuple):
    """problems: why no runs can be made, or what is wrong with some. told: how many runs are shown, and of how many."""

    problems: Sequence[str]
    runs: Sequence[PreviewedRun]
    told: str


class MappingPage(NamedTuple):
    """problem: why the file cannot be read as a table; then the other fields are empty."""

    url: str
    file_url: str
    name: str
    problem: str
    head: TableHead | None
    size: str
    runs: Sequence[filters.Choice]
    fields: Sequence[FieldLine]
    columns: Sequence[ColumnLine]
    passing: str
    failing: str
    procedures: Sequence[filters.Choice]
    template_name: str
    skips_bad_rows: bool
    may_save: bool
    problems: Sequence[str]
    preview: MappingPreview


async def _read_form(request: Request, services: WithServices, visit: WithVisit) -> Fields:
    fields = await read_fields(request, _MAX_FORM_BYTES, _MAX_FIELDS)
    services.form_tokens.check(visit.session, fields.get(TOKEN_FIELD, ""))
    return fields


_WithMapping = Annotated[Fields, Depends(_read_form)]


@router.get("")
def show_mapping(services: WithServices, visit: WithVisit, file_id: str) -> Response:
    return _show(services, visit, _get(services, visit, file_id), {})


@router.post("/preview")
def preview(services: WithServices, visit: WithVisit, file_id: str, fields: _WithMapping) -> Response:
    """The same page, with the runs that the form would make. A script takes only the preview out of it."""
    return _show(services, visit, _get(services, visit, file_id), fields)


@router.post("")
def import_mapped(services: WithServices, visit: WithVisit, file_id: str, fields: _WithMapping) -> Response:
    """Import the file as the form says. If the form names a template, save the mapping under that name afterwards."""
    file = _get(services, visit, file_id)
    try:
        head = _head(services, visit, file)
        mapping = _draft(fields, head).mapping(head)
        choice = _choice(services, visit, fields, mapping)
        if name := fields.get("template_name", "").strip():
            _check_may_save(services, visit, name)
        fate = retry_as_brought(services.stores, visit.actor, CLIENT, file, choice)
    except RuncardError as error:
        return _show(services, visit, file, fields, error)
    if fate.import_id is not None and fate.quarantined_id is None:
        if name:
            _save(services, visit, name, mapping)
        return redirect(import_url(fate.import_id))
    refused = InvalidInput.at("file", fate.reason or "It was refused again")
    return _show(services, visit, file, fields, refused)


def _get(services: Services, visit: Visit, file_id: str) -> QuarantinedFile:
    """The file in quarantine. Raises QuarantinedFileNotFound, and PermissionDenied if the member may not retry it."""
    with services.database.read_in(visit.actor.organization_id) as scope:
        file = get_quarantined(scope, id_of(file_id, QuarantinedFileNotFound))
    if not may_retry(visit.actor, file):
        raise PermissionDenied("Only admins, engineers and the user who brought a file may map its columns.")
    return file


def _head(services: Services, visit: Visit, file: QuarantinedFile) -> TableHead:
    """The beginning of the file as a table. Raises as `OpenedFile.head` does, BytesGone and StorageUnavailable."""
    stores = services.stores
    with (
        opened_quarantined(stores, visit.actor.organization_id, file) as content,
        stores.open_file(content) as opened,
    ):
        return opened.head()


def _draft(fields: Fields, head: TableHead) -> Draft:
    return Draft.filled_in(fields, head) if "runs" in fields else Draft.proposed(head, guess(head))


def _choice(services: Services, visit: Visit, fields: Fields, mapping: TableMapping) -> ImportChoice:
    """How the form says to import the file. Raises InvalidInput and ProcedureNotFound."""
    procedure = fields.get("procedure", "").strip()
    if not procedure:
        raise InvalidInput.at("procedure", "Procedure: choose the procedure of the runs")
    choice = ImportChoice(procedure=procedure, mapping=mapping, skips_bad_rows="skip_bad_rows" in fields)
    with services.database.read_in(visit.actor.organization_id) as scope:
        return checked(scope, choice)


def _check_may_save(services: Services, visit: Visit, name: str) -> None:
    """Check that the member may create a template with this name.

    Raises PermissionDenied, InvalidInput and AlreadyExists.
    """
    check_may_manage(visit.actor, "create import templates")
    if len(name) > _MOST_NAME or "\0" in name:
        raise InvalidInput.at(
            "template_name", f"{name!r} is no name of a template; give 1 to {_MOST_NAME} characters"
        )
    with services.database.read_in(visit.actor.organization_id) as scope:
        check_name_is_free(scope, name)


def _save(services: Services, visit: Visit, name: str, mapping: TableMapping) -> None:
    kept = msgspec.json.encode(mapping).decode()
    services.writer.write(
        visit.actor,
        lambda tx: create_template(tx, name, kept, Creator.of(visit.actor)),
    )


def _show(
    services: Services, visit: Visit, file: QuarantinedFile, fields: Fields, error: RuncardError | None = None
) -> Response:
    head, problem = None, ""
    try:
        head = _head(services, visit, file)
    except RuncardError as unread:
        problem = unread.summary
    draft = None if head is None else _draft(fields, head)
    with services.database.read_in(visit.actor.organization_id) as scope:
        procedures = list_procedures(scope, in_use=True)
    page = MappingPage(
        url=mapping_url(file.id),
        file_url=quarantined_url(file.id),
        name=file.name,
        problem=problem,
        head=head,
        size="" if head is None else _size(head),
        runs=[
            filters.Choice(key, text, draft is not None and key == draft.runs) for key, text in RUNS.items()
        ],
        fields=[] if head is None or draft is None else field_lines(draft, head),
        columns=[] if head is None or draft is None else column_lines(draft, head),
        passing="" if draft is None else draft.passing,
        failing="" if draft is None else draft.failing,
        procedures=[
            filters.Choice(
                str(one.id), f"{one.name} ({one.identifier})", str(one.id) == fields.get("procedure")
            )
            for one in procedures
        ],
        template_name=fields.get("template_name", ""),
        skips_bad_rows="skip_bad_rows" in fields,
        may_save=may_manage(visit.actor),
        problems=problems_of(error),
        preview=MappingPreview((), (), "")
        if head is None or draft is None
        else _preview(services, visit, file, fields, head, draft),
    )
    return render(
        "intake/table_mapping.html", page, visit, status=answer_error(error).status if error else 200
    )


def _preview(
    services: Services, visit: Visit, file: QuarantinedFile, fields: Fields, head: TableHead, draft: Draft
) -> MappingPreview:
    """The first runs as an import would read them, without a look into the database."""
    stores, organization_id = services.stores, visit.actor.organization_id
    try:
        # Any procedure will do here, because the preview does not show it.
        choice = ImportChoice(
            procedure="preview", mapping=draft.mapping(head), skips_bad_rows="skip_bad_rows" in fields
        )
        with stores.database.read_in(organization_id) as scope:
            reading = reading_of(scope, choice, None, CLIENT, file.name)
        assert reading is not None, "a mapping says how the file is read"
        with (
            opened_quarantined(stores, organization_id, file) as content,
            stores.open_file(content) as opened,
        ):
            group = next(opened.groups(reading))
    except RuncardError as error:
        return MappingPreview(
            problems_of(error) if isinstance(error, InvalidInput) else [error.summary], (), ""
        )
    runs = [report for report in group.reports if isinstance(report, PreparedRun)]
    shown = runs[:_RUNS_SHOWN]
    more = f"{count_text(len(runs))}" if group.is_last else f"more than {count_text(len(runs))}"
    text = f"The first {len(shown)} of {more} runs" if len(shown) < len(runs) or not group.is_last else ""
    return MappingPreview(group.warnings, [_previewed(one, visit) for one in shown], text)


def _previewed(run: PreparedRun, visit: Visit) -> PreviewedRun:
    measured = [one for phase in read_packed(run.document.body).phases for one in phase.measurements]
    more = len(measured) - _VALUES_SHOWN
    duration: timedelta = run.ended_at - run.started_at
    return PreviewedRun(
        run.report.serial_number,
        run.report.part_number or "",
        run.report.outcome,
        moment_of(run.started_at, visit.zone),
        duration_text(duration),
        [_value_text(one) for one in measured[:_VALUES_SHOWN]],
        f"and {count_text(more)} more" if more > 0 else "",
    )


def _value_text(measurement: Measurement) -> str:
    value = measurement.value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f"{measurement.name} {figure_text(float(value), measurement.uom)}"
    return f"{measurement.name} {value}"


def _size(head: TableHead) -> str:
    columns = f"{count_text(head.column_count)} columns"
    if len(head.columns) < head.column_count:
        columns += f"; the first {count_text(len(head.columns))} can be mapped here"
    return f"{columns}, {count_text(head.row_count)} rows"
