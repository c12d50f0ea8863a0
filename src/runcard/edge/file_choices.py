"""What is said of report files by whoever brings them, and how they are read by that."""

from collections.abc import Iterable
from typing import BinaryIO, NamedTuple
from uuid import UUID

from runcard.domain.errors import InvalidInput
from runcard.domain.report import MAX_NAME_LENGTH, RunReport
from runcard.importers import tabular
from runcard.importers.formats import FORMATS, TABULAR, FormatName, Parse, detect
from runcard.importers.heads import HEAD_BYTES
from runcard.importers.table_mapping import TableMapping, read_mapping
from runcard.importers.tables import read_content
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
    would become of them.
    """

    importer: FormatName | None = None
    procedure: str | None = None
    part_number: str | None = None
    template_id: UUID | None = None
    keeps_strange: bool = True
    rehearses: bool = False

    @property
    def said(self) -> Said:
        return Said(self.procedure, self.part_number, self.template_id)


class Reading(NamedTuple):
    """How a file is read. name: that of its format; TABULAR: by a template."""

    name: str
    parse: Parse


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
    connection: Connection, organization_id: UUID, choice: Choice, file: BinaryIO
) -> Reading | None:
    """How a file is read, which is unpacked and at its start; None where it is of no known format.

    Raises ImportTemplateNotFound, and InvalidInput where its template needs a procedure.
    """
    if choice.template_id is not None:
        template = get_template(connection, organization_id, choice.template_id)
        if choice.procedure is None:
            raise InvalidInput.at("procedure", _NO_PROCEDURE)
        return Reading(TABULAR, _by_mapping(read_mapping(template.mapping), choice.procedure))
    if choice.importer is not None:
        found = next((one for one in FORMATS if one.name == choice.importer), None)
    else:
        found = detect(file.read(HEAD_BYTES))
    return None if found is None else Reading(found.name, found.parse)


def _by_mapping(mapping: TableMapping, procedure: str) -> Parse:
    def parse(file: BinaryIO) -> Iterable[RunReport]:
        return [tabular.parse(read_content(file), mapping, procedure)]

    return parse
