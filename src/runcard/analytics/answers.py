"""What every answer says beside its figures: count, definition, period, exactness and freshness."""

import math
from datetime import datetime
from typing import Any, ClassVar

from msgspec import Struct

from runcard.analytics.arrow_tables import arrow_table
from runcard.analytics.attempts import Attempts


class Window(Struct, frozen=True):
    """The runs behind the figures: those that started in this period, both ends included; None: no bound.

    attempts: which runs of each unit on a procedure count: as the query says, else as is usual for the question.
    voided: how many runs of the selection, in any attempt, were voided; no figure counts them.
    """

    started_after: datetime | None
    started_before: datetime | None
    attempts: Attempts
    voided: int = 0


class Freshness(Struct, frozen=True):
    """How up to date the figures are.

    is_current: they include all that was recorded before the question. seen_change, seen_at: number and time of the
    last change that they include; 0 and None if they include none. changes_behind: changes that they do not include.
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

    # The field that `to_arrow` takes if none is named.
    table: ClassVar[str] = "rows"

    def to_arrow(self, of: str | None = None) -> Any:
        """The main list of the answer, or another field, as a pyarrow.Table; see `arrow_table`."""
        return arrow_table(self, of or self.table)

    def to_pandas(self, of: str | None = None) -> Any:
        """The same as a pandas.DataFrame. Raises ImportError if pandas is not installed."""
        table = self.to_arrow(of)
        try:
            return table.to_pandas()
        except ModuleNotFoundError as error:
            raise ImportError(
                "to_pandas needs pandas: install it (pip install pandas), or use to_arrow"
            ) from error


def finite(figure: float) -> float | None:
    """The figure; None if it is NaN or infinite."""
    return figure if math.isfinite(figure) else None
