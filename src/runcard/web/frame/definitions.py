"""What the figures of an answer count, in words."""

from collections.abc import Mapping

from runcard.analytics.answers import Answer
from runcard.analytics.attempts import Attempts

WHICH_RUNS: Mapping[Attempts, str] = {
    "all": "All runs of each unit",
    "first": "First run of each unit",
    "first_completed": "First completed run of each unit",
    "last": "Last run of each unit",
}


def definition_of(answer: Answer) -> str:
    """Which runs of a unit count, followed by the answer's own definition."""
    return f"Counted: {WHICH_RUNS[answer.window.attempts].lower()} on its procedure. {answer.definition}"
