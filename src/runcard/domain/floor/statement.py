"""What the sender of a report file states about its runs, because the file does not say it (ADR 41)."""

from collections.abc import Iterator, Mapping
from string import Formatter
from typing import Literal, get_args

from msgspec import Struct
from msgspec.structs import asdict, replace

from runcard.domain.errors import InvalidInput, Issue
from runcard.domain.pattern import compile_pattern

# What can be stated about a run, by the names of `RunReport`.
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
# In a template, this name stands for the file's name without its folder and its ending.
FILE = "file"

_MAX_LENGTH = 255


class Statement(Struct, frozen=True, omit_defaults=True):
    """Values that fill what a report does not say. overrides: they also replace what a report does say.

    serial_number_template: a serial number with names in braces, such as `{file}-{part_id}`.
    name_pattern: finds values in the name of a file, and in its folder where that is known. content_pattern: finds
    values in the first megabyte of its content. The groups of both are named after the fields they find.
    """

    serial_number: str | None = None
    serial_number_template: str | None = None
    name_pattern: str | None = None
    content_pattern: str | None = None
    overrides: bool = False


NOTHING_STATED = Statement()


def or_else(statement: Statement, before: Statement) -> Statement:
    """The new statement, with the values of the earlier one for every field that the new one leaves empty."""
    return replace(before, **{field: value for field, value in asdict(statement).items() if value})


def check_statement(statement: Statement) -> None:
    """Check that patterns and template are usable, and that values can be names. Raises InvalidInput."""
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
    # A command line may hold bytes that are no text.
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
            f"{pattern!r} has a group {unknown[0]!r}, which is no field of a run; groups are {', '.join(FIELDS)}",
        )


def values_found(pattern: str, text: str) -> Mapping[StatedField, str]:
    """The values that a pattern finds in a text, by the names of its groups. Empty where it does not match.

    A pattern without named groups finds the serial number: its first group, or else the whole match.
    """
    # The name of a file may hold bytes that are no text.
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
    """The names in braces of a template, in order. Raises InvalidInput where the template cannot be used."""
    return [name for _, name in _pieces(template) if name is not None]


def filled_in(template: str, values: Mapping[str, object]) -> str:
    """The template with its names replaced by these values. Raises InvalidInput for a name without a value."""
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
    """The pieces of a template: a text and the name that follows it; None at the end."""
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
