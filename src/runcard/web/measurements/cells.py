"""What a measurement of a run says, as cells of a file for spreadsheets."""

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
    """Return the cells below `VALUE_COLUMNS`: a finite number as it is, any other value whole, as a page writes it.

    An integer that a number cannot hold stands there with all its digits too.
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
