"""Noting the same on many things at once: tags, causes and comments."""

from collections.abc import Collection, Sequence
from typing import Literal, NamedTuple, TypeGuard, get_args
from uuid import UUID

from runcard.domain.actor import Actor
from runcard.domain.notes.comment import MAX_LENGTH
from runcard.ingest.note import comment_on_all, give_cause, tag
from runcard.store.commit.transaction import Transaction
from runcard.store.engine.scope import Scope
from runcard.store.lists.choices import list_cause_choices, list_tag_choices
from runcard.web.frame.forms import Fields
from runcard.web.lists.filters import Choice
from runcard.web.notes.section import INDENT

Noting = Literal["tag", "untag", "cause", "comment"]


class NoteForms(NamedTuple):
    """What can be noted: tags and causes to choose from. most: how many characters a comment may have."""

    tags: Sequence[str]
    causes: Sequence[Choice]
    most: int


def note_forms(scope: Scope) -> NoteForms:
    """What can be noted on many things at once."""
    return NoteForms(
        list_tag_choices(scope),
        [
            Choice(one.code, f"{INDENT * one.depth}{one.name}", is_chosen=False)
            for one in list_cause_choices(scope)
        ],
        MAX_LENGTH,
    )


def is_noting(deed: str) -> TypeGuard[Noting]:
    """Whether a form notes something."""
    return deed in get_args(Noting)


def note_at_once(
    tx: Transaction, actor: Actor, deed: Noting, thing_ids: Collection[UUID], fields: Fields
) -> int:
    """Note on all of these things what a form says, and return how many changed. Raises as `ingest.note` does."""
    name = fields.get("tag", "")
    match deed:
        case "tag":
            return len(tag(tx, actor, thing_ids, add=[name]))
        case "untag":
            return len(tag(tx, actor, thing_ids, remove=[name]))
        case "cause":
            return len(give_cause(tx, actor, thing_ids, fields.get("cause") or None))
        case "comment":
            return len(comment_on_all(tx, actor, thing_ids, fields.get("text", "")))
