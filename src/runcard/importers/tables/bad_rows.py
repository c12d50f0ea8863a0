"""Rows of tables that cannot be read: such a row either refuses the file, or is left out with a remark.

A row that contradicts others, such as by a second serial number, is never left out: nobody knows which row is wrong.
"""

from runcard.domain.errors import InvalidInput
from runcard.importers.report.remarks import MOST_REMARKS, Remark

# Stands for a remark that is only counted.
_MORE = Remark("")


class BadRows:
    """skips: bad rows are left out and do not refuse the file."""

    def __init__(self, *, skips: bool = False) -> None:
        self.skips = skips
        self._first: InvalidInput | None = None
        self.remarks: list[Remark] = []

    def meet(self, error: InvalidInput) -> None:
        """Note the error of a row that is left out. Raises the error where rows are not left out."""
        if not self.skips:
            raise error
        self._first = self._first or error
        text = "; ".join(issue.message for issue in error.issues)
        self.remarks.append(Remark(f"Left out: {text}") if len(self.remarks) < MOST_REMARKS else _MORE)

    def check_some_are_left(self, count: int) -> None:
        """Check that rows are left. Raises the error of the first bad row where none is. count: the rows left."""
        if count == 0 and self._first is not None:
            raise self._first
