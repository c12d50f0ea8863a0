"""Outcomes as people write them in tables."""

from collections.abc import Collection, Mapping
from typing import TypeVar

from runcard.importers.content.cells import Cell, text_of

Outcome = TypeVar("Outcome", bound=str)

# Other forms of the same words. What an ambiguous word (OK, 1, TRUE) means, only a mapping can say.
_FORMS = {"PASSED": "PASS", "FAILED": "FAIL", "SKIPPED": "SKIP"}


def outcome_of(
    cell: Cell, outcomes: Collection[Outcome], value_map: Mapping[str, Outcome] | None = None
) -> Outcome:
    """The outcome that a cell names, ignoring case: by `value_map`, else by the outcome's own name.

    value_map: None: the mapping has no place for it, so the message must not recommend it. Raises ValueError, whose
    message continues a sentence that begins with the value.
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
