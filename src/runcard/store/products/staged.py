"""New parts, revisions and batches. A run that names one for the first time creates it."""

from uuid import UUID

from sqlalchemy import select, update

from runcard.domain.ids import new_id
from runcard.domain.text import lookup_key
from runcard.store.commit.transaction import Transaction
from runcard.store.creator import Creator
from runcard.store.engine.tables import batches, parts, revisions
from runcard.store.metadata import read_metadata, stage_metadata
from runcard.store.trail.watching import stage_record

DEFAULT_REVISION = "A"


def stage_part(
    tx: Transaction,
    number: str,
    creator: Creator,
    *,
    name: str | None = None,
    revision: str = DEFAULT_REVISION,
) -> UUID:
    """Add a part with its default revision, and return its id. name: None: its number, until somebody names it."""
    part_id = new_id()
    row = {
        "id": part_id,
        "organization_id": tx.organization_id,
        "number": number,
        "number_key": lookup_key(number),
        "name": name or number,
        "created_at": tx.now,
        **creator.columns,
    }
    stage_record(tx, parts, row, creator)
    tx.catalog.remember("part", tx.organization_id, number, part_id)
    default_id = _stage(tx, part_id, revision, creator, is_default=True)
    tx.catalog.remember_default_revision(part_id, default_id)
    return part_id


def stage_revision(tx: Transaction, part_id: UUID, number: str, creator: Creator) -> UUID:
    """Add a revision to a part, and return its id."""
    return _stage(tx, part_id, number, creator, is_default=False)


def stage_revision_like(
    tx: Transaction, part_id: UUID, revision_id: UUID, number: str, creator: Creator
) -> UUID:
    """Add a revision to a part with the picture and the metadata of another revision, and return its id."""
    r = revisions.c
    image_id = tx.connection.execute(select(r.image_id).where(tx.owns(r), r.id == revision_id)).scalar_one()
    own_id = stage_revision(tx, part_id, number, creator)
    tx.insert_staged()
    if image_id is not None:
        tx.connection.execute(update(revisions).where(tx.owns(r), r.id == own_id).values(image_id=image_id))
    stage_metadata(tx, own_id, read_metadata(tx.scope, [revision_id]).get(revision_id, {}))
    return own_id


def stage_batch(tx: Transaction, number: str, creator: Creator) -> UUID:
    """Add a batch, and return its id."""
    batch_id = new_id()
    row = {
        "id": batch_id,
        "organization_id": tx.organization_id,
        "number": number,
        "number_key": lookup_key(number),
        "created_at": tx.now,
        **creator.columns,
    }
    stage_record(tx, batches, row, creator)
    tx.catalog.remember("batch", tx.organization_id, number, batch_id)
    return batch_id


def _stage(tx: Transaction, part_id: UUID, number: str, creator: Creator, *, is_default: bool) -> UUID:
    revision_id = new_id()
    row = {
        "id": revision_id,
        "organization_id": tx.organization_id,
        "part_id": part_id,
        "number": number,
        "number_key": lookup_key(number),
        "is_default": is_default,
        "created_at": tx.now,
        **creator.columns,
    }
    stage_record(tx, revisions, row, creator)
    tx.catalog.remember("revision", part_id, number, revision_id)
    return revision_id
