"""Remarks of an importer on a file: what it left out, and what it may have read in another sense than was meant.

An importer yields remarks among its reports, at the place in question. The sender of the file gets them as warnings.
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
        """Return the remarks added since the last call. is_last: no more will come, so the uncounted rest is named."""
        waiting, self._waiting = self._waiting, []
        if is_last and self._count > MOST_REMARKS:
            waiting.append(f"and {self._count - MOST_REMARKS} more such warnings")
        return waiting
