"""Measurements as v2 shows them: in a run, in a phase, and alone."""

from typing import Any
from uuid import UUID, uuid5

from msgspec import UNSET, Struct, UnsetType

from runcard.domain.ids import RunPart, part_id
from runcard.domain.runs.measurement import Aggregation, Measurement, Series, shown_validators
from runcard.domain.runs.outcome import MeasurementOutcome
from runcard.domain.runs.validator import Validator, expression_of
from runcard.edge.answers.values import wire_number, wire_value

Number = float | int


class ValidatorOut(Struct):
    outcome: MeasurementOutcome
    operator: str | None
    expected_value: bool | Number | str | list[Number | str] | None
    expression: str
    is_decisive: bool | None
    is_expression_only: bool
    analytics_expression: str | None
    has_custom_expression: bool


class AggregationOut(Struct):
    id: UUID
    type: str
    outcome: MeasurementOutcome | None
    value: Number | str | bool | None
    unit: str | None
    validators: list[ValidatorOut] | None


class SeriesOut(Struct):
    data: list[Number]
    units: str | None
    name: str | None
    description: str | None
    validators: list[ValidatorOut] | None
    aggregations: list[AggregationOut] | None


class MeasurementOut(Struct):
    """measured_value is left out if nothing was measured, or if `data_series` holds it."""

    id: UUID
    name: str
    outcome: MeasurementOutcome
    validators: list[ValidatorOut] | None
    units: str | None
    aggregations: list[AggregationOut] | None
    measured_value: Any | UnsetType
    data_series: list[SeriesOut]
    docstring: str | None


def measurement_out(run_id: UUID, position: int, measurement: Measurement) -> MeasurementOut:
    """A measurement as v2 shows it. position: among all measurements of its run."""
    own_id = part_id(run_id, RunPart.MEASUREMENT, position)
    value = wire_value(measurement)
    return MeasurementOut(
        own_id,
        measurement.name,
        measurement.outcome,
        [validator_out(validator) for validator in shown_validators(measurement)],
        measurement.uom,
        _aggregations(own_id, "", measurement.aggregations),
        UNSET if value is None else value,
        [_series(own_id, at, series) for at, series in enumerate(measurement.series)],
        measurement.docstring,
    )


def validator_out(validator: Validator) -> ValidatorOut:
    symbol, expected = validator.operator, validator.expected
    return ValidatorOut(
        validator.outcome,
        symbol,
        [wire_number(item) for item in expected] if isinstance(expected, list) else wire_number(expected),
        validator.expression,
        validator.is_decisive,
        symbol is None,
        None if symbol is None else expression_of(symbol, expected),
        validator.has_custom_expression,
    )


def _series(measurement_id: UUID, position: int, series: Series) -> SeriesOut:
    return SeriesOut(
        [wire_number(number) for number in series.data],
        series.uom,
        series.name,
        series.description,
        [validator_out(validator) for validator in series.validators],
        _aggregations(measurement_id, f"series {position} ", series.aggregations),
    )


def _aggregations(
    measurement_id: UUID, where: str, aggregations: tuple[Aggregation, ...]
) -> list[AggregationOut]:
    """Aggregations as v2 shows them. Nobody looks one up by its id, so the id is made from its place."""
    return [
        AggregationOut(
            uuid5(measurement_id, f"{where}aggregation {position}"),
            aggregation.type,
            aggregation.outcome,
            wire_number(aggregation.value),
            aggregation.uom,
            [validator_out(validator) for validator in aggregation.validators],
        )
        for position, aggregation in enumerate(aggregations)
    ]
