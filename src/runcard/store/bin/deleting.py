"""How things are deleted: each leaves a tombstone, and most wait in the bin, from where they can be restored."""

import hashlib
from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Table

from runcard.store.bin.notes import forget_notes
from runcard.store.bin.packing import pack
from runcard.store.commit.transaction import Transaction
from runcard.store.engine import tables as t
from runcard.store.trail.things import THING_OF, KeptThing, kept_thing, read_things
from runcard.store.trail.watching import author_id, watch, watch_read


class Deletion(NamedTuple):
    """How things are deleted. head_id: the thing that somebody deleted, with which others go; None: each is deleted by
    itself. why: the reason that was given. is_kept: the content waits in the bin; False: it is gone for good.
    merged_into_id: the unit that a unit is merged into, for which its content waits outside of the bin.
    """

    head_id: UUID | None = None
    why: str | None = None
    is_kept: bool = True
    merged_into_id: UUID | None = None

    def together(self, ids: Iterable[UUID]) -> "Deletion":
        """The same for things that one call deletes: in the bin they go along with the first of them."""
        return self.of(next(iter(ids), None)) if self.is_kept else self

    def of(self, head_id: UUID | None) -> "Deletion":
        """The same for what goes along with a thing. What that thing itself goes along with stays the head."""
        return self if self.head_id is not None else self._replace(head_id=head_id)


class Remains(NamedTuple):
    """A thing just before its deletion. content: what goes into the bin."""

    table: Table
    thing: KeptThing
    content: bytes | None


def before_deleting(
    tx: Transaction, table: Table, ids: Collection[UUID], deletion: Deletion | None
) -> Mapping[UUID, Remains]:
    """Watch records that may be deleted, and return what they are. Call it before anything of them changes.

    deletion: None: they leave no tombstone, and nothing is returned.
    """
    if deletion is None:
        watch(tx, table, ids)
        return {}
    found = read_things(tx.scope, table, ids)
    watch_read(tx, table, found.values(), why=deletion.why)
    things = {thing_id: _as_it_was(tx, table, thing) for thing_id, thing in found.items()}
    own = {thing_id: thing.row for thing_id, thing in things.items()}
    contents = pack(tx.scope, table, own) if deletion.is_kept else {}
    return {thing_id: Remains(table, thing, contents.get(thing_id)) for thing_id, thing in things.items()}


def bury(tx: Transaction, remains: Iterable[Remains], deletion: Deletion | None) -> None:
    """Set a tombstone for each of these things, which the write has deleted. deletion: None: none is set.

    What people noted on a thing waits as the thing does, and goes with one that is gone for good.
    """
    if deletion is None:
        return
    buried = list(remains)
    for one in buried:
        tx.stage(t.deleted_things, _tombstone(tx, one, deletion))
        # What goes along stands in the change log before what it belonged to.
        thing_id = one.thing.row["id"]
        tx.watched[thing_id] = tx.watched.pop(thing_id)
    if not deletion.is_kept:
        forget_notes(tx, [one.thing.row["id"] for one in buried])


def _as_it_was(tx: Transaction, table: Table, thing: KeptThing) -> KeptThing:
    """The thing before this write, which may have changed it already. Runs are not changed before they are deleted."""
    row = tx.watched[thing.row["id"]].row
    return thing if not row or row == thing.row or table is t.runs else kept_thing(table, row)


def _tombstone(tx: Transaction, remains: Remains, deletion: Deletion) -> dict[str, Any]:
    table, (row, _), content = remains
    thing = THING_OF[table.name]
    is_run = table is t.runs
    return {
        "id": row["id"],
        "organization_id": tx.organization_id,
        "noun": thing.noun,
        "name": None if thing.named_by is None else row.get(thing.named_by),
        "head_id": deletion.head_id or row["id"],
        "digest": remains.thing.digest,
        "deleted_at": tx.now,
        "deleted_by_id": author_id(tx),
        "why": deletion.why,
        **{
            name: row[name] if is_run else None
            for name in ("unit_id", "procedure_id", "started_at", "outcome")
        },
        "merged_into_id": deletion.merged_into_id,
        "purged_at": None if deletion.is_kept else tx.now,
        "content_digest": None if content is None else hashlib.sha256(content).digest(),
        "content": content,
    }
