"""Outcomes as people write them in tables."""

from collections.abc import Collection, Mapping
from typing import TypeVar

from runcard.importers.content.cells import Cell, text_of

Outcome = TypeVar("Outcome", bound=str)

# Other forms of the same word. Whatever may mean either (OK, 1, TRUE) is for the mapping to say.
_FORMS = {"PASSED": "PASS", "FAILED": "FAIL", "SKIPPED": "SKIP"}


def outcome_of(
    cell: Cell, outcomes: Collection[Outcome], value_map: Mapping[str, Outcome] | None = None
) -> Outcome:
    """The outcome that a cell names, in any case: as `value_map` says, else by its own name.

    value_map: None: the mapping has no place for one. Raises ValueError, in words that go on from the value.
    """
    text = text_of(cell)
    if value_map:
        folded = {key.strip().casefold(): outcome for key, outcome in value_map.items()}
        known = value_map.get(text) or folded.get(text.casefold())
        if known is not None:
            return known
    word = _FORMS.get(text.upper(), text.upper())
    for outcome in outcomes:
        if outcome == word:
            return outcome
    mend = "write one of them" if value_map is None else "write one of them, or map it in valueMap"
    raise ValueError(f"is none of {', '.join(outcomes)}; {mend}")
