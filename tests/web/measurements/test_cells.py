"""What a measurement says, as cells of a file."""

from datetime import UTC, datetime

import pytest

from runcard.domain.runs.inside import Attempt, Measured
from runcard.domain.runs.measurement import Measurement
from runcard.domain.runs.phase import Phase
from runcard.exports.spreadsheets import Cell
from runcard.web.measurements.cells import VALUE_COLUMNS, value_cells

AT = datetime(2026, 5, 4, tzinfo=UTC)
PHASE = Phase("p", "PASS", AT, AT)


@pytest.mark.parametrize(
    ("measurement", "number", "other"),
    [
        (Measurement("m", "PASS", 3), 3.0, ""),
        (Measurement("m", "PASS", 1e20, exact="100000000000000000001"), 1e20, "100000000000000000001"),
        (Measurement("m", "PASS", float("inf")), None, "inf"),
        (Measurement("m", "PASS", "Ü" * 200), None, "Ü" * 200),
        (Measurement("m", "PASS", True), None, "true"),
        (Measurement("m", "UNSET"), None, ""),
    ],
    ids=["number", "large integer", "infinite", "long text", "boolean", "nothing"],
)
def test_a_value_is_a_number_or_a_whole_text(measurement: Measurement, number: Cell, other: Cell) -> None:
    cells = value_cells(Measured(0, measurement, Attempt(0, PHASE, is_final=True, measured_before=0)))
    assert len(cells) == len(VALUE_COLUMNS)
    assert cells == [number, other, "", "", measurement.outcome]
