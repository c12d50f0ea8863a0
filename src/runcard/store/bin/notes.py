"""What happens to notes when their things are gone for good."""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, delete, or_, select

from runcard.domain.ids import last_part_id, may_hold_parts
from runcard.store.commit.transaction import Transaction
from runcard.store.engine.tables import comments, taggings, thing_causes
from runcard.store.trail.watching import watch

# Ranges of ids in one statement.
_AT_ONCE = 200


def forget_notes(tx: Transaction, thing_ids: Collection[UUID]) -> None:
    """Delete the notes of things that are deleted for good, and of what lay inside runs among them.

    A comment leaves the entry of its deletion. Tags and causes leave none: the thing that had them is gone.
    """
    ids = list(thing_ids)
    for start in range(0, len(ids), _AT_ONCE):
        some = ids[start : start + _AT_ONCE]
        for table in (taggings, thing_causes):
            g = table.c
            tx.connection.execute(delete(table).where(tx.owns(g), _of(g.thing_id, some)))
        c = comments.c
        gone = select(c.id).where(tx.owns(c), _of(c.thing_id, some))
        comment_ids = tx.connection.execute(gone).scalars().all()
        watch(tx, comments, comment_ids)
        tx.connection.execute(delete(comments).where(tx.owns(c), _of(c.thing_id, some)))


def _of(thing_id: ColumnElement[Any], ids: Sequence[UUID]) -> ColumnElement[bool]:
    """The condition that an id is one of these, or lies inside one of them if it is that of a run."""
    inside = [thing_id.between(one, last_part_id(one)) for one in ids if may_hold_parts(one)]
    return or_(thing_id.in_(ids), *inside)
