"""Say what is wrong with a value that breaks its type, and what to send: msgspec's own messages say only the first."""

import enum
import re
from collections.abc import Iterator, Sequence
from typing import Any, Literal, get_args, get_origin

import msgspec

from runcard.domain.errors import Issue
from runcard.domain.text import shortened

# Characters of a message and of a value in it; how many choices are listed, and in how many characters.
_MOST_TEXT = 200
_MOST_OF_VALUE = 60
_MOST_CHOICES = 20
_MOST_OF_CHOICES = 400

_LOCATION = re.compile(r" - at `\$(.*)`$")
_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]")
_MISSING = re.compile(r"Object missing required field `(.+?)`")
_NO_OBJECT = re.compile(r"Expected `object(?: \| null)?`, got `(.+)`")

_IS_NO_CHOICE = "Invalid enum value"
_MENDS = {
    "Invalid RFC3339 encoded datetime": "is no date and time; send one such as 2026-01-31T12:00:00Z",
    "Expected `datetime` with a timezone component": "has no time zone; send one such as 2026-01-31T12:00:00Z",
    "Invalid RFC3339 encoded date": "is no date; send one such as 2026-01-31",
    "Invalid ISO8601 duration": "is no duration; send one such as PT2M30S",
    "Invalid UUID": "is no UUID; send one such as 01a21776-1a08-77a1-95b2-048b1ae09dae",
}


def violation(error: Exception, expected: Any, value: object) -> Issue:
    """The issue that msgspec's error reports: where `value` breaks the type `expected`, and how."""
    text = str(error)
    path: tuple[str | int, ...] = ()
    if location := _LOCATION.search(text):
        text = text[: location.start()]
        path = tuple(int(index) if index else name for name, index in _STEP.findall(location[1]))
        value = _inside(value, path) if "[...]" not in location[1] else None
    if missing := _MISSING.match(text):
        return Issue((*path, missing[1]), "required")
    return Issue(path, _message(text, expected, value))


def _message(text: str, expected: Any, value: object) -> str:
    if text in _MENDS and isinstance(value, str):
        return f"{_shown(value)} {_MENDS[text]}"
    if (
        text.startswith(_IS_NO_CHOICE)
        and isinstance(value, str | int)
        and (choices := list(_choices(expected)))
    ):
        return f"{_shown(value)} is not known; send {_one_of(choices)}"
    if got := _NO_OBJECT.fullmatch(text):
        needed = shortened(", ".join(_required(expected)), _MOST_OF_CHOICES)
        return f"Expected an object{' with ' + needed if needed else ''}, got `{got[1]}`"
    return shortened(text, _MOST_TEXT)


def _shown(value: str | int) -> str:
    return repr(shortened(value, _MOST_OF_VALUE) if isinstance(value, str) else value)


def _inside(value: object, path: Sequence[str | int]) -> object:
    """The part of a value that the path leads to; None where it leads nowhere."""
    for step in path:
        match value:
            case dict():
                value = value.get(step)
            case list() if isinstance(step, int) and step < len(value):
                value = value[step]
            case _:
                return None
    return value


def _choices(expected: Any) -> Iterator[str]:
    """The choices of the one enum or Literal in a type; none where the type has several of these, or none."""
    found = [option for option in _leaves(expected) if _is_choice(option)]
    if len(found) == 1:
        [option] = found
        yield from (str(choice) for choice in get_args(option) or [member.value for member in option])


def _leaves(expected: Any) -> Iterator[Any]:
    if not get_args(expected) or get_origin(expected) is Literal or is_struct(expected):
        yield expected
        return
    for option in get_args(expected):
        yield from _leaves(option)


def _is_choice(option: Any) -> bool:
    return get_origin(option) is Literal or (isinstance(option, type) and issubclass(option, enum.Enum))


def is_struct(option: Any) -> bool:
    """Whether a type is a Struct, or a generic Struct with its argument."""
    origin = get_origin(option) or option  # a generic Struct with an argument is no `type`
    return isinstance(origin, type) and issubclass(origin, msgspec.Struct)


def _one_of(choices: Sequence[str]) -> str:
    if len(choices) > _MOST_CHOICES:
        some = shortened(", ".join(choices[:_MOST_CHOICES]), _MOST_OF_CHOICES)
        return f"{some} or one of {len(choices) - _MOST_CHOICES} more"
    *others, last = choices
    return shortened(f"{', '.join(others)} or {last}" if others else last, _MOST_OF_CHOICES)


def _required(expected: Any) -> Iterator[str]:
    """The required fields of the one Struct in a type; none where the type has several."""
    structs = [option for option in _leaves(expected) if is_struct(option)]
    if len(structs) == 1:
        yield from (field.encode_name for field in msgspec.structs.fields(structs[0]) if field.required)
