"""Turn the comparisons of test software into limits, where they are inclusive, and into checks otherwise."""

from collections.abc import Sequence
from typing import NamedTuple

from runcard.domain.runs.outcome import MeasurementOutcome
from runcard.domain.runs.validator import Validator, expression_of, is_bound, judge


class Bound(NamedTuple):
    """symbol: >=, <=, >, <, == or !=."""

    symbol: str
    number: float


class Bounds(NamedTuple):
    """The limits of a measurement, both inclusive, and the checks beside them."""

    lower: float | None = None
    upper: float | None = None
    validators: tuple[Validator, ...] = ()


def all_of(bounds: Sequence[Bound], value: object, outcome: MeasurementOutcome) -> Bounds:
    """The limits and checks of bounds that must all hold. An infinite bound or NaN is left out.

    A check that is the only bound has the outcome of the measurement; several checks are each judged by the value.
    """
    finite = [bound for bound in bounds if is_bound(bound.number)]
    limits: dict[str, float] = {}
    checks: list[Validator] = []
    for bound in finite:
        if bound.symbol in (">=", "<=") and bound.symbol not in limits:
            limits[bound.symbol] = bound.number
            continue
        check = Validator(expression_of(*bound), *bound)
        check_outcome = outcome if len(finite) == 1 else judge(check, value)
        checks.append(Validator(check.expression, check.operator, check.expected, check_outcome))
    return Bounds(limits.get(">="), limits.get("<="), tuple(checks))


def any_of(bounds: Sequence[Bound], outcome: MeasurementOutcome) -> Bounds:
    """One check, without a structure, for bounds of which at least one must hold."""
    text = " or ".join(expression_of(*bound) for bound in bounds if is_bound(bound.number))
    return Bounds(validators=(Validator(text, outcome=outcome),)) if text else Bounds()
