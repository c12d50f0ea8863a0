"""Removing things from the bin for good. The tombstones stay: ids, digests, who deleted them, when and why."""

from uuid import UUID

from sqlalchemy import select, update

from runcard.store.bin.merged import with_merged
from runcard.store.bin.notes import forget_notes
from runcard.store.bin.packing import unpack
from runcard.store.commit.transaction import Transaction
from runcard.store.documents.moving import forget_moved
from runcard.store.engine.chunks import in_chunks
from runcard.store.engine.tables import attachments, deleted_things
from runcard.store.files.bytes_to_remove import note_removals
from runcard.store.restoring.contents import get_in_bin, list_with
from runcard.store.trail.things import THING_OF, read_things
from runcard.store.trail.watching import note_purged


def purge(tx: Transaction, head_id: UUID, why: str | None) -> int:
    """Remove a thing, with all that was deleted along with it, from the bin for good. Returns how many things went.

    Units that were merged into a unit go with it.

    The bytes of files are noted for removal, and what people noted on these things is deleted. Raises as `get_in_bin`
    does.
    """
    get_in_bin(tx.scope, head_id)
    thing_ids = with_merged(tx.scope, list_with(tx.scope, head_id))
    d = deleted_things.c
    for some in in_chunks(thing_ids):
        mine = (tx.owns(d), d.id.in_(some))
        files = select(d.content).where(*mine, d.noun == THING_OF[attachments.name].noun)
        for content in tx.connection.execute(files).scalars():
            _, row = unpack(content).own
            note_removals(tx, [row["blob_id"] or row["id"]])
        tx.connection.execute(update(deleted_things).where(*mine).values(content=None, purged_at=tx.now))
        for thing_id, tombstone in read_things(tx.scope, deleted_things, some).items():
            note_purged(tx, thing_id, tombstone, why)
        forget_notes(tx, some)
        forget_moved(tx, some)
    return len(thing_ids)
