"""What an importer says of a file beside its reports: what it left out, and what may be meant otherwise than read.

An importer tells remarks among its reports, where it comes upon them. Whoever brings the file hears them as warnings.
"""

from collections.abc import Sequence
from typing import NamedTuple

from runcard.domain.text import shortened

MOST_REMARKS = 100
_MOST_LENGTH = 500


class Remark(NamedTuple):
    text: str


class Remarks:
    """The remarks on one file: the first 100, and how many came after them."""

    def __init__(self) -> None:
        self._waiting: list[str] = []
        self._count = 0

    def add(self, remark: Remark) -> None:
        self._count += 1
        if self._count <= MOST_REMARKS:
            self._waiting.append(shortened(remark.text, _MOST_LENGTH))

    def taken(self, *, is_last: bool) -> Sequence[str]:
        """Return what was added since this was asked last. is_last: no more are added, so the rest is counted."""
        waiting, self._waiting = self._waiting, []
        if is_last and self._count > MOST_REMARKS:
            waiting.append(f"and {self._count - MOST_REMARKS} more such warnings")
        return waiting
