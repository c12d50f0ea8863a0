"""Batches: units that were made together, across parts."""

from uuid import UUID

from runcard.domain.ids import new_id
from runcard.domain.text import lookup_key
from runcard.store.creator import Creator
from runcard.store.tables import batches
from runcard.store.transaction import Transaction


def stage_batch(tx: Transaction, organization_id: UUID, number: str, creator: Creator) -> UUID:
    """Id of a new batch."""
    batch_id = new_id()
    tx.stage(
        batches,
        {
            "id": batch_id,
            "organization_id": organization_id,
            "number": number,
            "number_key": lookup_key(number),
            "created_at": tx.now,
            **creator.columns,
        },
    )
    tx.note_change(organization_id, "batch_created", batch_id)
    tx.catalog.remember("batch", organization_id, number, batch_id)
    return batch_id
