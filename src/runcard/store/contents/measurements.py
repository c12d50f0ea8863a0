"""The measurements of runs: the filter and the orders of their list."""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from msgspec import Struct

from runcard.domain.errors import MeasurementNotFound
from runcard.domain.ids import RunPart
from runcard.domain.runs.inside import Measured, measured_in
from runcard.domain.runs.measurement import ValueKind
from runcard.domain.runs.outcome import MeasurementOutcome
from runcard.store.contents.inside_runs import (
    Found,
    Kind,
    ScannedRun,
    is_among,
    is_within,
)

MeasurementSort = Literal["started_at", "value", "outcome", "serial_number", "phase_name", "measurement_name"]

FoundMeasurement = Found[Measured]


class MeasurementFilter(Struct, frozen=True, kw_only=True):
    """Conditions that a measurement must all meet. None: no condition. Bounds are inclusive.

    ids: of measurements, or of runs, which stand for all their measurements.
    started_after, started_before: of the phase.
    value_min, value_max: only finite numbers; value_bool: only booleans; value_strings: only texts.
    only_final: leaves out attempts that were repeated.
    """

    ids: Collection[UUID] | None = None
    names: Collection[str] | None = None
    phase_names: Collection[str] | None = None
    outcomes: Collection[MeasurementOutcome] | None = None
    kinds: Collection[ValueKind] | None = None
    started_after: datetime | None = None
    started_before: datetime | None = None
    value_min: float | None = None
    value_max: float | None = None
    value_bool: bool | None = None
    value_strings: Collection[str] | None = None
    only_final: bool = False

    def keeps(self, measured: Measured) -> bool:
        measurement, phase = measured.measurement, measured.attempt.phase
        return (
            (measured.attempt.is_final or not self.only_final)
            and is_among(self.names, measurement.name)
            and is_among(self.phase_names, phase.name)
            and is_among(self.outcomes, measurement.outcome)
            and is_among(self.kinds, measurement.kind)
            and is_within(self.started_after, self.started_before, phase.started_at)
            and self._keeps_value(measured)
        )

    def _keeps_value(self, measured: Measured) -> bool:
        kind, value, number = measured.measurement.kind, measured.measurement.value, measured.number
        has_bounds = self.value_min is not None or self.value_max is not None
        if has_bounds and (number is None or not is_within(self.value_min, self.value_max, number)):
            return False
        if self.value_bool is not None and not (kind == "boolean" and value is self.value_bool):
            return False
        return self.value_strings is None or (kind == "string" and value in self.value_strings)


# `value` sorts finite numbers; any other value comes last.
MEASUREMENT_ORDERS: Mapping[MeasurementSort, Callable[[ScannedRun, Measured], Any]] = {
    "started_at": lambda _run, measured: measured.attempt.phase.started_at,
    "value": lambda _run, measured: measured.number,
    "outcome": lambda _run, measured: measured.measurement.outcome,
    "serial_number": lambda run, _measured: run.serial_key,
    "phase_name": lambda _run, measured: measured.attempt.phase.name,
    "measurement_name": lambda _run, measured: measured.measurement.name,
}

MEASUREMENTS = Kind(RunPart.MEASUREMENT, measured_in, MEASUREMENT_ORDERS, MeasurementNotFound)
