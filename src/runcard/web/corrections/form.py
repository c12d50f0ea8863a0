"""The form of a correction: each field with what it says now, and what the report said."""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from runcard.domain.text import shortened
from runcard.web.frame.forms import Fields
from runcard.web.lists.filters import Choice

# Before the name of a field: what it said when the form was shown.
_WAS = "was."
_MOST = 120


class CorrectionField(NamedTuple):
    """value: what is filled in. was: what it says now. reported: what the report said, if that is something else.

    choices: empty for a text.
    """

    name: str
    label: str
    value: str
    was: str
    reported: str | None = None
    choices: Sequence[Choice] = ()
    type: str = "text"
    is_required: bool = True


def changed_in(fields: Fields, names: Collection[str]) -> Mapping[str, str]:
    """The fields with these names that a person changed since the form was shown."""
    given = {name: fields[name].strip() for name in names if name in fields}
    return {name: value for name, value in given.items() if value != fields.get(f"{_WAS}{name}", "").strip()}


def filled_in(shown: Sequence[CorrectionField], fields: Fields) -> Sequence[CorrectionField]:
    """The fields as a person filled them in, to show the form again."""
    return [
        one._replace(
            value=shortened(fields.get(one.name, one.value), _MOST * 3),
            choices=[
                choice._replace(is_chosen=choice.value == fields.get(one.name)) for choice in one.choices
            ],
        )
        for one in shown
    ]
