"""Rows of tables that cannot be read by themselves: one refuses the file, or is left out and remarked on.

What contradicts other rows, such as a second serial number, is not left out: nobody can say which of them is wrong.
"""

from runcard.domain.errors import InvalidInput
from runcard.importers.report.remarks import MOST_REMARKS, Remark

# Stands for those that nobody is told but their number.
_MORE = Remark("")


class BadRows:
    """skips: they are left out."""

    def __init__(self, *, skips: bool = False) -> None:
        self.skips = skips
        self._first: InvalidInput | None = None
        self.remarks: list[Remark] = []

    def meet(self, error: InvalidInput) -> None:
        """Take in what is wrong with a row. Raises it where none is to be left out."""
        if not self.skips:
            raise error
        self._first = self._first or error
        text = "; ".join(issue.message for issue in error.issues)
        self.remarks.append(Remark(f"Left out: {text}") if len(self.remarks) < MOST_REMARKS else _MORE)

    def check_some_are_left(self, count: int) -> None:
        """Raises what is wrong with the first row where all have been left out. count: of the others."""
        if count == 0 and self._first is not None:
            raise self._first
