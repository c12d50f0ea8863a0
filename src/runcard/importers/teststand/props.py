"""Properties of NI TestStand's XML reports: `Prop` elements with a name, a type, and values."""

import math
import re
from collections.abc import Iterator

from runcard.domain.errors import UnreadableReport
from runcard.domain.runs.measurement import Series, storable_number
from runcard.importers.content import cells
from runcard.importers.content.xml_stream import Element, child, children, text_of

_INDEX = re.compile(r"\[(-?\d{1,18})\]", re.ASCII)
# The texts that TestStand prints for NaN.
_NO_NUMBER = {"IND": math.nan, "-IND": math.nan, "NAN": math.nan, "QNAN": math.nan}


def props(element: Element | None) -> Iterator[Element]:
    """The properties inside a property, a report, or an element of an array; none for None."""
    return iter(()) if element is None else children(element, "Prop")


def prop(element: Element | None, *path: str) -> Element | None:
    """The property that a path of names leads to; None where one is missing."""
    for name in path:
        element = next((inner for inner in props(element) if inner.get("Name") == name), None)
    return element


def text(element: Element | None, *path: str) -> str:
    """The value of a property, trimmed; empty where there is none."""
    found = prop(element, *path)
    return "" if found is None else text_of(child(found, "Value"))


def number(element: Element | None, *path: str) -> int | float | None:
    """The value of a numeric property; None where there is none. Raises UnreadableReport where it is no number."""
    found = prop(element, *path)
    written = text(found)
    return number_of(written, found) if found is not None and written else None


def number_of(written: str, element: Element) -> int | float:
    """The number in a text as TestStand prints it: also with a decimal comma, or in another base (0x, 0b, 0o).

    Raises UnreadableReport, which names the element.
    """
    if written.upper() in _NO_NUMBER:
        return math.nan
    try:
        if written[:2].lower() in ("0x", "0b", "0o") and len(written) < 80:
            return storable_number(int(written, 0))[0]
        return storable_number(cells.number_of(written, decimal_comma=True))[0]
    except (ValueError, OverflowError) as error:
        raise UnreadableReport(
            f"{element.get('Name') or 'A value'} in line {element.sourceline} is {written[:80]!r}, which is no number."
        ) from error


def is_true(element: Element | None, *path: str) -> bool:
    return text(element, *path).lower() == "true"


def flags(element: Element) -> int:
    """The bits of PropertyFlags; 0 where they cannot be read."""
    try:
        return int(element.get("Flags") or "0", 0)
    except ValueError:
        return 0


def array_elements(element: Element | None) -> Iterator[tuple[tuple[int, ...], Element]]:
    """The elements of an array that are in the report, each with its indices."""
    for position, value in enumerate(() if element is None else children(element, "Value")):
        indices = tuple(int(index) for index in _INDEX.findall(value.get("ID") or ""))
        yield indices or (position,), value


def series_of(element: Element, uom: str | None) -> tuple[Series, ...]:
    """The series of an array of numbers with any dimension: its indices as coordinates, then its values; none if empty.

    Raises UnreadableReport.
    """
    found = list(array_elements(element))
    if not found:
        return ()
    dimensions = len(found[0][0])
    if any(len(indices) != dimensions for indices, _ in found):
        raise UnreadableReport(
            f"Array {element.get('Name')!r} in line {element.sourceline} has elements of several dimensions."
        )
    names = ["index"] if dimensions == 1 else [f"index {at + 1}" for at in range(dimensions)]
    axes = [Series([indices[at] for indices, _ in found], name=name) for at, name in enumerate(names)]
    values = [number_of(text_of(value), value) for _, value in found]
    return (*axes, Series(values, uom, element.get("Name") or None))
