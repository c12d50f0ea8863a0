"""Chooses the run that a run is compared with."""

from typing import Literal, NamedTuple

from runcard.store.engine.scope import Scope
from runcard.store.runs.neighbours import (
    LOOKED_THROUGH,
    Neighbour,
    find_pass_of_part,
    find_pass_of_unit,
    find_run_before,
)
from runcard.store.runs.records import RunRecord
from runcard.web.frame.formats import count_text

_Kind = Literal["pass of the unit", "pass of the part", "run before"]
_TEXTS: dict[_Kind, str] = {
    "pass of the unit": "the last pass of this unit",
    "pass of the part": "the last pass of another unit of this part",
    "run before": "the run of this unit before it",
}


class ComparedWith(NamedTuple):
    """text: which run it is, in words."""

    run: Neighbour
    text: str


def compared_with(scope: Scope, run: RunRecord) -> ComparedWith | None:
    """Return the earlier run of the same procedure that a run is compared with; None if there is none.

    A run that passed is compared with the run of its unit before it. Any other run is compared with the last run that
    its unit passed, or else with the last run that any unit of its part passed.
    """
    if run.outcome == "PASS":
        return _of_kind("run before", find_run_before(scope, run))
    return _of_kind("pass of the unit", find_pass_of_unit(scope, run)) or _of_kind(
        "pass of the part", find_pass_of_part(scope, run)
    )


def nothing_text(run: RunRecord) -> str:
    """Return why there is nothing to compare a run with."""
    if run.outcome == "PASS":
        return "This is the first run of this unit on this procedure, so there is nothing to compare it with."
    return (
        "This unit did not pass this procedure before, and no unit of this part did so in the "
        f"{count_text(LOOKED_THROUGH)} runs before this one."
    )


def _of_kind(kind: _Kind, run: Neighbour | None) -> ComparedWith | None:
    return None if run is None else ComparedWith(run, _TEXTS[kind])
