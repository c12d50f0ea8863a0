"""Bodies of the quarantine's operations. Fields that may be null are always present."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct

from runcard.domain.runs.report import MAX_NAME_LENGTH
from runcard.edge.requests.paging import PageMeta, PageQuery
from runcard.importers.formats import FormatName
from runcard.intake.choices import RehearsedRunBody, StatedBody, stated_body
from runcard.intake.report_files import Fate
from runcard.store.intake.quarantine import QuarantinedFile
from runcard.store.lists.refs import Named, UserRef

_Name = Annotated[str, Meta(min_length=1, max_length=MAX_NAME_LENGTH)]


class QuarantineListQuery(PageQuery, kw_only=True):
    """search_query: part of the name or of the reason. formats: UNKNOWN: files of no known format."""

    search_query: str | None = None
    formats: list[Literal[FormatName, "TABULAR", "UNKNOWN"]] | None = None


class QuarantineCreator(Struct):
    id: UUID
    name: str


class QuarantinedFileBody(Struct):
    """format: the one in which the file was read; null if none was found. recorded_reports: how many of the file's
    reports are recorded all the same. client: the program that sent it. procedure_id, part_number, template_id, stated:
    what its sender stated about it.
    """

    id: UUID
    name: str
    size_bytes: int | None
    format: str | None
    reason: str
    recorded_reports: int
    attempts: int
    tried_at: datetime
    created_at: datetime
    created_by_user: QuarantineCreator | None
    created_by_station: QuarantineCreator | None
    client: str | None
    procedure_id: str | None
    part_number: str | None
    template_id: UUID | None
    stated: StatedBody


class QuarantineListResponse(Struct):
    data: list[QuarantinedFileBody]
    meta: PageMeta


class QuarantineRetryBody(StatedBody):
    """A field that is null stays as in the last try. procedure_id: an id, or an identifier such as FVT1.

    replace: a report replaces the run that an earlier file recorded from the same report. skip_bad_rows: leave out rows
    of a table that cannot be read. dry_run: only say what would happen.
    """

    format: FormatName | None = None
    procedure_id: _Name | None = None
    part_number: _Name | None = None
    template_id: UUID | None = None
    replace: bool = False
    skip_bad_rows: bool = False
    dry_run: bool = False


class QuarantineRetryResponse(Struct):
    """status: known: recorded before. runs, repairs: recorded now; for a known file, the existing ones.

    id: of the file in quarantine if it was refused again; then `reason` says why. stated: the stated fields, and for
    how many runs. first_runs: for a dry run, the first runs as they would be recorded.
    """

    status: Literal["recorded", "known", "refused"]
    format: str | None
    runs: int
    repairs: int
    recorded_reports: int
    reason: str | None
    import_id: UUID | None
    id: UUID | None
    stated: dict[str, int]
    warnings: list[str]
    first_runs: list[RehearsedRunBody]


class QuarantineDeleteResponse(Struct):
    id: UUID


def file_body(file: QuarantinedFile) -> QuarantinedFileBody:
    return QuarantinedFileBody(
        id=file.id,
        name=file.name,
        size_bytes=file.size_bytes,
        format=file.importer,
        reason=file.reason,
        recorded_reports=file.recorded_count,
        attempts=file.attempts,
        tried_at=file.tried_at,
        created_at=file.created_at,
        created_by_user=_creator(file.created_by.user),
        created_by_station=_creator(file.created_by.station),
        client=file.client,
        procedure_id=file.choice.procedure,
        part_number=file.choice.part_number,
        template_id=file.choice.template_id,
        stated=stated_body(file.choice.statement),
    )


def retry_body(fate: Fate) -> QuarantineRetryResponse:
    # A file in quarantine that no importer knows is refused again, not passed over.
    status = "refused" if fate.status == "strange" else fate.status
    return QuarantineRetryResponse(
        status,
        fate.importer,
        fate.run_count,
        fate.repair_count,
        fate.recorded_count,
        fate.reason,
        fate.import_id,
        fate.quarantined_id,
        dict(fate.stated),
        list(fate.warnings),
        [RehearsedRunBody(*run) for run in fate.rehearsed],
    )


def _creator(row: UserRef | Named | None) -> QuarantineCreator | None:
    return None if row is None else QuarantineCreator(row.id, row.name)
