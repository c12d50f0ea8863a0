"""Removal of the bytes that transactions have noted, because no attachment needs them any more."""

import logging
from functools import partial
from uuid import UUID

from runcard.domain.actor import SystemActor
from runcard.domain.errors import StorageUnavailable
from runcard.intake.arrived_files import Stores
from runcard.store.files.bytes_to_remove import forget_removals, list_removals

_log = logging.getLogger(__name__)

_PAGE = 500


def remove_noted(stores: Stores, organization_id: UUID) -> None:
    """Remove all bytes of an organization that are noted for removal. Raises StorageUnavailable."""
    while _remove_page(stores, organization_id) == _PAGE:
        pass


def remove_soon(stores: Stores, organization_id: UUID) -> None:
    """Remove the bytes of up to 500 files now. The next sweep removes the rest, or all if the store does not answer."""
    try:
        _remove_page(stores, organization_id)
    except StorageUnavailable:
        _log.warning(
            "the store does not answer: deleted files stay in it until the next sweep", exc_info=True
        )


def _remove_page(stores: Stores, organization_id: UUID) -> int:
    """Remove the bytes of at most `_PAGE` files. Returns how many files that were."""
    with stores.database.read() as connection:
        removals = list_removals(connection, organization_id, _PAGE)
    for _, key in removals:
        stores.blobs.delete(key)
    if removals:
        gone = [blob_id for blob_id, _ in removals]
        stores.writer.write(
            SystemActor(organization_id, "removal of bytes"), partial(forget_removals, ids=gone)
        )
    return len(removals)
