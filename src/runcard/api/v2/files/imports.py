"""Imports of the v2 API: make runs of uploaded report files in known formats, and of tables through a mapping."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from msgspec import UNSET, Meta, Struct, UnsetType
from starlette.responses import Response

from runcard.domain.actor import Actor
from runcard.domain.errors import InvalidInput, Outage, RuncardError
from runcard.edge.answers.openapi import operation
from runcard.edge.answers.responses import JsonResponse
from runcard.edge.files.uploads import taken_in
from runcard.edge.requests.services import Services, WithClient, WithRecordingActor, WithServices, json_body
from runcard.importers.formats import TABULAR, FormatName
from runcard.importers.report.stated import Stating
from runcard.importers.tables.mapping import TableMapping, read_mapping
from runcard.ingest.record_run import RunClient
from runcard.intake.arrived_files import Upload
from runcard.intake.choices import ImportChoice, RehearsedRunBody, StatedBody, check_may_replace, checked
from runcard.intake.parsing.opened_file import Reading
from runcard.intake.report_files import Fate, ReportFiles, record_upload
from runcard.store.files.attachments import get_attachment
from runcard.store.files.imports import FileImport, what_is_left
from runcard.store.intake.templates import get_template

router = APIRouter()

_NONE_LEFT = (
    "None of its runs is left: they were replaced, or deleted by somebody or by the organization's retention. Set "
    "allow_duplicate to record them again."
)


class ImportStructuredItem(StatedBody):
    """procedure_id: for all runs, whatever the file says; an id, or an identifier such as FVT1. part_number: for runs
    that name none.
    """

    upload_id: UUID
    importer: FormatName
    procedure_id: str | None = None
    part_number: str | None = None


class ImportStructuredRequest(Struct):
    """dry_run: only say what would happen to the files."""

    items: Annotated[list[ImportStructuredItem], Meta(min_length=1, max_length=100)]
    allow_duplicate: bool | None = False
    replace: bool | None = False
    skip_bad_rows: bool | None = False
    dry_run: bool | None = False


class ImportStructuredResult(Struct):
    """ids: of all runs, if there are several. error: what is wrong, if nothing was imported.

    A file with only repair reports makes no run: it has warnings and no id. Warnings also say what was left out of a
    file, and what may have been read otherwise than it was meant. stated: the stated fields, and for how many runs.
    first_runs: for a dry run, the first runs as they would be recorded.
    """

    upload_id: UUID
    success: bool
    id: UUID | UnsetType = UNSET
    ids: list[UUID] | UnsetType = UNSET
    already_imported: bool | UnsetType = UNSET
    warnings: list[str] | UnsetType = UNSET
    error: str | UnsetType = UNSET
    stated: dict[str, int] | UnsetType = UNSET
    first_runs: list[RehearsedRunBody] | UnsetType = UNSET


class ImportStructuredResponse(Struct):
    results: list[ImportStructuredResult]


class ImportTabularRequest(Struct):
    upload_id: UUID
    procedure_id: UUID
    mapping: TableMapping | None = None
    template_id: UUID | None = None
    skip_bad_rows: bool | None = False


class ImportTabularResponse(Struct):
    """warnings: one for each row that was left out."""

    id: UUID
    file_import_id: UUID
    warnings: list[str] | UnsetType = UNSET


@router.post(
    "/imports/structured",
    openapi_extra=operation(ImportStructuredResponse, ImportStructuredRequest, name="import-structured"),
)
def structured(
    client: WithClient,
    actor: WithRecordingActor,
    services: WithServices,
    body: Annotated[ImportStructuredRequest, json_body(ImportStructuredRequest)],
) -> Response:
    """Make runs of uploaded report files. Each file is imported by itself: one that fails does not stop the others."""
    choice = ImportChoice(
        is_whole=True,
        is_again=body.allow_duplicate is True,
        replaces=body.replace is True,
        skips_bad_rows=body.skip_bad_rows is True,
        rehearses=body.dry_run is True,
    )
    if choice.is_again and choice.replaces:
        raise InvalidInput.at(
            "replace", "cannot be given with allow_duplicate, which keeps both runs; give one of them"
        )
    check_may_replace(actor, choice)
    results = [_import_item(services, actor, item, client, choice) for item in body.items]
    return JsonResponse(ImportStructuredResponse(results))


@router.post(
    "/imports/tabular",
    openapi_extra=operation(ImportTabularResponse, ImportTabularRequest, name="import-tabular"),
)
def tabular(
    client: WithClient,
    actor: WithRecordingActor,
    services: WithServices,
    body: Annotated[ImportTabularRequest, json_body(ImportTabularRequest)],
) -> Response:
    """Make a run of an uploaded CSV or Excel file, through a mapping or a saved template."""
    mapping = _mapping(services, actor, body)
    skips = body.skip_bad_rows is True
    stating = Stating(procedure=str(body.procedure_id))
    reading = Reading(TABULAR, client, stating, mapping, skips_bad_rows=skips)
    upload = _upload(services, actor, body.upload_id)
    imported, warnings = record_upload(services.stores, actor, upload, reading)
    return JsonResponse(ImportTabularResponse(imported.run_ids[0], imported.id, list(warnings) or UNSET))


def _import_item(
    services: Services, actor: Actor, item: ImportStructuredItem, client: RunClient, choice: ImportChoice
) -> ImportStructuredResult:
    choice = choice._replace(
        importer=item.importer,
        procedure=item.procedure_id,
        part_number=item.part_number,
        statement=item.statement,
    )
    try:
        with services.database.read_in(actor.organization_id) as scope:
            choice = checked(scope, choice)
        upload = _upload(services, actor, item.upload_id)
        fate = ReportFiles(services.stores, actor, client, choice).bring_in_upload(upload)
    except Outage:
        raise  # an outage is not the file's fault
    except RuncardError as error:
        return ImportStructuredResult(item.upload_id, success=False, error=error.summary)
    if fate.status == "refused":
        return ImportStructuredResult(item.upload_id, success=False, error=fate.reason or UNSET)
    if choice.rehearses and fate.status == "recorded":
        return _rehearsed(item, fate)
    imported = _imported(services, actor, fate)
    run_ids, known = list(imported.run_ids), fate.status == "known"
    return ImportStructuredResult(
        item.upload_id,
        success=True,
        id=run_ids[0] if run_ids else UNSET,
        ids=run_ids if len(run_ids) > 1 else UNSET,
        already_imported=known,
        warnings=[*_warnings(imported, known=known), *fate.warnings] or UNSET,
        stated=dict(fate.stated) or UNSET,
    )


def _rehearsed(item: ImportStructuredItem, fate: Fate) -> ImportStructuredResult:
    return ImportStructuredResult(
        item.upload_id,
        success=True,
        already_imported=False,
        warnings=list(fate.warnings) or UNSET,
        stated=dict(fate.stated) or UNSET,
        first_runs=[RehearsedRunBody(*run) for run in fate.rehearsed],
    )


def _imported(services: Services, actor: Actor, fate: Fate) -> FileImport:
    """All that was imported from a file, now or before."""
    assert fate.import_id is not None, "what is recorded belongs to an import"
    with services.database.read_in(actor.organization_id) as scope:
        return what_is_left(scope, fate.import_id)


def _warnings(imported: FileImport, *, known: bool) -> list[str]:
    count = len(imported.repair_ids)
    if known and not count and not imported.run_ids:
        return [_NONE_LEFT]
    kept = (
        "1 repair report was kept as a repair of its unit and made"
        if count == 1
        else (f"{count} repair reports were kept as repairs of their units and made")
    )
    return [f"{kept} no run."] if count else []


def _upload(services: Services, actor: Actor, upload_id: UUID) -> Upload:
    # The connection is closed before the file is read. Otherwise a later file would not see what an earlier one left.
    with services.database.read_in(actor.organization_id) as scope:
        attachment = get_attachment(scope, upload_id)
    return Upload(taken_in(services, attachment))


def _mapping(services: Services, actor: Actor, body: ImportTabularRequest) -> TableMapping:
    """The mapping of a request. Raises InvalidInput if it makes several runs: the answer has the id of only one."""
    mapping = _mapping_of(services, actor, body)
    if mapping.runs != "file":
        raise InvalidInput.at(
            "mapping.runs",
            f"{mapping.runs!r} makes several runs, and this call records one; give 'file', or import it on its page",
        )
    return mapping


def _mapping_of(services: Services, actor: Actor, body: ImportTabularRequest) -> TableMapping:
    match body.mapping, body.template_id:
        case mapping, None if mapping is not None:
            return mapping
        case None, template_id if template_id is not None:
            with services.database.read_in(actor.organization_id) as scope:
                return read_mapping(get_template(scope, template_id).mapping)
        case _:
            raise InvalidInput.at("mapping", "Give mapping or template_id, exactly one of them")
