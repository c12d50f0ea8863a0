"""Files and texts in JSON, read so that they have one meaning only.

A file that two programs may read in two ways proves nothing. So what RFC 8785 has no form for is refused: members that
stand twice, NaN, numbers that not every program reads alike, and texts that are not UTF-8.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import NoReturn

from runcard_verify.errors import Unreadable, shown

_KIB = 1024
# Twice what a server accepts as a run by default, since Base64 makes its document longer.
MOST_BYTES = 128 * 1024 * _KIB
# Each value follows a comma or stands first in a list or object, so this bounds how much memory a file can take.
_MOST_VALUES = 200_000
# Whole numbers beyond this are rounded by some programs (RFC 7493).
MOST_NUMBER = 2**53 - 1
_MOST_DIGITS = 17
_MOST_LETTERS = 40
# An entry is flat, and a header nearly so. Python gives up at about a thousand.
_MOST_DEPTH = 64


def read_json(path: str) -> object:
    """The value in a file. Raises Unreadable."""
    return parse(read_bytes(path), shown(path))


def read_bytes(path: str, most: int = MOST_BYTES) -> bytes:
    """All bytes of a file. Raises Unreadable, also for a file that is too large to be one of ours."""
    try:
        with open(path, "rb") as file:  # noqa: PTH123 (a path that cannot be one is an argument like others)
            content = file.read(most + 1)
    except (OSError, ValueError) as error:
        raise Unreadable(f"{shown(path)} cannot be read: {shown(error)}") from error
    if len(content) > most:
        raise Unreadable(f"{shown(path)} is larger than {most // _KIB} KiB, and no such file of Runcard is")
    return content


def parse(content: bytes, where: str) -> object:
    """The value of a JSON text. where: what to call the text in errors. Raises Unreadable."""
    if sum(content.count(mark) for mark in (b",", b"[", b"{")) > _MOST_VALUES:
        raise Unreadable(f"{where} has more than {_MOST_VALUES} values, and nothing that Runcard signs has")
    try:
        value: object = json.loads(
            content.decode("utf-8"),
            object_pairs_hook=_members,
            parse_int=_whole_number,
            parse_float=_number,
            parse_constant=_refuse_constant,
        )
        _check_inside(value)
    except UnicodeError as error:
        raise Unreadable(f"{where} is not text in UTF-8: {shown(error)}") from error
    except RecursionError as error:
        raise Unreadable(f"{where} is nested too deeply") from error
    except MemoryError as error:
        raise Unreadable(f"{where} takes more memory than there is") from error
    except ValueError as error:
        raise Unreadable(f"{where} is not JSON that can be relied on: {shown(error)}") from error
    return value


def _members(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    members: dict[str, object] = {}
    for name, value in pairs:
        if name in members:
            raise ValueError(f"an object has the member {name!r} twice")
        members[name] = value
    return members


def _check_inside(value: object) -> None:
    """Raise RecursionError for a value nested too deeply, and UnicodeError for a text without bytes in UTF-8."""
    left = [(value, 0)]
    while left:
        one, depth = left.pop()
        if depth > _MOST_DEPTH:
            raise RecursionError
        if isinstance(one, str):
            # Half of a surrogate pair can be escaped in JSON.
            one.encode("utf-8")
        elif isinstance(one, dict):
            left += [(inside, depth + 1) for member in one.items() for inside in member]
        elif isinstance(one, list):
            left += [(inside, depth + 1) for inside in one]


def _whole_number(digits: str) -> int:
    # Python takes its time to read a number of a million digits.
    if len(digits) > _MOST_DIGITS or abs(int(digits)) > MOST_NUMBER:
        raise ValueError(f"the number {digits[:20]}... is larger than {MOST_NUMBER}")
    return int(digits)


def _number(digits: str) -> float:
    if len(digits) > _MOST_LETTERS or abs(float(digits)) == float("inf"):
        raise ValueError(f"the number {digits[:20]} is too large, or has more than {_MOST_LETTERS} letters")
    return float(digits)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")
