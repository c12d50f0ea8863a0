"""What whoever brings report files states of their runs, because the files do not say it (ADR 41)."""

from collections.abc import Iterator, Mapping
from string import Formatter
from typing import Literal, get_args

from msgspec import Struct
from msgspec.structs import asdict, replace

from runcard.domain.errors import InvalidInput, Issue
from runcard.domain.pattern import compile_pattern

# What can be stated of a run, by the names of `RunReport`.
StatedField = Literal[
    "serial_number",
    "part_number",
    "revision_number",
    "batch_number",
    "procedure",
    "procedure_version",
    "operator",
]
FIELDS: tuple[StatedField, ...] = get_args(StatedField)
# The file's name without its folder and its ending, in a template.
FILE = "file"

_MAX_LENGTH = 255


class Statement(Struct, frozen=True, omit_defaults=True):
    """What is stated fills what a report does not say; where `overrides`, it replaces what a report says.

    serial_number_template: what a serial number is made of, such as `{file}-{part_id}`.
    name_pattern: finds values in the name of a file, and in the folder where that is known. content_pattern: in the
    first megabyte of its content. Each has groups that are called as what they find.
    """

    serial_number: str | None = None
    serial_number_template: str | None = None
    name_pattern: str | None = None
    content_pattern: str | None = None
    overrides: bool = False


NOTHING_STATED = Statement()


def or_else(statement: Statement, before: Statement) -> Statement:
    """What is stated now, and what was stated before of what is not."""
    return replace(before, **{field: value for field, value in asdict(statement).items() if value})


def check_statement(statement: Statement) -> None:
    """Raises InvalidInput for a pattern or a template that cannot be used, and for values that are no names."""
    issues = [
        Issue((field,), f"{text!r} is no {field.replace('_', ' ')}; give 1 to {_MAX_LENGTH} characters")
        for field in ("serial_number", "serial_number_template")
        if (text := getattr(statement, field)) is not None and not _is_name(text)
    ]
    if issues:
        raise InvalidInput(issues)
    if statement.serial_number_template is not None:
        template_names(statement.serial_number_template)
    for field in ("name_pattern", "content_pattern"):
        if (pattern := getattr(statement, field)) is not None:
            _check_pattern(field, pattern)


def _is_name(text: str) -> bool:
    # A command line may hold what is no text.
    is_text = text.encode("utf-8", "ignore").decode() == text and "\0" not in text
    return is_text and bool(text.strip()) and len(text) <= _MAX_LENGTH


def _check_pattern(field: str, pattern: str) -> None:
    try:
        groups = compile_pattern(pattern).groupindex
    except InvalidInput as error:
        raise InvalidInput.at(field, error.issues[0].message) from error
    if unknown := sorted(set(groups) - set(FIELDS)):
        raise InvalidInput.at(
            field,
            f"{pattern!r} has a group {unknown[0]!r}, which nothing of a run is called; groups are {', '.join(FIELDS)}",
        )


def values_found(pattern: str, text: str) -> Mapping[StatedField, str]:
    """What a pattern finds in a text: what its groups are called, or else its first group or all of it is the serial
    number. Nothing where it does not match.
    """
    # A name of a file may hold what is no text.
    match = compile_pattern(pattern).search(text.encode("utf-8", "replace").decode())
    if match is None:
        return {}
    groups = match.re.groupindex
    if groups:
        found = {field: match.group(field) for field in FIELDS if field in groups}
    else:
        found = {"serial_number": match.group(1 if match.re.groups else 0)}
    return {field: value.strip() for field, value in found.items() if value is not None and value.strip()}


def template_names(template: str) -> list[str]:
    """The names that a template takes the values of. Raises InvalidInput where it cannot be used."""
    return [name for _, name in _pieces(template) if name is not None]


def filled_in(template: str, values: Mapping[str, object]) -> str:
    """The text of a template with these values. Raises InvalidInput for a name that has none."""
    return "".join(
        text + ("" if name is None else _value(template, name, values)) for text, name in _pieces(template)
    )


def _value(template: str, name: str, values: Mapping[str, object]) -> str:
    if name in values:
        return str(values[name])
    known = ", ".join(sorted(values))
    raise InvalidInput.at(
        "serial_number_template",
        f"{template!r} takes {{{name}}}, which a report does not say; it says {known}",
    )


def _pieces(template: str) -> Iterator[tuple[str, str | None]]:
    """Text, and the name behind it."""
    try:
        pieces = list(Formatter().parse(template))
    except ValueError as error:
        raise _no_template(template, str(error)) from error
    for text, name, form, conversion in pieces:
        if name is not None and (not name.strip() or form or conversion):
            raise _no_template(template, "names stand in braces alone")
        yield text, name


def _no_template(template: str, why: str) -> InvalidInput:
    return InvalidInput.at(
        "serial_number_template",
        f"{template!r} is no template ({why}); write names in braces, such as {{file}}-{{part_id}}",
    )
