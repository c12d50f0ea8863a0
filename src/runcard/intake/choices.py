"""What is said of report files by whoever brings them, and how they are read by that."""

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
from runcard.ingest.earlier_runs import Deed
from runcard.ingest.record_run import RunClient
from runcard.intake.parsing.opened_file import Reading
from runcard.store.engine.scope import Scope
from runcard.store.intake.quarantine import QuarantinedFile, Said
from runcard.store.intake.templates import get_template
from runcard.store.procedures.rows import get_procedure

_KNOWN = ", ".join(one.name for one in FORMATS)
NO_FORMAT = f"Its content is of no format that is read ({_KNOWN}). Name the format if it is one of them."

_NO_PROCEDURE = "A template names no procedure; choose the one that the tables are of"


_Name = Annotated[str, Meta(min_length=1, max_length=MAX_NAME_LENGTH)]
_Pattern = Annotated[str, Meta(min_length=1)]


class StatedBody(Struct, kw_only=True):
    """What a client states of the runs of a file. It fills what the file does not say; with `override` it replaces what
    the file says. serial_number_template: such as `{file}-{part_id}`. name_pattern, content_pattern: regular
    expressions (RE2) whose groups are called as what they find: serial_number, part_number and so on.
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
    """A run as it would be recorded. stated: the fields of it that were stated."""

    serial_number: str
    part_number: str
    procedure_name: str
    outcome: RunOutcome
    started_at: datetime
    stated: tuple[StatedField, ...]


class ImportChoice(NamedTuple):
    """What whoever brings files says of them.

    importer: None: told from the content. procedure: identifier or id of the procedure of all runs, whatever they say.
    part_number: of runs that name none. statement: what else is stated of them. template_id: of the import template by
    which they are read, as tables, in place of any format. mapping: the same, where it is kept nowhere.
    keeps_strange: whether files of no known format go to quarantine too. rehearses: only say what would become of them.
    is_whole: nothing is left of a file of which not all can be recorded. is_again: content is recorded that had been
    imported before. replaces: a report takes the place of the run that an earlier file told of by the same report; else
    it is refused. skips_bad_rows: rows of tables that cannot be read are left out.
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
    def earlier(self) -> Deed:
        """What to do about runs that an earlier file told of by the same reports."""
        return "keep" if self.is_again else "replace" if self.replaces else "refuse"

    @property
    def said(self) -> Said:
        return Said(self.procedure, self.part_number, self.template_id, self.statement)


def check_may_replace(actor: Actor, choice: ImportChoice) -> None:
    """Whoever replaces runs deletes some. Raises PermissionDenied where the actor may not."""
    if choice.replaces:
        check_may_manage(actor, "replace runs")


def checked(scope: Scope, choice: ImportChoice) -> ImportChoice:
    """The same choice with the id of its procedure.

    Raises ProcedureNotFound, ImportTemplateNotFound, and InvalidInput where it says what cannot be.
    """
    procedure, part_number = choice.procedure, choice.part_number
    if choice.template_id is not None:
        if choice.importer is not None:
            raise InvalidInput.at("format", f"{choice.importer} and a template are given; choose one of them")
        get_template(scope, choice.template_id)
    if part_number is not None and (len(part_number) > MAX_NAME_LENGTH or "\0" in part_number):
        raise InvalidInput.at(
            "part_number", f"{part_number!r} is no part number; give 1 to {MAX_NAME_LENGTH} characters"
        )
    check_statement(choice.statement)
    if procedure is None:
        if choice.template_id is not None or choice.mapping is not None:
            raise InvalidInput.at("procedure", _NO_PROCEDURE)
        return choice
    # No identifier has a NUL, and PostgreSQL refuses to look for one.
    found = get_procedure(scope, procedure.replace("\0", "\ufffd"))
    return choice._replace(procedure=str(found.id))


def last_choice(file: QuarantinedFile) -> ImportChoice:
    """What was said of a file when it was tried last; the format too that it was read as."""
    importer = next((one.name for one in FORMATS if one.name == file.importer), None)
    said = file.said
    return ImportChoice(
        importer, said.procedure, said.part_number, said.template_id, statement=said.statement
    )


def reading_of(
    scope: Scope,
    choice: ImportChoice,
    importer: FormatName | None,
    client: RunClient,
    place: str,
) -> Reading | None:
    """How a file is read whose content shows this format; None where it is of no known one.

    place: its name, with its folder where that is known. Raises ImportTemplateNotFound, and InvalidInput where its
    template needs a procedure.
    """
    stating = Stating(place, choice.procedure, choice.part_number, choice.statement)
    said = Reading(choice.importer or importer or "", client, stating, skips_bad_rows=choice.skips_bad_rows)
    mapping = choice.mapping
    if choice.template_id is not None:
        mapping = read_mapping(get_template(scope, choice.template_id).mapping)
    if mapping is not None:
        if choice.procedure is None:
            raise InvalidInput.at("procedure", _NO_PROCEDURE)
        return replace(said, name=TABULAR, mapping=mapping)
    return said if said.name else None
