"""The names of report formats on pages, and the form fields that say how to read files."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from runcard.domain.errors import InvalidInput
from runcard.domain.floor.statement import NOTHING_STATED, Statement
from runcard.importers.formats import FORMATS, TABULAR, FormatName
from runcard.intake.choices import ImportChoice as FileChoice
from runcard.store.engine.scope import Scope
from runcard.store.intake.templates import list_templates
from runcard.store.lists.pages import Page
from runcard.store.procedures.rows import list_procedures
from runcard.web.frame.forms import Fields
from runcard.web.lists.filters import Choice

_NAMES: Mapping[FormatName, str] = {
    "OPENHTF": "OpenHTF record (JSON)",
    "WATS": "WATS report, WSJF (JSON)",
    "WSXF": "WATS report, WSXF (XML)",
    "ATML": "ATML test results (XML)",
    "TESTSTAND": "NI TestStand report (XML)",
    "STDF": "STDF",
    "ATDF": "ATDF",
    "JUNIT": "JUnit XML",
    "ROBOT": "Robot Framework output.xml",
    "TABLE": "Table, a row a unit (CSV, Excel)",
}
_BY_TEMPLATE = "template:"
_MOST_TEMPLATES = 200


class ReadingFields(NamedTuple):
    """The form fields that say how to read files, with what is chosen. templates: for tables of other shapes.

    stated: the other fields that are stated about the runs. is_stated: at least one of them is filled in.
    """

    formats: Sequence[Choice]
    templates: Sequence[Choice]
    procedures: Sequence[Choice]
    part_number: str
    stated: Statement
    is_stated: bool
    replaces: bool = False
    skips_bad_rows: bool = False


def format_text(importer: str | None) -> str:
    """The name of a format; empty for None."""
    if importer == TABULAR:
        return "Table, by a template"
    return next((name for one, name in _NAMES.items() if one == importer), importer or "")


def format_choices(chosen: str | None) -> Sequence[Choice]:
    return [Choice(one.name, _NAMES[one.name], one.name == chosen) for one in FORMATS]


def reading_fields(scope: Scope, chosen: FileChoice) -> ReadingFields:
    templates = list_templates(scope, Page(_MOST_TEMPLATES)).rows
    procedures = list_procedures(scope, in_use=True)
    return ReadingFields(
        format_choices(chosen.importer),
        [Choice(f"{_BY_TEMPLATE}{one.id}", one.name, one.id == chosen.template_id) for one in templates],
        [
            Choice(str(one.id), f"{one.name} ({one.identifier})", str(one.id) == chosen.procedure)
            for one in procedures
        ],
        chosen.part_number or "",
        chosen.statement,
        chosen.statement != NOTHING_STATED,
        chosen.replaces,
        chosen.skips_bad_rows,
    )


def reading_of(fields: Fields) -> FileChoice:
    """The choices of a form about how to read files. Raises InvalidInput."""
    importer, template_id = None, None
    read_as = fields.get("read_as", "")
    if read_as.startswith(_BY_TEMPLATE):
        try:
            template_id = UUID(read_as.removeprefix(_BY_TEMPLATE))
        except ValueError as error:
            raise InvalidInput.at("read_as", f"{read_as!r} is no template; choose one of the list") from error
    elif read_as:
        importer = next((one.name for one in FORMATS if one.name == read_as), None)
        if importer is None:
            raise InvalidInput.at("read_as", f"{read_as!r} is no format; choose one of the list")
    return FileChoice(
        importer,
        procedure=_text(fields, "procedure"),
        part_number=_text(fields, "part_number"),
        template_id=template_id,
        rehearses="preview" in fields,
        statement=Statement(
            _text(fields, "serial_number"),
            _text(fields, "serial_number_template"),
            _text(fields, "name_pattern"),
            _text(fields, "content_pattern"),
            "override" in fields,
        ),
        replaces=fields.get("replace") == "true",
        skips_bad_rows=fields.get("skip_bad_rows") == "true",
    )


def _text(fields: Fields, name: str) -> str | None:
    return fields.get(name, "").strip() or None
