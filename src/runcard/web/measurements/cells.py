"""A measurement of a run as cells of a spreadsheet."""

from collections.abc import Sequence

from runcard.domain.runs.inside import Measured
from runcard.domain.runs.measurement import Measurement, effective_limits
from runcard.exports.spreadsheets import Cell, SheetColumn
from runcard.web.measurements.rows import limits_text, uom_text, value_text

VALUE_COLUMNS = [
    SheetColumn("Number", "number"),
    SheetColumn("Other value"),
    SheetColumn("Unit of measure"),
    SheetColumn("Limits"),
    SheetColumn("Outcome"),
]


def value_cells(measured: Measured) -> Sequence[Cell]:
    """Return the cells below `VALUE_COLUMNS`: a finite number as a number, any other value as a page writes it, uncut.

    An integer too large for a number stands in the second cell too, with all its digits.
    """
    measurement, number = measured.measurement, measured.number
    return [
        None if number is None else float(number),
        (measurement.exact or "") if number is not None else _text(measurement),
        uom_text(measurement),
        limits_text(effective_limits(measurement)),
        measurement.outcome,
    ]


def _text(measurement: Measurement) -> str:
    return "" if measurement.kind == "empty" else value_text(measurement)
