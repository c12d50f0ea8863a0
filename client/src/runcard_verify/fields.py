"""The members of an object in JSON, each of the type and in the one spelling that it must have.

A value that could be spelled in two ways is refused in all but one, so that no byte of a file can change unnoticed.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Collection

from runcard_verify.errors import Unreadable, shown

HASH_BYTES = 32
# A path has one hash for each time that the tree doubles, and a consistency path one more.
_MOST_HASHES = 100
_HASH = re.compile("[0-9a-f]{64}")


class Fields:
    """where: what to call the object in errors. Raises Unreadable if a member is missing or is not known."""

    def __init__(
        self, value: object, where: str, needed: Collection[str], optional: Collection[str] = ()
    ) -> None:
        if not isinstance(value, dict):
            raise Unreadable(f"{where} is not a JSON object")
        for name in needed:
            if name not in value:
                raise Unreadable(f"{where} has no member {name}")
        for name in value:
            if name not in needed and name not in optional:
                raise Unreadable(
                    f"{where} has the member {shown(name)!r}, which this program does not know; "
                    "use the runcard-verify of the server's version"
                )
        self._value: dict[str, object] = value
        self.where = where

    def __contains__(self, name: str) -> bool:
        return name in self._value

    def value(self, name: str) -> object:
        return self._value[name]

    def text(self, name: str) -> str:
        value = self._value[name]
        if not isinstance(value, str):
            raise Unreadable(f"{self.where}: {name} is not a text")
        return value

    def spelled(self, name: str, pattern: re.Pattern[str], example: str) -> str:
        text = self.text(name)
        if not pattern.fullmatch(text):
            raise Unreadable(f"{self.where}: {name} {shown(text, 60)!r} is not spelled as {example}")
        return text

    def whole_number(self, name: str) -> int:
        value = self._value[name]
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise Unreadable(f"{self.where}: {name} is not a whole number of at least 0")
        return value

    def hash(self, name: str) -> bytes:
        return _hash(self._value[name], f"{self.where}: {name}")

    def hashes(self, name: str) -> list[bytes]:
        values = self._value[name]
        if not isinstance(values, list) or len(values) > _MOST_HASHES:
            raise Unreadable(f"{self.where}: {name} is not a list of at most {_MOST_HASHES} hashes")
        return [_hash(value, f"{self.where}: {name}[{at}]") for at, value in enumerate(values)]

    def bytes_of(self, name: str, length: int | None = None) -> bytes:
        """The bytes of a text in Base64. length: how many they must be; None: any number."""
        content = from_base64(self.text(name))
        if content is None or length not in {None, len(content)}:
            many = "" if length is None else f" of {length} bytes"
            raise Unreadable(f"{self.where}: {name} is not the Base64{many} that Runcard writes")
        return content


def from_base64(text: str) -> bytes | None:
    """The bytes of a text in Base64; None if there is another way to spell them, or none."""
    try:
        content = base64.b64decode(text.encode("ascii"), validate=True)
    except (UnicodeError, binascii.Error):
        return None
    return content if base64.b64encode(content).decode("ascii") == text else None


def _hash(value: object, where: str) -> bytes:
    if not isinstance(value, str) or not _HASH.fullmatch(value):
        raise Unreadable(f"{where} is not a hash of {2 * HASH_BYTES} hexadecimal digits in lower case")
    return bytes.fromhex(value)
