"""Read the fields of a run from its table. Apart from the times, all rows must agree or be blank."""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import NamedTuple, get_args

from runcard.domain.errors import InvalidInput
from runcard.domain.metadata import Metadata, MetadataValue
from runcard.domain.runs.outcome import RunOutcome
from runcard.domain.runs.report import MAX_NAME_LENGTH
from runcard.importers.content.cells import Cell, moment_of, text_of
from runcard.importers.tables.mapping import TableField, TableMapping, TableMetadataRule, TableOutcome
from runcard.importers.tables.outcome_words import outcome_of
from runcard.importers.tables.table import Row, Table

_RUN_OUTCOMES: tuple[RunOutcome, ...] = get_args(RunOutcome)
_Source = TableField | TableOutcome | TableMetadataRule


class _Claim(NamedTuple):
    """One place that gives a field: its value, its name for messages, and a function that makes an error about it."""

    cell: Cell
    where: str
    wrong: Callable[[object], InvalidInput]


class RunPeriod(NamedTuple):
    started_at: datetime
    ended_at: datetime


def read_name(table: Table, field: str, source: TableField | None) -> str | None:
    """A name such as a part number; None where the table gives none. Raises InvalidInput."""
    claim = None if source is None else _agreed(_claims(table, field, source))
    if claim is None:
        return None
    name = text_of(claim.cell)
    if len(name) > MAX_NAME_LENGTH:
        raise claim.wrong(f"has {len(name)} characters; use at most {MAX_NAME_LENGTH} characters")
    return name


def read_serial_number(table: Table, source: TableField) -> str:
    """The serial number of the run. Raises InvalidInput where no row has one, or rows differ."""
    name = read_name(table, "serial_number", source)
    if name is None:
        raise _missing("serial_number", source)
    return name


def read_docstring(table: Table, source: TableField | None) -> str | None:
    """The docstring of the run; None where the table gives none. Raises InvalidInput where rows differ."""
    claim = None if source is None else _agreed(_claims(table, "docstring", source))
    return None if claim is None else text_of(claim.cell)


def read_outcome(table: Table, source: TableOutcome) -> RunOutcome:
    """The outcome of the run. Raises InvalidInput where no row has one, rows differ, or the outcome is not known."""
    if source.value is not None:
        return source.value
    claim = _agreed(_claims(table, "outcome", source))
    if claim is None:
        raise _missing("outcome", source)
    try:
        return outcome_of(claim.cell, _RUN_OUTCOMES, source.value_map or {})
    except ValueError as error:
        raise claim.wrong(error) from error


def read_period(table: Table, started: TableField, ended: TableField) -> RunPeriod:
    """The earliest start and the latest end. Raises InvalidInput for an end before the start."""
    starts = _moments(table, "started_at", started)
    ends = _moments(table, "ended_at", ended)
    started_at = min(moment for moment, _ in starts)
    ended_at, claim = max(ends, key=lambda end: end[0])
    if ended_at < started_at:
        raise claim.wrong(f"is an ended_at before started_at {started_at.isoformat()}")
    return RunPeriod(started_at, ended_at)


def read_metadata(table: Table, field: str, rules: Sequence[TableMetadataRule]) -> Metadata | None:
    """Values by key, without keys whose cells are blank; None where no value is left. Raises InvalidInput."""
    found: dict[str, MetadataValue] = {}
    for rule in rules:
        claim = _agreed(_claims(table, f"{field} {rule.key}", rule))
        if claim is not None:
            cell = claim.cell
            found[rule.key] = cell if isinstance(cell, bool | int | float) else text_of(cell)
    return found or None


def field_check(table: Table, mapping: TableMapping) -> Callable[[Row], None]:
    """A function that checks whether the fields of a single row can be read. It raises InvalidInput."""
    fields = mapping.fields
    names = (fields.serial_number, fields.part_number, fields.revision_number, fields.batch_number)
    others = (fields.operated_by, fields.docstring, *(mapping.metadata or ()), *(mapping.unit_metadata or ()))
    outcome = partial(outcome_of, outcomes=_RUN_OUTCOMES, value_map=fields.outcome.value_map or {})
    sources: list[tuple[_Source | None, Callable[[Cell], object]]] = [
        *((source, text_of) for source in (*names, *others)),
        *((source, moment_of) for source in (fields.started_at, fields.ended_at)),
        (fields.outcome, outcome),
    ]
    readers = [
        (table.column(source.column), reader)
        for source, reader in sources
        if source is not None and source.column is not None
    ]

    def check(row: Row) -> None:
        for column, reader in readers:
            row.read(column, reader)

    return check


def _moments(table: Table, field: str, source: TableField) -> list[tuple[datetime, _Claim]]:
    moments = []
    for claim in _claims(table, field, source):
        try:
            moments.append((moment_of(claim.cell), claim))
        except ValueError as error:
            raise claim.wrong(error) from error
    if not moments:
        raise _missing(field, source)
    return moments


def _claims(table: Table, field: str, source: _Source) -> list[_Claim]:
    """The places that give a field: the constant of the mapping, or every cell of the column that is not blank."""
    if source.column is None:
        text = (source.value or "").strip()

        def wrong(what: object) -> InvalidInput:
            return InvalidInput.at(("mapping", field), f"{field} {text!r} {what}")

        return [_Claim(text, "the mapping", wrong)] if text else []
    column = table.column(source.column)
    cells = [(row, row.read(column, lambda cell: cell)) for row in table.rows]
    return [
        _Claim(cell, f"row {row.number}", partial(row.wrong, column))
        for row, cell in cells
        if cell is not None
    ]


def _agreed(claims: Sequence[_Claim]) -> _Claim | None:
    """The first of claims that all have the same value; None where there are none. Raises InvalidInput."""
    if not claims:
        return None
    first = text_of(claims[0].cell)
    for claim in claims[1:]:
        if text_of(claim.cell) != first:
            raise claim.wrong(
                f"differs from {first!r} in {claims[0].where}; all rows of a run must say the same"
            )
    return claims[0]


def _missing(field: str, source: _Source) -> InvalidInput:
    if source.column is None:
        return InvalidInput.at(("mapping", field), f"{field} is blank; give a value or a column")
    return InvalidInput.at(
        ("mapping", field), f"column {source.column!r} is blank, but it has to give {field}"
    )
