"""Parse the text that OpenHTF writes for a check.

The forms are those of `openhtf.util.validators` in OpenHTF 1.6.3; stations that post runs use them too.
"""

import re
from collections.abc import Sequence
from functools import lru_cache

from msgspec import structs

from runcard.domain.number import is_kept_integer
from runcard.domain.runs.outcome import MeasurementOutcome
from runcard.domain.runs.validator import Expected, Validator, is_bound, judge

_NUMBER = r"([+-]?(?:(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?|inf|nan))"
_RANGE = re.compile(
    rf"(?:{_NUMBER} <= (?:Marginal:{_NUMBER} <= )?)?x(?:(?: <= Marginal:{_NUMBER})? <= {_NUMBER})?", re.ASCII
)
_EQUALITY = re.compile(rf"x == (?:{_NUMBER}|(True|False))", re.ASCII)
_PERCENTAGE = re.compile(
    rf"'x' is within {_NUMBER}% of {_NUMBER}\.(?: Marginal: {_NUMBER}% of {_NUMBER})?", re.ASCII
)
_PATTERN = re.compile(r"'x' matches /(.*)/", re.DOTALL)
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)

# Test stations repeat a few thousand short texts. A long text is rare and not worth the memory.
_CACHED_TEXTS = 8192
_CACHED_TEXT_LENGTH = 200
_INTEGER_LENGTH = len("-9223372036854775808")


def parse_validator(text: str) -> tuple[Validator, ...]:
    """The checks that a text stands for, at least one: decisive before marginal bounds, `>=` before `<=`.

    Their outcomes are UNSET. A text of no known form becomes a check with only an expression. Infinite bounds and NaN
    are left out. Every check keeps the text as its expression.
    """
    return (
        _range_checks(text)
        or _equality_check(text)
        or _pattern_check(text)
        or _percentage_checks(text)
        or (opaque_validator(text),)
    )


def opaque_validator(text: str, *, is_decisive: bool = True) -> Validator:
    """A check with a text and no structure.

    Memory addresses are removed from the text, so that a function has the same text in every run.
    """
    return Validator(_ADDRESS.sub("", text), is_decisive=is_decisive)


def validators_of_texts(
    texts: Sequence[str], value: object, measurement_outcome: MeasurementOutcome
) -> tuple[Validator, ...]:
    """The checks of all texts, in order, each with its outcome.

    value: the measured number, text, boolean or list (for a series: its values); nothing else is judged.

    A check that cannot be judged takes the outcome of the measurement. It stays UNSET where one of several checks
    failed the measurement, because nobody knows which.
    """
    checks: list[_ByOutcome] = []
    for text in texts:
        checks += _checks_by_outcome(text)
    otherwise = "UNSET" if measurement_outcome == "FAIL" and len(checks) > 1 else measurement_outcome
    judged = []
    for check in checks:
        outcome = judge(check["UNSET"], value)
        judged.append(check[otherwise if outcome == "UNSET" else outcome])
    return tuple(judged)


_ByOutcome = dict[MeasurementOutcome, Validator]


def _checks_by_outcome(text: str) -> tuple[_ByOutcome, ...]:
    """Each check of a text with each outcome, cached because every recorded run needs them."""
    return _cached_checks(text) if len(text) <= _CACHED_TEXT_LENGTH else _parsed_checks(text)


def _parsed_checks(text: str) -> tuple[_ByOutcome, ...]:
    outcomes: tuple[MeasurementOutcome, ...] = ("PASS", "FAIL", "UNSET")
    return tuple(
        {outcome: structs.replace(check, outcome=outcome) for outcome in outcomes}
        for check in parse_validator(text)
    )


_cached_checks = lru_cache(maxsize=_CACHED_TEXTS)(_parsed_checks)


def _range_checks(text: str) -> tuple[Validator, ...]:
    found = _RANGE.fullmatch(text)
    if found is None:
        return ()
    lower, marginal_lower, marginal_upper, upper = (_number(group) for group in found.groups())
    return _bounds(text, lower, upper) + _bounds(text, marginal_lower, marginal_upper, is_decisive=False)


def _equality_check(text: str) -> tuple[Validator, ...]:
    found = _EQUALITY.fullmatch(text)
    if found is None:
        return ()
    number, boolean = found.groups()
    expected = boolean == "True" if boolean else _number(number)
    return () if expected is None else (_structured(text, "==", expected),)


def _pattern_check(text: str) -> tuple[Validator, ...]:
    found = _PATTERN.fullmatch(text)
    if found is None:
        return ()
    pattern = found[1]
    if pattern.startswith("^") and pattern.endswith("$"):
        literal = _ESCAPED.sub(r"\1", pattern[1:-1])
        if re.escape(literal) == pattern[1:-1]:
            return (_structured(text, "==", literal),)
    return (_structured(text, "matches", pattern),)


def _percentage_checks(text: str) -> tuple[Validator, ...]:
    found = _PERCENTAGE.fullmatch(text)
    if found is None:
        return ()
    percent, expected, marginal_percent, _ = (_number(group) for group in found.groups())
    if percent is None or expected is None:
        return ()
    checks = _bounds(text, *_around(expected, percent))
    if marginal_percent is not None:
        checks += _bounds(text, *_around(expected, marginal_percent), is_decisive=False)
    return checks


def _around(expected: float, percent: float) -> tuple[float | None, float | None]:
    """The bounds at `percent` below and above a number, computed as in OpenHTF; None where a bound overflows."""
    tolerance = abs(expected * percent / 100.0)
    lower, upper = expected - tolerance, expected + tolerance
    return lower if is_bound(lower) else None, upper if is_bound(upper) else None


def _bounds(
    text: str, lower: float | None, upper: float | None, *, is_decisive: bool = True
) -> tuple[Validator, ...]:
    return tuple(
        _structured(text, symbol, bound, is_decisive=is_decisive)
        for symbol, bound in ((">=", lower), ("<=", upper))
        if bound is not None
    )


def _structured(text: str, symbol: str, expected: Expected, *, is_decisive: bool = True) -> Validator:
    return Validator(text, symbol, expected, is_decisive=is_decisive, has_custom_expression=True)


def _number(text: str | None) -> int | float | None:
    """The number in a text, an integer if written as one; None where there is no text or the number is no bound."""
    if text is None:
        return None
    number = float(text)
    if not is_bound(number):
        return None
    # Documents hold 64 bits, and Python refuses to read thousands of digits.
    if text.lstrip("+-").isdecimal() and len(text) <= _INTEGER_LENGTH:
        integer = int(text)
        return integer if is_kept_integer(integer) else number
    return number
