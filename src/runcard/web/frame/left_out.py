"""What an answer leaves out, in words."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from runcard.analytics.left_out import LeftOut, Reason
from runcard.web.frame.formats import count_text

# The words for one value, and for several.
_WORDS: Mapping[Reason, tuple[str, str]] = {
    "not_finite": ("is infinite or not a number", "are infinite or not a number"),
    "boolean": ("is true or false", "are true or false"),
    "text": ("is a text", "are texts"),
    "series": ("is a series", "are series"),
    "json": ("is JSON", "are JSON"),
    "no_value": ("was not measured", "were not measured"),
    "repeated": (
        "is of a phase that was repeated in its run",
        "are of phases that were repeated in their run",
    ),
    "other_phase": ("is of another phase", "are of other phases"),
    "other_unit": ("is in another unit of measure", "are in other units of measure"),
    "no_limit": ("has no limit", "have no limit"),
    "no_verdict": ("neither passed nor failed", "neither passed nor failed"),
    "no_partner": ("has no partner in its run or unit", "have no partner in their run or unit"),
}


class _OfOne(Protocol):
    """An answer about one set of numbers."""

    @property
    def left_out(self) -> Sequence[LeftOut]: ...
    @property
    def phase(self) -> str | None: ...
    @property
    def sequence_path(self) -> str | None: ...
    @property
    def uom(self) -> str | None: ...


def lines_of_one(answer: _OfOne) -> Sequence[str]:
    """The lines of `left_out_lines`. If there are several phases or units of measure, the first line says which."""
    lines = left_out_lines(answer.left_out)
    if not {"other_phase", "other_unit"} & {one.reason for one in answer.left_out}:
        return lines
    place = " / ".join(filter(None, (answer.sequence_path, answer.phase)))
    unit = f"in {answer.uom}" if answer.uom else "without a unit of measure"
    return [f"These figures are of {place}, {unit}: the latest. The filter above chooses another.", *lines]


def left_out_lines(left_out: Sequence[LeftOut]) -> Sequence[str]:
    """A sentence for each reason: 3 values are infinite or not a number and are not in these figures."""
    return [_line(one) for one in left_out]


def _line(left_out: LeftOut) -> str:
    alone, several = _WORDS[left_out.reason]
    if left_out.count == 1:
        return f"1 value {alone} and is not in these figures."
    return f"{count_text(left_out.count)} values {several} and are not in these figures."
