"""Validators: the checks that a station applied to a measured value."""

import math
import operator
from collections.abc import Callable, Sequence
from typing import Any

from msgspec import Struct, structs

from runcard.domain.errors import InvalidInput
from runcard.domain.pattern import compile_pattern
from runcard.domain.runs.limit import Interval, Limits, tightest
from runcard.domain.runs.outcome import MeasurementOutcome

# A list holds only numbers or only texts.
Expected = bool | int | float | str | list[int | float | str] | None

# What may be compared with what: an integer with a float, but neither with a boolean.
_KINDS: dict[type, type] = {bool: bool, int: float, float: float, str: str}
# Where Python begins to write floats with an exponent, which is shorter.
_EXPONENT_FROM = 1e16


class Validator(Struct, frozen=True, array_like=True, gc=False):
    """One check.

    expression: the text for people, either given or written from operator and expected value.
    operator, expected: the structure of the check (`>=` 3.1); both None where only the text is known.
    outcome: the result of the check; UNSET where unknown.
    is_decisive: False where a failed check does not fail the measurement (marginal limits).
    has_custom_expression: True where the text was given beside a structure rather than written from it.
    """

    expression: str
    operator: str | None = None
    expected: Expected = None
    outcome: MeasurementOutcome = "UNSET"
    is_decisive: bool = True
    has_custom_expression: bool = False


def expression_of(symbol: str, expected: Expected) -> str:
    """The text of a check from its structure: `x >= 3.1`, `x in a, b`, or `x ==` where no value is expected."""
    if expected is None:
        return f"x {symbol}"
    items = expected if isinstance(expected, list) else [expected]
    return f"x {symbol} {', '.join(_text_of(item) for item in items)}"


def judge(validator: Validator, value: object) -> MeasurementOutcome:
    """PASS if the value passes the check, FAIL if not, UNSET where the check cannot be judged.

    It cannot be judged without a known operator, for a value of another kind than the expected one (a boolean is not a
    number), for an empty list, and for a pattern that RE2 refuses (look-around). A list passes where every element
    does. Numbers compare as in IEEE 754: NaN is within no bound and differs from every number. `range` is [low, high],
    both inclusive. `matches` looks for the pattern at the start of the text, as OpenHTF does.
    """
    holds = _all_hold(validator, value) if isinstance(value, list) else _holds(validator, value)
    if holds is None:
        return "UNSET"
    return "PASS" if holds else "FAIL"


def decisive_limits(validators: Sequence[Validator]) -> Limits:
    """The tightest finite bounds that the decisive validators put on a number; `==` is a bound on both sides.

    Strict bounds (`>`, `<`) are left out, because limits are inclusive; `decisive_interval` has them.
    """
    bounds = [_bounds(validator) for validator in validators if validator.is_decisive]
    return Limits(
        max((lower for lower, _ in bounds if lower is not None), default=None),
        min((upper for _, upper in bounds if upper is not None), default=None),
    )


def decisive_interval(validators: Sequence[Validator]) -> Interval:
    """The interval that the decisive validators allow a number: from `>=`, `<=`, `>`, `<` and `range`.

    `==` is left out: it expects one number and gives no bounds.
    """
    return tightest(_interval(validator) for validator in validators if validator.is_decisive)


def limit_validators(lower: float | None, upper: float | None, value: object) -> tuple[Validator, ...]:
    """The checks that a lower (`>=`) and an upper limit (`<=`) stand for, the lower one first.

    Their outcome is UNSET where the value is no number. An infinite limit or NaN is no limit.
    """
    number = value if _KINDS.get(type(value)) is float else None
    bounds = [
        Validator(expression_of(symbol, limit), symbol, limit)
        for symbol, limit in ((">=", lower), ("<=", upper))
        if limit is not None and is_bound(limit)
    ]
    return tuple(structs.replace(bound, outcome=judge(bound, number)) for bound in bounds)


def unstated_limits(limits: Limits, validators: Sequence[Validator]) -> Limits:
    """The limits that no decisive validator states too; None in place of the others."""
    stated = [_bounds(validator) for validator in validators if validator.is_decisive]
    return Limits(
        None if limits.lower in [lower for lower, _ in stated] else limits.lower,
        None if limits.upper in [upper for _, upper in stated] else limits.upper,
    )


def is_bound(number: float) -> bool:
    """Whether a number can be a bound: whether it is finite, as integers of any size are."""
    return -math.inf < number < math.inf


def _all_hold(validator: Validator, values: list[object]) -> bool | None:
    verdicts = {_holds(validator, value) for value in values}
    if not verdicts or None in verdicts:
        return None
    return False not in verdicts


def _holds(validator: Validator, value: object) -> bool | None:
    """Whether a single value passes the check; None where their kinds do not fit."""
    expected = validator.expected
    kind = _KINDS.get(type(value))
    if isinstance(expected, list):
        check, kinds = _LIST_CHECKS.get(validator.operator, _NO_CHECK)
        fits = kind in kinds and all(_KINDS.get(type(item)) is kind for item in expected)
    else:
        check, kinds = _CHECKS.get(validator.operator, _NO_CHECK)
        fits = kind in kinds and _KINDS.get(type(expected)) is kind
    return check(value, expected) if fits else None


def _matches(text: str, pattern: str) -> bool | None:
    try:
        return compile_pattern(pattern).match(text) is not None
    except (InvalidInput, UnicodeEncodeError):
        return None


def _is_within(number: float, bounds: list[float]) -> bool | None:
    match bounds:
        case [low, high]:
            return low <= number <= high
    return None


_Check = Callable[[Any, Any], bool | None]
_Checks = dict[str | None, tuple[_Check, tuple[type, ...]]]
# The comparison that an operator makes, and the kinds that both values may have.
_CHECKS: _Checks = {
    ">=": (operator.ge, (float,)),
    "<=": (operator.le, (float,)),
    ">": (operator.gt, (float,)),
    "<": (operator.lt, (float,)),
    "==": (operator.eq, (float, str, bool)),
    "!=": (operator.ne, (float, str, bool)),
    "matches": (_matches, (str,)),
}
_LIST_CHECKS: _Checks = {
    "range": (_is_within, (float,)),
    "in": (lambda value, expected: value in expected, (float, str)),
    "not in": (lambda value, expected: value not in expected, (float, str)),
}
_NO_CHECK: tuple[_Check, tuple[type, ...]] = (lambda _value, _expected: None, ())


def _bounds(validator: Validator) -> tuple[float | None, float | None]:
    """The inclusive lower and upper bound that a check puts on a number."""
    match validator.operator, validator.expected:
        case ">=", low:
            return _number(low), None
        case "<=", high:
            return None, _number(high)
        case "==", number:
            return _number(number), _number(number)
        case "range", [low, high]:
            return _number(low), _number(high)
    return None, None


def _interval(validator: Validator) -> Interval:
    match validator.operator, validator.expected:
        case ">", low:
            return Interval(lower=_number(low), lower_is_strict=True)
        case "<", high:
            return Interval(upper=_number(high), upper_is_strict=True)
        case "==", _:
            return Interval()
    return Interval(*_bounds(validator))


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if is_bound(value) else None


def _text_of(item: object) -> str:
    """The value as people write it; for a number the shortest text that reads back the same: 3.1, and 3 for 3.0."""
    match item:
        case bool():
            return "true" if item else "false"
        case int() | float():
            return _shortest(item)
        case _:
            return str(item)


def _shortest(number: int | float) -> str:
    if isinstance(number, float) and number.is_integer() and abs(number) < _EXPONENT_FROM:
        return str(int(number))
    return str(number)
