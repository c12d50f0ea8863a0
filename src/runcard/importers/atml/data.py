"""Data and limits of ATML: what IEEE 1671 Annex B (Common) says a value, its unit of measure, and a limit is.

A datum of text, boolean or number is a value, and one without a type a text; dates and numbers in other bases are kept
as their text, complex numbers as `{"re": …, "im": …}`. A qualifier of a unit stands behind it (`V RMS`). Arrays of
numbers are multi-dimensional with their positions as coordinates; other arrays are lists. Collections have a value for
each item, called with a dot.
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
# Equal, or not, whatever the case.
_ANY_CASE = {"CIEQ": "==", "CINE": "!="}


class _Value(NamedTuple):
    """What a datum holds; uom: None where it has none."""

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
    """One for a datum or an array, one for each item of a collection. Raises UnreadableReport.

    limits: what holds a LimitPair, SingleLimit or Expected; it keeps each of them.
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
    """`double` of c:double, ts:TS_double and c:doubleArray."""
    kind = (data.get(_TYPE) or "").rpartition(":")[2].lower()
    return kind.removeprefix("ts_").removesuffix("array")


def _single(data: Element, kind: str) -> tuple[JsonValue, str | None]:
    """The value in an attribute, or of texts in an element, and its digits where it is too large an integer."""
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
    axes = [Series([position[at] for position in positions], name=one) for at, one in enumerate(names)]
    return _Value(None, uom, (*axes, Series(values, uom, name)))


def _bounds(limits: Element | None, value: JsonValue, outcome: MeasurementOutcome) -> Bounds:
    """What the first limit of a kind that is known says; masks are left out."""
    if limits is None:
        return Bounds()
    for one in children(limits, "Limits", "LimitPair", "SingleLimit", "Expected"):
        match name_of(one):
            case "Limits":
                return _bounds(one, value, outcome)
            case "LimitPair":
                return _pair(one, value, outcome)
            case _:
                return _single_limit(one, value, outcome)
    return Bounds()


def _pair(pair: Element, value: JsonValue, outcome: MeasurementOutcome) -> Bounds:
    limits = [(one.get("comparator") or "", _expected(one)) for one in children(pair, "Limit")]
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
    """One comparison with a number, a text or a boolean; Expected without a comparator means equal."""
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
    """The value that a limit compares with; None where it is no single one."""
    datum = child(limit, "Datum")
    value = None if datum is None else _single(datum, _type_of(datum))[0]
    return value if isinstance(value, bool | int | float | str) else None
