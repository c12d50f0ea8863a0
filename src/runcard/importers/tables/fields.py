"""What a table says of the run as a whole. All rows must say the same or nothing, but for the times."""

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
    """One place that says something: its value, and the error that names the place."""

    cell: Cell
    where: str
    wrong: Callable[[object], InvalidInput]


class RunPeriod(NamedTuple):
    started_at: datetime
    ended_at: datetime


def read_name(table: Table, field: str, source: TableField | None) -> str | None:
    """A name such as a part number; None where nothing is said."""
    claim = None if source is None else _agreed(_claims(table, field, source))
    if claim is None:
        return None
    name = text_of(claim.cell)
    if len(name) > MAX_NAME_LENGTH:
        raise claim.wrong(f"has {len(name)} characters; use at most {MAX_NAME_LENGTH} characters")
    return name


def read_serial_number(table: Table, source: TableField) -> str:
    """Raises InvalidInput where no row has one."""
    name = read_name(table, "serial_number", source)
    if name is None:
        raise _missing("serial_number", source)
    return name


def read_docstring(table: Table, source: TableField | None) -> str | None:
    """None where nothing is said."""
    claim = None if source is None else _agreed(_claims(table, "docstring", source))
    return None if claim is None else text_of(claim.cell)


def read_outcome(table: Table, source: TableOutcome) -> RunOutcome:
    """Raises InvalidInput where no row has one, or a row has one that is not known."""
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
    ended_at, claim = max(ends, key=lambda one: one[0])
    if ended_at < started_at:
        raise claim.wrong(f"is an ended_at before started_at {started_at.isoformat()}")
    return RunPeriod(started_at, ended_at)


def read_metadata(table: Table, field: str, rules: Sequence[TableMetadataRule]) -> Metadata | None:
    """Values by key; keys whose cells are blank are left out. None where no rule says anything."""
    found: dict[str, MetadataValue] = {}
    for rule in rules:
        claim = _agreed(_claims(table, f"{field} {rule.key}", rule))
        if claim is not None:
            cell = claim.cell
            found[rule.key] = cell if isinstance(cell, bool | int | float) else text_of(cell)
    return found or None


def field_check(table: Table, mapping: TableMapping) -> Callable[[Row], None]:
    """What raises InvalidInput where a row by itself cannot say what the mapping wants of it."""
    fields = mapping.fields
    names = (fields.serial_number, fields.part_number, fields.revision_number, fields.batch_number)
    others = (fields.operated_by, fields.docstring, *(mapping.metadata or ()), *(mapping.unit_metadata or ()))
    outcome = partial(outcome_of, outcomes=_RUN_OUTCOMES, value_map=fields.outcome.value_map or {})
    sources: list[tuple[_Source | None, Callable[[Cell], object]]] = [
        *((one, text_of) for one in (*names, *others)),
        *((one, moment_of) for one in (fields.started_at, fields.ended_at)),
        (fields.outcome, outcome),
    ]
    readers = [
        (table.column(one.column), reader)
        for one, reader in sources
        if one is not None and one.column is not None
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
    """Whatever is said: the constant, or every cell of the column that is not blank."""
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
    """The first of claims that all say the same; None where there are none."""
    if not claims:
        return None
    first = text_of(claims[0].cell)
    for claim in claims[1:]:
        if text_of(claim.cell) != first:
            raise claim.wrong(f"differs from {first!r} in {claims[0].where}; all rows of a run say the same")
    return claims[0]


def _missing(field: str, source: _Source) -> InvalidInput:
    if source.column is None:
        return InvalidInput.at(("mapping", field), f"{field} is blank; give a value or a column")
    return InvalidInput.at(("mapping", field), f"column {source.column!r} is blank, and has to give {field}")
