"""The measurements in the steps of NI TestStand's reports.

The results of TestStand's own step types are read by their names: numeric limit, multiple numeric limit, string value
and pass/fail. Anything else that a step flags as a result or for the report becomes a measurement without limits. Names
inside containers are joined by dots, and arrays of numbers become multi-dimensional.
"""

from collections.abc import Iterator

from runcard.domain.runs.measurement import Measurement
from runcard.domain.runs.outcome import MeasurementOutcome
from runcard.domain.runs.validator import Validator, expression_of
from runcard.importers.content.xml_stream import Element, text_of
from runcard.importers.report.bounds import Bound, Bounds, all_of, any_of
from runcard.importers.teststand.props import (
    array_elements,
    flags,
    is_true,
    number,
    prop,
    props,
    series_of,
    text,
)

_OUTCOMES: dict[str, MeasurementOutcome] = {"Passed": "PASS", "Failed": "FAIL"}

_ONE_LIMIT = {"EQ": "==", "NE": "!=", "GT": ">", "GE": ">=", "LT": "<", "LE": "<="}
# The first symbol belongs to the low limit, the second to the high one. Inside: both must hold; outside: one of them.
_INSIDE = {"GTLT": (">", "<"), "GELE": (">=", "<="), "GELT": (">=", "<"), "GTLE": (">", "<=")}
_OUTSIDE = {"LTGT": ("<", ">"), "LEGE": ("<=", ">="), "LEGT": ("<=", ">"), "LTGE": ("<", ">=")}
# A comparison that compares nothing.
_LOG = "LOG"

_INCLUDE_IN_REPORT, _IS_MEASUREMENT = 0x2000, 0x400
# Properties that are no measurement, or that are read by name.
_KNOWN = frozenset(
    (
        *("Numeric", "String", "PassFail", "Measurement", "Limits", "RawLimits", "Comp", "Units"),
        *("Error", "Status", "ReportText", "Common", "TS", "NumericFormat"),
    )
)


def measurements_of(step: Element, name: str) -> Iterator[Measurement]:
    """The measurements of a step: first those read by name, then the others in recorded order.

    Raises UnreadableReport.
    """
    outcome = _OUTCOMES.get(text(step, "Status"), "UNSET")
    if prop(step, "Numeric") is not None:
        yield _numeric(step, name, "Numeric", outcome)
    if (multiple := prop(step, "Measurement")) is not None and multiple.get("Type") == "Array":
        yield from _multiple(multiple, name, outcome)
    if prop(step, "String") is not None:
        yield _string(step, name, outcome)
    if prop(step, "PassFail") is not None and text(step, "PassFail"):
        yield _pass_fail(step, name, outcome)
    for inner in props(step):
        if inner.get("Name") not in _KNOWN and flags(inner) & (_INCLUDE_IN_REPORT | _IS_MEASUREMENT):
            yield from _other(inner, inner.get("Name") or name)


def _numeric(result: Element, name: str, value_name: str, outcome: MeasurementOutcome) -> Measurement:
    value = number(result, value_name)
    comparison = text(result, "Comp").upper() or _LOG
    judged: MeasurementOutcome = "UNSET" if comparison == _LOG else outcome
    bounds = _bounds(result, comparison, value, judged)
    return Measurement(
        name,
        judged,
        value,
        text(result, "Units") or None,
        bounds.lower,
        bounds.upper,
        bounds.validators,
    )


def _bounds(result: Element, comparison: str, value: object, outcome: MeasurementOutcome) -> Bounds:
    """The bounds of a comparison. A comparison with one limit uses the low limit, or else the high one."""
    low, high = number(result, "Limits", "Low"), number(result, "Limits", "High")
    if comparison in _ONE_LIMIT:
        sides = [(_ONE_LIMIT[comparison], high if low is None else low)]
    else:
        symbols = _INSIDE.get(comparison) or _OUTSIDE.get(comparison) or ()
        sides = list(zip(symbols, (low, high), strict=False))
    found = [Bound(symbol, limit) for symbol, limit in sides if limit is not None]
    if comparison in _OUTSIDE:
        return any_of(found, outcome)
    if found or comparison in (_LOG, *_ONE_LIMIT, *_INSIDE):
        return all_of(found, value, outcome)
    return Bounds(validators=(Validator(_other_comparison(result, comparison), outcome=outcome),))


def _other_comparison(result: Element, comparison: str) -> str:
    """The text of a comparison that Runcard has no operator for, such as EQT: equal within a tolerance."""
    limits = [
        f"{limit.get('Name')} {written}"
        for limit in props(prop(result, "Limits"))
        if (written := text(limit))
    ]
    return f"x {comparison} {', '.join(limits)}".strip()


def _multiple(
    measurements: Element, step_name: str, step_outcome: MeasurementOutcome
) -> Iterator[Measurement]:
    """The measurements of a multiple numeric limit. One without a status has the outcome of its step, unless the step
    failed: then it is UNSET, because nobody knows which measurement failed.
    """
    for (position, *_), element in array_elements(measurements):
        for result in props(element):
            status = text(result, "Status")
            outcome = _OUTCOMES.get(status, "UNSET") if status else step_outcome
            if not status and step_outcome == "FAIL":
                outcome = "UNSET"
            yield _numeric(result, result.get("Name") or f"{step_name} {position}", "Data", outcome)


def _string(step: Element, name: str, outcome: MeasurementOutcome) -> Measurement:
    limit, comparison = prop(step, "Limits", "String"), text(step, "Comp").upper()
    value = text(step, "String")
    if limit is None or comparison == _LOG:
        return Measurement(name, "UNSET", value)
    expected = text(step, "Limits", "String")
    if comparison == "IGNORECASE":
        check = Validator(f"{expression_of('==', expected)}, in any case", outcome=outcome)
    else:
        check = Validator(expression_of("==", expected), "==", expected, outcome)
    return Measurement(name, outcome, value, validators=(check,))


def _pass_fail(step: Element, name: str, outcome: MeasurementOutcome) -> Measurement:
    check = Validator(expression_of("==", True), "==", True, outcome)
    return Measurement(name, outcome, is_true(step, "PassFail"), validators=(check,))


def _other(value: Element, name: str) -> Iterator[Measurement]:
    """The measurement of a value of any type, or those inside a container."""
    match value.get("Type"):
        case "Number":
            yield Measurement(name, "UNSET", number(value))
        case "String":
            yield Measurement(name, "UNSET", text(value))
        case "Boolean":
            yield Measurement(name, "UNSET", is_true(value))
        case "Array" if value.get("ElementType") == "Number":
            series = series_of(value, None)
            yield Measurement(name, "UNSET", None if series else [], series=series)
        case "Array" if value.get("ElementType") in ("String", "Boolean"):
            yield Measurement(name, "UNSET", [text_of(element) for _, element in array_elements(value)])
        case "Array":
            for indices, element in array_elements(value):
                place = "".join(f"[{index}]" for index in indices)
                for inner in props(element):
                    yield from _other(inner, ".".join(filter(None, (f"{name}{place}", inner.get("Name")))))
        case _:
            for inner in props(value):
                yield from _other(inner, ".".join(filter(None, (name, inner.get("Name")))))
