"""Which numbers Runcard keeps: signed 64-bit integers and doubles. `docs/api/numbers.md` explains it to users."""

from collections.abc import Iterator

from msgspec import Struct

from runcard.domain.errors import Issue
from runcard.domain.text import shortened

MIN_INTEGER = -(2**63)
MAX_INTEGER = 2**63 - 1
# Digits that a message shows: enough to find the number again in what was sent.
_MOST_SHOWN = 60
# Python writes no more than 4300 digits.
_MOST_BITS = 14_000


def is_kept_integer(number: int) -> bool:
    """Whether an integer fits into 64 bits, signed."""
    return MIN_INTEGER <= number <= MAX_INTEGER


def too_large_integer(number: int) -> str:
    """The message about an integer that does not fit into 64 bits."""
    digits = shortened(str(number), _MOST_SHOWN) if number.bit_length() < _MOST_BITS else "an integer"
    return f"{digits} does not fit 64 bits; send -2^63 to 2^63-1, or a text of its digits"


def too_large_number(digits: str) -> str:
    """The message about a number that no double can hold."""
    shown = shortened(digits, _MOST_SHOWN)
    return f"{shown} is beyond what a double holds; send at most 1.7976931348623157e308 on either side"


def too_large_integers(value: object, path: tuple[str | int, ...] = ()) -> Iterator[Issue]:
    """An issue for each integer in a value that does not fit. Slow: call it only for a value that failed to pack."""
    match value:
        case int() if not is_kept_integer(value):
            yield Issue(path, too_large_integer(value))
        case Struct():
            for field in value.__struct_fields__:
                yield from too_large_integers(getattr(value, field), (*path, field))
        case dict():
            for key, item in value.items():
                yield from too_large_integers(item, (*path, str(key)))
        case list() | tuple():
            for position, item in enumerate(value):
                yield from too_large_integers(item, (*path, position))
