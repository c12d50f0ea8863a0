"""The data types of STDF fields: read numbers and texts from the bytes of a record."""

import struct
from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar, cast

from runcard.importers.stdf.records import decode_text, tidy_text

Key = TypeVar("Key")
Value = TypeVar("Value")
FieldValue = int | float | str | tuple[int, ...] | None

_FORMATS = {"U1": "B", "U2": "H", "U4": "I", "I1": "b", "I2": "h", "I4": "i"}
# V*n: the numeric types, by the code in the first byte.
_ANNOUNCED = {1: "B", 2: "H", 3: "I", 4: "b", 5: "h", 6: "i", 8: "d", 13: "B"}
_R4, _C, _B, _D = 7, 10, 11, 12

_pack = struct.Struct("<f").pack
_unpack = struct.Struct("<f").unpack


def shortest_decimal(number: float) -> float:
    """The shortest decimal that reads back as the same 32-bit number: 0.9 for 0.8999999761581421, which a tester stores
    for 0.9. The order of numbers does not change.
    """
    for digits in (".6g", ".7g", ".8g"):
        shorter = float(format(number, digits))
        try:
            if _unpack(_pack(shorter))[0] == number:
                return shorter
        except OverflowError:
            continue
    return float(f"{number:.9g}")


class Cursor:
    """Reads the fields of one record in order. Fields may be missing at the end of a record. A field that is cut off
    raises LookupError or struct.error.
    """

    def __init__(self, body: bytes, order: str) -> None:
        self._body = body
        self._order = order
        self._at = 0

    def number(self, code: str) -> int | None:
        found = self._unpacked(code)
        return None if found is None else int(found)

    def needed(self, code: str) -> int:
        found = self.number(code)
        if found is None:
            raise IndexError
        return found

    def numbers(self, code: str, count: int) -> tuple[int, ...]:
        """The next `count` numbers; none where the record ends before them."""
        if self._at >= len(self._body):
            return ()
        return tuple(self.needed(code) for _field in range(count))

    def decimal(self) -> float | None:
        found = self._unpacked("f")
        return None if found is None else shortest_decimal(found)

    def text(self) -> str:
        return tidy_text(decode_text(self._counted()))

    def character(self) -> str:
        return tidy_text(decode_text(self._taken(1))) if self._at < len(self._body) else ""

    def hexadecimal(self) -> str:
        return self._counted().hex().upper()

    def bits(self) -> str:
        """The bits in hexadecimal. The first bit is the lowest bit of the first byte."""
        count = self.number("H")
        return self._taken((count + 7) // 8).hex().upper() if count else ""

    def value(self) -> str | None:
        """The next value as a text, by the type in its first byte; None for padding."""
        kind = self.needed("B")
        if kind == 0:
            return None
        if kind == _C:
            return self.text()
        if kind == _B:
            return self.hexadecimal()
        if kind == _D:
            return self.bits()
        found = self.decimal() if kind == _R4 else self._unpacked(_ANNOUNCED[kind])
        if found is None:
            raise IndexError
        return str(found)

    def skip(self, count: int) -> None:
        if self._at < len(self._body):
            self._taken(count)

    def _unpacked(self, code: str) -> float | None:
        if self._at >= len(self._body):
            return None
        field = self._order + code
        (found,) = struct.unpack_from(field, self._body, self._at)
        self._at += struct.calcsize(field)
        return cast(float, found)

    def _counted(self) -> bytes:
        if self._at >= len(self._body):
            return b""
        count = self._body[self._at]
        self._at += 1
        return self._taken(count)

    def _taken(self, count: int) -> bytes:
        start, self._at = self._at, self._at + count
        if self._at > len(self._body):
            raise IndexError
        return self._body[start : self._at]


def read_fields(cursor: Cursor, codes: Iterable[str]) -> Iterator[FieldValue]:
    """The fields of a record, by their type codes (U*2 is `U2`). `U2=65535`: this number stands for a missing value."""
    for code in codes:
        kind, _, missing = code.partition("=")
        match kind:
            case "Cn":
                yield cursor.text()
            case "C1":
                yield cursor.character()
            case "Bn":
                yield cursor.hexadecimal()
            case "R4":
                yield cursor.decimal()
            case "kU1":
                yield cursor.numbers("B", cursor.number("B") or 0)
            case _:
                number = cursor.number(_FORMATS[kind])
                yield None if missing and number == int(missing) else number


class Remembered(Generic[Key, Value]):
    """A cache of what was read from bytes that repeat. It forgets everything when it becomes too large."""

    _MAX_BYTES = 16 << 20
    # The memory of an entry besides the bytes of its key.
    _ENTRY_BYTES = 500

    def __init__(self) -> None:
        self._known: dict[Key, Value] = {}
        self._taken_bytes = 0
        self.get = self._known.get

    def keep(self, key: Key, value: Value, size_bytes: int) -> Value:
        self._taken_bytes += size_bytes + self._ENTRY_BYTES
        if self._taken_bytes > self._MAX_BYTES:
            self._known.clear()
            self._taken_bytes = size_bytes + self._ENTRY_BYTES
        self._known[key] = value
        return value
