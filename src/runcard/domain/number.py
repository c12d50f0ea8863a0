"""Which numbers Runcard keeps: integers of 64 bits, and what a double holds. `docs/api/numbers.md` tells users."""

from collections.abc import Iterator

from msgspec import Struct

from runcard.domain.errors import Issue
from runcard.domain.text import shortened

MIN_INTEGER = -(2**63)
MAX_INTEGER = 2**63 - 1
# Enough of a number to find it again in what was sent.
_MOST_SHOWN = 60
# Python writes no more than 4300 digits.
_MOST_BITS = 14_000


def is_kept_integer(number: int) -> bool:
    """Whether an integer fits 64 bits signed."""
    return MIN_INTEGER <= number <= MAX_INTEGER


def too_large_integer(number: int) -> str:
    """What is wrong with an integer that does not fit, and the mend."""
    digits = shortened(str(number), _MOST_SHOWN) if number.bit_length() < _MOST_BITS else "an integer"
    return f"{digits} does not fit 64 bits; send -2^63 to 2^63-1, or a text of its digits"


def too_large_number(digits: str) -> str:
    """What is wrong with a number that no double holds, and the mend."""
    shown = shortened(digits, _MOST_SHOWN)
    return f"{shown} is beyond what a double holds; send at most 1.7976931348623157e308 on either side"


def too_large_integers(value: object, path: tuple[str | int, ...] = ()) -> Iterator[Issue]:
    """Each integer inside of a value that does not fit, and where it is. Slow: for values that could not be packed."""
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
