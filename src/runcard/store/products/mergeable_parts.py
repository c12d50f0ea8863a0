"""What follows a merge of parts: units and runs, each with the revision of the same number."""

from collections.abc import Collection, Mapping
from uuid import UUID

from sqlalchemy import select

from runcard.store.commit.transaction import Transaction
from runcard.store.creator import Creator
from runcard.store.engine import tables as t
from runcard.store.engine.chunks import in_chunks
from runcard.store.merging.mergeable import Follower, Mergeable
from runcard.store.products.staged import stage_revision_like


def same_revisions(
    tx: Transaction, revision_ids: Collection[UUID], part_id: UUID, creator: Creator
) -> Mapping[UUID, UUID]:
    """For each of these revisions, the revision of the part with the same number. Missing revisions are added."""
    r = t.revisions.c
    found: dict[UUID, UUID] = {}
    for some in in_chunks(revision_ids):
        query = select(r.id, r.number).where(tx.owns(r), r.id.in_(some))
        numbers = {row[0]: row[1] for row in tx.connection.execute(query)}
        for revision_id in some:
            number = numbers[revision_id]
            there = tx.catalog.revision(part_id, number)
            found[revision_id] = there or stage_revision_like(tx, part_id, revision_id, number, creator)
    return found


PARTS = Mergeable(
    "part",
    t.parts,
    t.part_merges,
    t.merged_of_parts,
    followers=[
        Follower("unit", t.units.c.part_id, t.units.c.revision_id, kind="unit_followed"),
        Follower("run", t.runs.c.part_id, t.runs.c.revision_id, always=t.ANY_OUTCOME),
    ],
    same=same_revisions,
    remembered=True,
)
