"""Correcting many runs or units at once: a field that is left empty stays as it is."""

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

from runcard.domain.floor.reason import MAX_REASON
from runcard.store.engine.scope import Scope
from runcard.store.people.users import list_users
from runcard.store.procedures.rows import list_procedures
from runcard.web.frame.forms import Fields
from runcard.web.lists.filters import Choice

CORRECT = "correct"

# Before the name of a field: the box that says that there is none.
_NONE = "none."


class CorrectForm(NamedTuple):
    """What is offered in the form that corrects many things. procedures: empty for units."""

    procedures: Sequence[Choice] = ()
    operators: Sequence[str] = ()
    most_reason: int = MAX_REASON


def correct_runs_form(scope: Scope) -> CorrectForm:
    """The form that corrects many runs."""
    return CorrectForm(
        [
            Choice(str(one.id), f"{one.name} ({one.identifier})", is_chosen=False)
            for one in list_procedures(scope, in_use=True)
        ],
        [user.email for user in list_users(scope)],
    )


def given_in(fields: Fields, names: Collection[str]) -> dict[str, Any]:
    """The fields with these names that a form fills in. None: its box says that there is none."""
    given: dict[str, Any] = {name: value for name in names if (value := fields.get(name, "").strip())}
    return {**given, **{name: None for name in names if f"{_NONE}{name}" in fields}}
