"""What every answer says beside its figures: of how many, by which definition, of when, how exactly and how fresh."""

import math
from datetime import datetime
from typing import Any, ClassVar

from msgspec import Struct

from runcard.analytics.arrow_tables import arrow_table
from runcard.analytics.attempts import Attempts


class Window(Struct, frozen=True):
    """Of which runs the figures are: those that started in a period, both ends included; None: no bound.

    attempts: which of the runs of each unit on a procedure, as asked for, or as is usual for the question.
    """

    started_after: datetime | None
    started_before: datetime | None
    attempts: Attempts


class Freshness(Struct, frozen=True):
    """How much of the record the figures know.

    is_current: they know all that was recorded before the question was asked. seen_change, seen_at: the last change of
    the record that they know, and its moment; None where they know none. changes_behind: how many they do not know.
    """

    is_current: bool
    seen_change: int
    seen_at: datetime | None
    changes_behind: int


class Answer(Struct, frozen=True, kw_only=True):
    """n: how many things (runs, units, values: the definition says which) the figures are made from.

    is_exact: False where figures are approximate or of a sample; the definition says how.
    """

    n: int
    definition: str
    window: Window
    is_exact: bool
    freshness: Freshness

    # The list that is meant where none is named.
    table: ClassVar[str] = "rows"

    def to_arrow(self, of: str | None = None) -> Any:
        """What the answer lists, or what stands in another field of it, as a pyarrow.Table; see `arrow_table`."""
        return arrow_table(self, of or self.table)

    def to_pandas(self, of: str | None = None) -> Any:
        """The same as a pandas.DataFrame. Raises ImportError where pandas is not installed."""
        table = self.to_arrow(of)
        try:
            return table.to_pandas()
        except ModuleNotFoundError as error:
            raise ImportError("to_pandas needs pandas; pip install pandas, or use to_arrow") from error


def finite(figure: float) -> float | None:
    """A figure that can be told; None for NaN, and for what no double can hold."""
    return figure if math.isfinite(figure) else None
