"""The choices that the sender of report files makes for them, and how the files are read by these choices."""

from datetime import datetime
from typing import Annotated, NamedTuple
from uuid import UUID

from msgspec import Meta, Struct
from msgspec.structs import replace

from runcard.auth.permissions import check_may_manage
from runcard.domain.actor import Actor
from runcard.domain.errors import InvalidInput
from runcard.domain.floor.statement import NOTHING_STATED, StatedField, Statement, check_statement
from runcard.domain.runs.outcome import RunOutcome
from runcard.domain.runs.report import MAX_NAME_LENGTH
from runcard.importers.formats import FORMATS, TABULAR, FormatName
from runcard.importers.report.stated import Stating
from runcard.importers.tables.mapping import TableMapping, read_mapping
from runcard.ingest.earlier_runs import OnEarlier
from runcard.ingest.record_run import RunClient
from runcard.intake.parsing.opened_file import Reading
from runcard.store.engine.scope import Scope
from runcard.store.intake.quarantine import KeptChoice, QuarantinedFile
from runcard.store.intake.templates import get_template
from runcard.store.procedures.rows import get_procedure

_KNOWN = ", ".join(known.name for known in FORMATS)
NO_FORMAT = f"Its content is of no format that is read ({_KNOWN}). Name the format if it is one of them."

_NO_PROCEDURE = "A template names no procedure; choose the procedure of the runs in the tables"


_Name = Annotated[str, Meta(min_length=1, max_length=MAX_NAME_LENGTH)]
_Pattern = Annotated[str, Meta(min_length=1)]


class StatedBody(Struct, kw_only=True):
    """Values that a client states for the runs of a file. They fill fields that the file lacks; with `override` they
    replace the values of the file. serial_number_template: for example `{file}-{part_id}`. name_pattern,
    content_pattern: regular expressions (RE2) whose groups have the names of the fields that they find: serial_number,
    part_number and so on.
    """

    serial_number: _Name | None = None
    serial_number_template: _Name | None = None
    name_pattern: _Pattern | None = None
    content_pattern: _Pattern | None = None
    override: bool = False

    @property
    def statement(self) -> Statement:
        return Statement(
            self.serial_number,
            self.serial_number_template,
            self.name_pattern,
            self.content_pattern,
            self.override,
        )


def stated_body(statement: Statement) -> StatedBody:
    return StatedBody(
        serial_number=statement.serial_number,
        serial_number_template=statement.serial_number_template,
        name_pattern=statement.name_pattern,
        content_pattern=statement.content_pattern,
        override=statement.overrides,
    )


class RehearsedRunBody(Struct):
    """A run as it would be recorded. stated: its fields that the sender stated."""

    serial_number: str
    part_number: str
    procedure_name: str
    outcome: RunOutcome
    started_at: datetime
    stated: tuple[StatedField, ...]


class ImportChoice(NamedTuple):
    """The choices of the sender for their files.

    importer: the format; None: found from the content. procedure: identifier or id of the procedure of all runs,
    whatever the files say. part_number: of runs that name none. statement: what else is stated. template_id: the import
    template by which the files are read, as tables, instead of a format. mapping: the same, not kept as a template.
    keeps_strange: files of no known format go to quarantine too. rehearses: only report what would happen. is_whole: a
    file is recorded whole or not at all. is_again: record content even if it was imported before. replaces: a run
    replaces the run that an earlier file recorded from the same report; otherwise the report is refused.
    skips_bad_rows: leave out rows of tables that cannot be read.
    """

    importer: FormatName | None = None
    procedure: str | None = None
    part_number: str | None = None
    template_id: UUID | None = None
    mapping: TableMapping | None = None
    keeps_strange: bool = True
    rehearses: bool = False
    is_whole: bool = False
    is_again: bool = False
    statement: Statement = NOTHING_STATED
    replaces: bool = False
    skips_bad_rows: bool = False

    @property
    def on_earlier(self) -> OnEarlier:
        """What to do about runs that an earlier file recorded from the same reports."""
        return "keep" if self.is_again else "replace" if self.replaces else "refuse"

    @property
    def kept(self) -> KeptChoice:
        """The part of the choices that quarantine keeps for the next try."""
        return KeptChoice(self.procedure, self.part_number, self.template_id, self.statement)


def check_may_replace(actor: Actor, choice: ImportChoice) -> None:
    """Check that the actor may replace runs, and so delete them, if this choice does. Raises PermissionDenied."""
    if choice.replaces:
        check_may_manage(actor, "replace runs")


def checked(scope: Scope, choice: ImportChoice) -> ImportChoice:
    """The choice, checked, with the id of its procedure.

    Raises ProcedureNotFound, ImportTemplateNotFound, and InvalidInput if its values are wrong or contradict each other.
    """
    procedure, part_number = choice.procedure, choice.part_number
    if choice.template_id is not None:
        if choice.importer is not None:
            raise InvalidInput.at(
                "format", f"{choice.importer} and a template are given; give only one of them"
            )
        get_template(scope, choice.template_id)
    if part_number is not None and (len(part_number) > MAX_NAME_LENGTH or "\0" in part_number):
        raise InvalidInput.at(
            "part_number", f"{part_number!r} is no part number; use 1 to {MAX_NAME_LENGTH} characters"
        )
    check_statement(choice.statement)
    if procedure is None:
        if choice.template_id is not None or choice.mapping is not None:
            raise InvalidInput.at("procedure", _NO_PROCEDURE)
        return choice
    # No identifier has a NUL, and PostgreSQL refuses a text with a NUL.
    found = get_procedure(scope, procedure.replace("\0", "\ufffd"))
    return choice._replace(procedure=str(found.id))


def last_choice(file: QuarantinedFile) -> ImportChoice:
    """The choices with which a file was tried last, with the format that it was read as."""
    importer = next((known.name for known in FORMATS if known.name == file.importer), None)
    kept = file.choice
    return ImportChoice(
        importer, kept.procedure, kept.part_number, kept.template_id, statement=kept.statement
    )


def reading_of(
    scope: Scope,
    choice: ImportChoice,
    importer: FormatName | None,
    client: RunClient,
    place: str,
) -> Reading | None:
    """How to read a file; None if it is of no known format.

    importer: the format that its content shows. place: its name, with its folder if that is known. Raises
    ImportTemplateNotFound, and InvalidInput if its template needs a procedure.
    """
    stating = Stating(place, choice.procedure, choice.part_number, choice.statement)
    reading = Reading(
        choice.importer or importer or "", client, stating, skips_bad_rows=choice.skips_bad_rows
    )
    mapping = choice.mapping
    if choice.template_id is not None:
        mapping = read_mapping(get_template(scope, choice.template_id).mapping)
    if mapping is not None:
        if choice.procedure is None:
            raise InvalidInput.at("procedure", _NO_PROCEDURE)
        return replace(reading, name=TABULAR, mapping=mapping)
    return reading if reading.name else None
