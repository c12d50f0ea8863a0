"""Changes of the metadata of records, with their entries in the audit trail."""

from typing import Literal
from uuid import UUID

from runcard.domain.metadata import MetadataChange, check_metadata, merged
from runcard.store.commit.transaction import Transaction
from runcard.store.engine import tables as t
from runcard.store.metadata import read_metadata, replace_metadata
from runcard.store.trail.watching import watch

MetadataOwner = Literal["part", "revision", "run", "station", "unit"]
_TABLES = {
    "part": t.parts,
    "revision": t.revisions,
    "run": t.runs,
    "station": t.stations,
    "unit": t.units,
}


def change_metadata(
    tx: Transaction,
    owner: MetadataOwner,
    entity_id: UUID,
    field: str,
    change: MetadataChange,
    *,
    by_report: bool = False,
) -> None:
    """Merge a change into the metadata of a record; None as a value removes its key. See `domain.metadata`.

    owner: the kind of record. field: the name of the metadata in the input, for errors. Raises InvalidInput.
    """
    check_metadata(field, change)
    if not change:
        return
    before = read_metadata(tx.scope, [entity_id]).get(entity_id, {})
    after = merged(field, before, change)
    if after == before:
        return
    watch(tx, _TABLES[owner], [entity_id], by_report=by_report)
    replace_metadata(tx, entity_id, change.keys(), after)
