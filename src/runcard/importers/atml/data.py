"""Values, units of measure and limits in ATML, as IEEE 1671 Annex B (Common) defines them.

A text, a boolean or a number becomes a value; a datum without a type is a text. Dates and numbers in other bases stay
texts, and complex numbers become `{"re": …, "im": …}`. The qualifier of a unit follows the unit (`V RMS`). An array of
numbers becomes multi-dimensional, with the positions as coordinates; any other array becomes a list. A collection has
one measurement for each item, whose names are joined by a dot.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from runcard.domain.errors import UnreadableReport
from runcard.domain.runs.measurement import JsonValue, Measurement, Series, storable_json, storable_number
from runcard.domain.runs.outcome import MeasurementOutcome
from runcard.domain.runs.validator import Expected, Validator, expression_of
from runcard.importers.content.cells import number_of
from runcard.importers.content.xml_stream import Element, child, children, name_of, text_of
from runcard.importers.report.bounds import Bound, Bounds, all_of, any_of

_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
_NUMBERS = frozenset(
    ("double", "float", "decimal", "integer", "int", "unsignedinteger", "long", "unsignedlong", "short")
)
_DATA = ("Datum", "IndexedArray", "Collection")
_POSITION = re.compile(r"\d{1,18}", re.ASCII)

_SYMBOLS = {"EQ": "==", "NE": "!=", "GT": ">", "GE": ">=", "LT": "<", "LE": "<="}
# Equal or not, ignoring case.
_ANY_CASE = {"CIEQ": "==", "CINE": "!="}


class _Value(NamedTuple):
    """The content of a datum. uom: None where it has no unit."""

    value: JsonValue
    uom: str | None = None
    series: tuple[Series, ...] = ()
    exact: str | None = None


def data_of(element: Element | None) -> Element | None:
    """The datum, array or collection in an element; None where there is none."""
    return None if element is None else next(children(element, *_DATA), None)


def measurements_of(
    data: Element, name: str, outcome: MeasurementOutcome, limits: Element | None = None
) -> Iterator[Measurement]:
    """The measurement of a datum or an array, or those of all items of a collection. Raises UnreadableReport.

    limits: the element that contains a LimitPair, SingleLimit or Expected. It applies to each measurement.
    """
    if name_of(data) == "Collection":
        for item in children(data, "Item"):
            inner = data_of(item)
            if inner is not None:
                inner_name = ".".join(filter(None, (name, item.get("name"))))
                yield from measurements_of(inner, inner_name, outcome, limits)
        return
    found = _value(data, name)
    bounds = _bounds(limits, found.value, outcome)
    yield Measurement(
        name,
        outcome,
        found.value,
        None if found.series else found.uom,
        bounds.lower,
        bounds.upper,
        bounds.validators,
        found.series,
        exact=found.exact,
    )


def _value(data: Element, name: str) -> _Value:
    unit = data.get("standardUnit") or data.get("nonStandardUnit")
    uom = " ".join(filter(None, (unit, data.get("unitQualifier")))) or None
    if name_of(data) == "IndexedArray":
        return _array(data, name, uom)
    value, exact = _single(data, _type_of(data))
    return _Value(value, uom, exact=exact)


def _type_of(data: Element) -> str:
    """The type in lower case, without prefix and suffix: `double` for c:double, ts:TS_double and c:doubleArray."""
    kind = (data.get(_TYPE) or "").rpartition(":")[2].lower()
    return kind.removeprefix("ts_").removesuffix("array")


def _single(data: Element, kind: str) -> tuple[JsonValue, str | None]:
    """The value of a datum, from its attribute or its Value element, and the digits of an integer that is too large."""
    written = data.get("value")
    if written is None:
        written = text_of(child(data, "Value"))
    if kind in _NUMBERS:
        return storable_number(_number(written.strip(), data)) if written.strip() else (None, None)
    if kind == "boolean" and written.strip().lower() in ("true", "1", "false", "0"):
        return written.strip().lower() in ("true", "1"), None
    if kind == "complex":
        parts = {short: data.get(long) or "0" for short, long in (("re", "real"), ("im", "imaginary"))}
        return storable_json({short: _number(part, data) for short, part in parts.items()}), None
    return written, None


def _number(written: str, data: Element) -> int | float:
    try:
        return number_of(written, decimal_comma=False)
    except (ValueError, OverflowError) as error:
        raise UnreadableReport(
            f"The {name_of(data)} in line {data.sourceline} is {written[:80]!r}, which is no number."
        ) from error


def _array(data: Element, name: str, uom: str | None) -> _Value:
    kind = _type_of(data)
    elements = list(children(data, "Element"))
    values = [_single(element, kind)[0] for element in elements]
    if kind not in _NUMBERS or not values:
        return _Value(values, uom)
    positions = [
        [int(index) for index in _POSITION.findall(element.get("position") or "")] or [at]
        for at, element in enumerate(elements)
    ]
    dimensions = len(positions[0])
    if None in values or any(len(position) != dimensions for position in positions):
        raise UnreadableReport(
            f"The array {name!r} in line {data.sourceline} has elements without a value, or of several dimensions."
        )
    names = ["index"] if dimensions == 1 else [f"index {at + 1}" for at in range(dimensions)]
    axes = [Series([position[at] for position in positions], name=axis) for at, axis in enumerate(names)]
    return _Value(None, uom, (*axes, Series(values, uom, name)))


def _bounds(limits: Element | None, value: JsonValue, outcome: MeasurementOutcome) -> Bounds:
    """The bounds of the first limit of a known kind; masks are left out."""
    if limits is None:
        return Bounds()
    for limit in children(limits, "Limits", "LimitPair", "SingleLimit", "Expected"):
        match name_of(limit):
            case "Limits":
                return _bounds(limit, value, outcome)
            case "LimitPair":
                return _pair(limit, value, outcome)
            case _:
                return _single_limit(limit, value, outcome)
    return Bounds()


def _pair(pair: Element, value: JsonValue, outcome: MeasurementOutcome) -> Bounds:
    limits = [(limit.get("comparator") or "", _expected(limit)) for limit in children(pair, "Limit")]
    bounds = [
        Bound(_SYMBOLS[comparator], limit)
        for comparator, limit in limits
        if comparator in _SYMBOLS and isinstance(limit, int | float) and not isinstance(limit, bool)
    ]
    if len(bounds) != len(limits):
        text = f" {pair.get('operator') or 'AND'} ".join(
            f"x {comparator} {limit}" for comparator, limit in limits
        )
        return Bounds(validators=(Validator(text, outcome=outcome),))
    return any_of(bounds, outcome) if pair.get("operator") == "OR" else all_of(bounds, value, outcome)


def _single_limit(limit: Element, value: JsonValue, outcome: MeasurementOutcome) -> Bounds:
    """The bounds of a comparison with a number, a text or a boolean. Expected without a comparator means equal."""
    comparator, expected = limit.get("comparator") or "EQ", _expected(limit)
    if expected is None:
        return Bounds()
    if comparator in _ANY_CASE:
        text = f"{expression_of(_ANY_CASE[comparator], expected)}, in any case"
        return Bounds(validators=(Validator(text, outcome=outcome),))
    symbol = _SYMBOLS.get(comparator)
    if symbol is None:
        return Bounds(validators=(Validator(f"x {comparator} {expected}", outcome=outcome),))
    if isinstance(expected, int | float) and not isinstance(expected, bool):
        return all_of([Bound(symbol, expected)], value, outcome)
    return Bounds(validators=(Validator(expression_of(symbol, expected), symbol, expected, outcome),))


def _expected(limit: Element) -> Expected:
    """The value that a limit compares with; None where it is not a single value."""
    datum = child(limit, "Datum")
    value = None if datum is None else _single(datum, _type_of(datum))[0]
    return value if isinstance(value, bool | int | float | str) else None
