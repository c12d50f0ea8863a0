"""Which of the runs of a unit on a procedure a question counts."""

from collections.abc import Mapping
from typing import Literal

# Of the runs of a unit on a procedure, counted over all time by their start: only the first, only the last, or all.
Attempts = Literal["first", "last", "all"]

# What a row of `runs r` must keep.
CONDITIONS: Mapping[Attempts, str] = {
    "first": "r.attempt = 1",
    "last": "r.attempt = r.attempts",
    "all": "TRUE",
}
