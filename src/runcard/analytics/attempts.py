"""Which runs of a unit on a procedure a question counts."""

from collections.abc import Mapping
from typing import Literal

# Of the runs of a unit on a procedure over all time, in order of their start: only the first, the first that ended
# PASS or FAIL, only the last, or all.
Attempts = Literal["first", "first_completed", "last", "all"]
# The attempts that a yield can count.
First = Literal["first", "first_completed"]

# The condition on a row of `runs r`.
CONDITIONS: Mapping[Attempts, str] = {
    "first": "r.attempt = 1",
    "first_completed": "r.completed = 1",
    "last": "r.attempt = r.attempts",
    "all": "TRUE",
}


def first_of(attempts: Attempts | None) -> First:
    """The first runs that a yield counts for these attempts."""
    return "first_completed" if attempts == "first_completed" else "first"
