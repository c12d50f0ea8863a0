"""Which of the runs of a unit on a procedure a question counts."""

from collections.abc import Mapping
from typing import Literal

# Of the runs of a unit on a procedure, counted over all time by their start: only the first, the first that ended PASS
# or FAIL, only the last, or all.
Attempts = Literal["first", "first_completed", "last", "all"]
# What a yield can be of.
First = Literal["first", "first_completed"]

# What a row of `runs r` must keep.
CONDITIONS: Mapping[Attempts, str] = {
    "first": "r.attempt = 1",
    "first_completed": "r.completed = 1",
    "last": "r.attempt = r.attempts",
    "all": "TRUE",
}


def first_of(attempts: Attempts | None) -> First:
    """Of which first runs a yield is, where these attempts are asked for."""
    return "first_completed" if attempts == "first_completed" else "first"
