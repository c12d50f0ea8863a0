"""A sample of the runs of a selection, if all would be too many: those that started in some slices of its time.

A slice holds all its runs, so runs that follow each other in it do so in the whole record too.
"""

from typing import NamedTuple

from runcard.analytics.snapshot import Asking

# The number of slices that are taken: enough to meet all hours of a day and all days of a week.
_TAKEN = 100


class Slices(NamedTuple):
    """sql: the start of the slice of `runs r`, as a number. condition: SQL of whether the slice is taken."""

    sql: str
    condition: str


ALL_OF_TIME = Slices("0", "TRUE")


def one_of_each(asking: Asking, step: int) -> Slices:
    """Slices that hold about one run in `step`; all of time for a step of 1.

    A hash chooses the slices, because evenly spaced ones might all fall into the same shift of the day.
    """
    if step <= 1:
        return ALL_OF_TIME
    first, last = asking.one(
        f"SELECT epoch_us(min(started_at)), epoch_us(max(started_at)) FROM runs r WHERE {asking.runs.sql}"
    )
    width = max((last - first) // (_TAKEN * step), 1)
    number = f"(epoch_us(r.started_at) - epoch_us(r.started_at) % {width})"
    return Slices(number, f"hash({number}) % {step} = 0")
