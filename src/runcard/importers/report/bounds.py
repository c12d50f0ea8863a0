"""Comparisons of a measured number, as test software states them: limits where they are inclusive, else checks."""

from collections.abc import Sequence
from typing import NamedTuple

from runcard.domain.runs.outcome import MeasurementOutcome
from runcard.domain.runs.validator import Validator, expression_of, is_bound, judge


class Bound(NamedTuple):
    """symbol: >=, <=, >, <, == or !=."""

    symbol: str
    number: float


class Bounds(NamedTuple):
    """What keeps a measurement: inclusive limits, and checks beside them."""

    lower: float | None = None
    upper: float | None = None
    validators: tuple[Validator, ...] = ()


def all_of(bounds: Sequence[Bound], value: object, outcome: MeasurementOutcome) -> Bounds:
    """Bounds that must all hold. What is infinite or NaN bounds nothing.

    A check that is the only bound has the outcome of the measurement; of several, each is judged on the value.
    """
    finite = [bound for bound in bounds if is_bound(bound.number)]
    limits: dict[str, float] = {}
    checks: list[Validator] = []
    for bound in finite:
        if bound.symbol in (">=", "<=") and bound.symbol not in limits:
            limits[bound.symbol] = bound.number
            continue
        check = Validator(expression_of(*bound), *bound)
        told = outcome if len(finite) == 1 else judge(check, value)
        checks.append(Validator(check.expression, check.operator, check.expected, told))
    return Bounds(limits.get(">="), limits.get("<="), tuple(checks))


def any_of(bounds: Sequence[Bound], outcome: MeasurementOutcome) -> Bounds:
    """Bounds of which one must hold: a single check, of which only the text is known."""
    text = " or ".join(expression_of(*bound) for bound in bounds if is_bound(bound.number))
    return Bounds(validators=(Validator(text, outcome=outcome),)) if text else Bounds()
