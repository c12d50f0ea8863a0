"""Read the measurements of a table, which has a column for each (wide) or a row for each (long)."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import NamedTuple, get_args

from runcard.domain.runs.limit import Limits
from runcard.domain.runs.measurement import Measurement, storable_number
from runcard.domain.runs.outcome import MeasurementOutcome
from runcard.domain.runs.validator import limit_validators
from runcard.importers.content.cells import Cell, CellValue, number_of, text_of, value_of
from runcard.importers.tables.mapping import TableMeasurementColumn, TableMeasurements
from runcard.importers.tables.outcome_words import outcome_of
from runcard.importers.tables.table import Column, Row, Table

_OUTCOMES: tuple[MeasurementOutcome, ...] = get_args(MeasurementOutcome)


class MeasuredCell(NamedTuple):
    """A measurement and the phase that its column or row names; None: the phase of the row, or the default phase."""

    phase: str | None
    measurement: Measurement


class _LongColumns(NamedTuple):
    """The columns of a table with a row for each measurement; None: there is no such column."""

    name: Column
    value: Column
    units: Column | None
    lower: Column | None
    upper: Column | None
    outcome: Column | None
    phase: Column | None


def measurement_reader(table: Table, mapping: TableMeasurements) -> Callable[[Row], Iterator[MeasuredCell]]:
    """A function that reads the measurements of a row, in the order of the mapping.

    Raises InvalidInput for unknown columns.
    """
    if mapping.layout == "wide":
        wide = [(table.column(described.column), described) for described in mapping.columns or ()]
        return lambda row: _wide(row, wide, decimal_comma=table.decimal_comma)
    if mapping.layout == "long":
        long = _LongColumns(
            table.column(mapping.name_column or ""),
            table.column(mapping.value_column or ""),
            table.optional_column(mapping.units_column),
            table.optional_column(mapping.lower_column),
            table.optional_column(mapping.upper_column),
            table.optional_column(mapping.outcome_column),
            table.optional_column(mapping.phase_column),
        )
        return lambda row: _long(row, long, decimal_comma=table.decimal_comma)
    return lambda _row: iter(())


def _wide(
    row: Row, columns: Sequence[tuple[Column, TableMeasurementColumn]], *, decimal_comma: bool
) -> Iterator[MeasuredCell]:
    for column, described in columns:
        value = row.read(column, partial(value_of, decimal_comma=decimal_comma))
        if value is not None:
            name = described.name or column.name
            limits = Limits(described.lower_limit, described.upper_limit)
            yield MeasuredCell(described.phase, _measurement(name, value, described.units, limits, None))


def _long(row: Row, columns: _LongColumns, *, decimal_comma: bool) -> Iterator[MeasuredCell]:
    def limit(cell: Cell) -> float:
        return float(storable_number(number_of(cell, decimal_comma=decimal_comma))[0])

    name = row.read(columns.name, text_of)
    value = row.read(columns.value, partial(value_of, decimal_comma=decimal_comma))
    if name is None:
        if value is not None:
            raise row.wrong(columns.name, f"has to name the measurement whose value is {value!r}")
        return
    phase = row.read(columns.phase, text_of)
    if columns.phase is not None and phase is None:
        raise row.wrong(columns.phase, f"has to name the phase of measurement {name!r}")
    uom = row.read(columns.units, text_of)
    limits = Limits(row.read(columns.lower, limit), row.read(columns.upper, limit))
    outcome = row.read(columns.outcome, lambda cell: outcome_of(cell, _OUTCOMES))
    yield MeasuredCell(phase, _measurement(name, value, uom, limits, outcome))


def _measurement(
    name: str, value: CellValue | None, uom: str | None, limits: Limits, outcome: MeasurementOutcome | None
) -> Measurement:
    exact = None
    if type(value) is int:
        value, exact = storable_number(value)
    outcome = outcome or _judged(value, limits)
    return Measurement(name, outcome, value, uom or None, limits.lower, limits.upper, exact=exact)


def _judged(value: CellValue | None, limits: Limits) -> MeasurementOutcome:
    """PASS or FAIL by the limits; UNSET without limits, and where the value is no number."""
    outcomes = {check.outcome for check in limit_validators(limits.lower, limits.upper, value)}
    if "FAIL" in outcomes:
        return "FAIL"
    return "PASS" if outcomes == {"PASS"} else "UNSET"
