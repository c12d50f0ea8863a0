"""Removing the bytes that no attachment needs any more, as transactions have noted them."""

import logging
from functools import partial
from uuid import UUID

from runcard.domain.errors import StorageUnavailable
from runcard.intake.arrived_files import Stores
from runcard.store.files.bytes_to_remove import forget_removals, list_removals

_log = logging.getLogger(__name__)

_PAGE = 500


def remove_noted(stores: Stores, organization_id: UUID) -> None:
    """Remove all bytes of an organization that are noted to be removed. Raises StorageUnavailable."""
    while _remove_page(stores, organization_id) == _PAGE:
        pass


def remove_soon(stores: Stores, organization_id: UUID) -> None:
    """Remove some hundreds of them now. What is left after that, or where the store does not answer, goes with the
    next sweep.
    """
    try:
        _remove_page(stores, organization_id)
    except StorageUnavailable:
        _log.warning("files that were deleted stay in their store until the next sweep", exc_info=True)


def _remove_page(stores: Stores, organization_id: UUID) -> int:
    """How many were removed."""
    with stores.database.read() as connection:
        removals = list_removals(connection, organization_id, _PAGE)
    for _, key in removals:
        stores.blobs.delete(key)
    if removals:
        gone = [blob_id for blob_id, _ in removals]
        stores.writer.write(organization_id, partial(forget_removals, ids=gone))
    return len(removals)
