"""Moves the documents of old runs out of the database into packs, while runs are recorded.

A pack is written and read back before the database hears of it, and one transaction takes its documents out of the
database. So a process that is killed in between leaves a pack that nothing needs. `runcard doctor --mend` removes it.
"""

import logging
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import UUID

from runcard.domain.actor import SystemActor
from runcard.intake.arrived_files import Stores
from runcard.store.documents.document_store import DocumentStore, pack_key
from runcard.store.documents.moving import (
    close_gaps,
    forget_packs,
    list_due,
    list_emptied,
    list_with_gaps,
    move_into,
    read_places_in,
    write_pack,
)
from runcard.store.engine.locks import Lock
from runcard.store.people.organizations import list_organizations
from runcard.upkeep.repeated_work import RepeatedWork

_log = logging.getLogger(__name__)

_EVERY_S = 3600.0
_REST_RATIO = 4.0
_LEAST_REST_S = 0.2
_MOST_REST_S = 2.0
# A backup copies the database first. A pack that nothing needs any more stays for that long, or the backup lacked it.
_GRACE = timedelta(days=1)


def move_documents(
    stores: Stores, documents: DocumentStore, organization_id: UUID, before: datetime
) -> Iterator[int]:
    """Move the documents of runs that were recorded before a moment, and yield how many each transaction moved.

    Raises StorageUnavailable, and then moves no more.
    """
    author = SystemActor(organization_id, "documents")
    after: UUID | None = None
    while True:
        with stores.database.read_in(organization_id) as scope:
            bodies = list_due(scope, before, after)
        if not bodies:
            return
        pack = write_pack(documents, organization_id, bodies)
        yield 0 if pack is None else stores.writer.write(author, partial(move_into, pack=pack))
        after = bodies[-1][0]


def tidy_packs(
    stores: Stores, documents: DocumentStore, organization_id: UUID, now: datetime
) -> Iterator[int]:
    """Write packs anew without the documents that nothing needs any more, and remove old packs; yield after each.

    Raises StorageUnavailable, and then does no more.
    """
    author = SystemActor(organization_id, "documents")
    with stores.database.read_in(organization_id) as scope:
        with_gaps, emptied = list_with_gaps(scope), list_emptied(scope, now - _GRACE)
    for pack_id in with_gaps:
        with stores.database.read_in(organization_id) as scope:
            places = read_places_in(scope, pack_id)
        bodies = documents.read(places)
        pack = write_pack(
            documents, organization_id, [(place.run_id, bodies[place.run_id]) for place in places]
        )
        stores.writer.write(author, partial(close_gaps, old_id=pack_id, pack=pack))
        yield len(places)
    for pack_id in emptied:
        documents.blobs.delete(pack_key(organization_id, pack_id))
        stores.writer.write(author, partial(forget_packs, pack_ids=[pack_id]))
        yield 0


class DocumentMover(RepeatedWork):
    """A thread that moves what is old every hour. If several servers share a database, only one of them moves."""

    def __init__(self, stores: Stores, documents: DocumentStore, age: timedelta | None) -> None:
        """age: from which on documents move; None: they stay where they are."""
        self._documents = documents
        self._age = age
        super().__init__(
            stores,
            name="runcard-documents",
            every_s=_EVERY_S,
            failing="moving the documents of old runs failed",
        )

    def _work(self) -> None:
        with self._stores.database.alone(Lock.DOCUMENTS) as is_alone:
            if not is_alone:
                return
            with self._stores.database.read() as connection:
                ids = [organization.id for organization in list_organizations(connection)]
            for organization_id in ids:
                self._tend(organization_id, datetime.now(UTC))

    def _tend(self, organization_id: UUID, now: datetime) -> None:
        moved = 0
        if self._age is not None:
            for count in self._rested(
                move_documents(self._stores, self._documents, organization_id, now - self._age)
            ):
                moved += count
        for _ in self._rested(tidy_packs(self._stores, self._documents, organization_id, now)):
            pass
        if moved:
            _log.info("organization %s: moved the documents of %d old runs", organization_id, moved)

    def _rested(self, steps: Iterator[int]) -> Iterator[int]:
        started = time.monotonic()
        for count in steps:
            yield count
            worked_s = time.monotonic() - started
            if self._closing.wait(min(max(_LEAST_REST_S, worked_s * _REST_RATIO), _MOST_REST_S)):
                return
            started = time.monotonic()
