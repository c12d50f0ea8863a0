"""Part of the runs of a selection, where all would be too many: those that started in some slices of its time.

Within a slice all runs are there, so what follows each other does so in the whole record as well.
"""

from typing import NamedTuple

from runcard.analytics.snapshot import Asking

# So many slices are looked at: enough to meet what the hours of a day and the days of a week are like.
_LOOKED_AT = 100


class Slices(NamedTuple):
    """sql: the number of the slice that `runs r` is in. condition: that it is one of those that are looked at."""

    sql: str
    condition: str


ALL_OF_TIME = Slices("0", "TRUE")


def one_of_each(asking: Asking, step: int) -> Slices:
    """Slices that hold about one of `step` runs; all of time for a step of 1.

    A hash chooses them, or their distance might be that of the shifts of a day.
    """
    if step <= 1:
        return ALL_OF_TIME
    first, last = asking.one(
        f"SELECT epoch_us(min(started_at)), epoch_us(max(started_at)) FROM runs r WHERE {asking.runs.sql}"
    )
    width = max((last - first) // (_LOOKED_AT * step), 1)
    number = f"(epoch_us(r.started_at) // {width})"
    return Slices(number, f"hash({number}) % {step} = 0")
