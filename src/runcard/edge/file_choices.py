"""What is said of report files by whoever brings them, and how they are read by that."""

from typing import NamedTuple
from uuid import UUID

from msgspec.structs import replace

from runcard.auth.permissions import check_may_manage
from runcard.domain.actor import Actor
from runcard.domain.errors import InvalidInput
from runcard.domain.report import MAX_NAME_LENGTH
from runcard.edge.parsing.opened_file import Reading
from runcard.importers.formats import FORMATS, TABULAR, FormatName
from runcard.importers.table_mapping import read_mapping
from runcard.ingest.earlier_runs import Deed
from runcard.ingest.record_run import RunClient
from runcard.store.database import Connection
from runcard.store.import_templates import get_template
from runcard.store.procedures import get_procedure
from runcard.store.quarantine import QuarantinedFile, Said

_KNOWN = ", ".join(one.name for one in FORMATS)
NO_FORMAT = f"Its content is of no format that is read ({_KNOWN}). Name the format if it is one of them."

_NO_PROCEDURE = "A template names no procedure; choose the one that the tables are of"


class Choice(NamedTuple):
    """What whoever brings files says of them.

    importer: None: told from the content. procedure: identifier or id of the procedure of all runs, whatever they say.
    part_number: of runs that name none. template_id: of the import template by which they are read, as tables, in
    place of any format. keeps_strange: whether files of no known format go to quarantine too. rehearses: only say what
    would become of them. is_whole: nothing is left of a file of which not all can be recorded. is_again: content is
    recorded that had been imported before. replaces: a report takes the place of the run that an earlier file told of
    by the same report; else it is refused. skips_bad_rows: rows of tables that cannot be read are left out.
    """

    importer: FormatName | None = None
    procedure: str | None = None
    part_number: str | None = None
    template_id: UUID | None = None
    keeps_strange: bool = True
    rehearses: bool = False
    is_whole: bool = False
    is_again: bool = False
    replaces: bool = False
    skips_bad_rows: bool = False

    @property
    def earlier(self) -> Deed:
        """What to do about runs that an earlier file told of by the same reports."""
        return "keep" if self.is_again else "replace" if self.replaces else "refuse"

    @property
    def said(self) -> Said:
        return Said(self.procedure, self.part_number, self.template_id)


def check_may_replace(actor: Actor, choice: Choice) -> None:
    """Whoever replaces runs deletes some. Raises PermissionDenied where the actor may not."""
    if choice.replaces:
        check_may_manage(actor, "replace runs")


def checked(connection: Connection, organization_id: UUID, choice: Choice) -> Choice:
    """The same choice with the id of its procedure.

    Raises ProcedureNotFound, ImportTemplateNotFound, and InvalidInput where it says what cannot be.
    """
    procedure, part_number = choice.procedure, choice.part_number
    if choice.template_id is not None:
        if choice.importer is not None:
            raise InvalidInput.at("format", f"{choice.importer} and a template are given; choose one of them")
        get_template(connection, organization_id, choice.template_id)
    if part_number is not None and (len(part_number) > MAX_NAME_LENGTH or "\0" in part_number):
        raise InvalidInput.at(
            "part_number", f"{part_number!r} is no part number; give 1 to {MAX_NAME_LENGTH} characters"
        )
    if procedure is None:
        if choice.template_id is not None:
            raise InvalidInput.at("procedure", _NO_PROCEDURE)
        return choice
    # No identifier has a NUL, and PostgreSQL refuses to look for one.
    found = get_procedure(connection, organization_id, procedure.replace("\0", "\ufffd"))
    return choice._replace(procedure=str(found.id))


def last_choice(file: QuarantinedFile) -> Choice:
    """What was said of a file when it was tried last; the format too that it was read as."""
    importer = next((one.name for one in FORMATS if one.name == file.importer), None)
    return Choice(importer, *file.said)


def reading_of(
    connection: Connection,
    organization_id: UUID,
    choice: Choice,
    importer: FormatName | None,
    client: RunClient,
) -> Reading | None:
    """How a file is read whose content shows this format; None where it is of no known one.

    Raises ImportTemplateNotFound, and InvalidInput where its template needs a procedure.
    """
    said = Reading(
        choice.importer or importer or "",
        client,
        choice.procedure,
        choice.part_number,
        skips_bad_rows=choice.skips_bad_rows,
    )
    if choice.template_id is not None:
        template = get_template(connection, organization_id, choice.template_id)
        if choice.procedure is None:
            raise InvalidInput.at("procedure", _NO_PROCEDURE)
        return replace(said, name=TABULAR, mapping=read_mapping(template.mapping))
    return said if said.name else None
