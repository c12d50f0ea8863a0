"""Moving documents out of the database into packs, and removing packs that nothing needs any more."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Connection, Table, delete, select, update

from runcard.domain.ids import first_id_at, new_id
from runcard.store.commit.transaction import Transaction
from runcard.store.documents.document_store import DocumentStore, Place, digest_of_body, pack_key
from runcard.store.documents.reading import PLACE_COLUMNS
from runcard.store.engine import tables as t
from runcard.store.engine.chunks import in_chunks
from runcard.store.engine.scope import Scope, owned_by

# How many documents a pack has at most. A pack is complete as soon as it is larger than `_PACK_BYTES`.
PACK_DOCUMENTS = 500
_PACK_BYTES = 4 << 20

Body = tuple[UUID, bytes]


class Pack(NamedTuple):
    """A pack that is written but that the database does not know yet. places: of its documents."""

    id: UUID
    size_bytes: int
    places: Sequence[Place]


def list_due(scope: Scope, before: datetime, after: UUID | None = None) -> Sequence[Body]:
    """The documents in the database of the oldest runs that were recorded before a moment; as many as fit in a pack.

    after: the run after which the search begins.
    """
    d = t.run_documents.c
    query = select(d.run_id, d.body).where(scope.owns(d), d.run_id < first_id_at(before))
    if after is not None:
        query = query.where(d.run_id > after)
    query = query.order_by(d.run_id).limit(PACK_DOCUMENTS).execution_options(yield_per=50)
    with scope.connection.execute(query) as rows:
        return _as_many_as_fit((row.run_id, row.body) for row in rows)


def write_pack(store: DocumentStore, organization_id: UUID, bodies: Sequence[Body]) -> Pack | None:
    """Write these documents into a pack, and read it back; None if there is nothing to write.

    Damaged documents are left out. Raises StorageUnavailable.
    """
    pack_id = new_id()
    places: list[Place] = []
    content = bytearray()
    for run_id, body in bodies:
        digest = digest_of_body(body)
        if digest is not None:
            places.append(Place(run_id, organization_id, pack_id, len(content), len(body), digest))
            content += body
    if not places:
        return None
    store.write(pack_key(organization_id, pack_id), bytes(content))
    return Pack(pack_id, len(content), places)


def move_into(tx: Transaction, pack: Pack) -> int:
    """Take the documents of a pack out of the database, except those that were deleted meanwhile. Return how many."""
    d = t.run_documents.c
    taken: set[UUID] = set()
    for some in in_chunks([place.run_id for place in pack.places]):
        mine = (tx.owns(d), d.run_id.in_(some))
        taken |= {*tx.connection.execute(delete(t.run_documents).where(*mine).returning(d.run_id)).scalars()}
    # A run that was deleted while its document moved took the document into the bin, from where it came back.
    forget_moved(tx, taken)
    _stage_pack(tx, pack, taken)
    return len(taken)


def close_gaps(tx: Transaction, old_id: UUID, pack: Pack | None) -> None:
    """Let the documents of an old pack lie in another one from now on, except those that were deleted meanwhile.

    pack: None: nothing needs any document of the old one.
    """
    m, p = t.moved_documents.c, t.document_packs.c
    if pack is not None:
        mine = (tx.owns(m), m.pack_id == old_id)
        taken = tx.connection.execute(delete(t.moved_documents).where(*mine).returning(m.run_id)).scalars()
        _stage_pack(tx, pack, set(taken))
    old = (tx.owns(p), p.id == old_id)
    tx.connection.execute(update(t.document_packs).where(*old).values(has_gaps=False, emptied_at=tx.now))


def forget_moved(tx: Transaction, run_ids: Collection[UUID]) -> None:
    """Note that nothing needs the documents of these runs any more, if they have left the database."""
    m, p = t.moved_documents.c, t.document_packs.c
    packs: set[UUID] = set()
    for some in in_chunks(run_ids):
        mine = (tx.owns(m), m.run_id.in_(some))
        gone = tx.connection.execute(delete(t.moved_documents).where(*mine).returning(m.pack_id))
        packs |= {*gone.scalars()}
    for some in in_chunks(packs):
        with_gaps = (tx.owns(p), p.id.in_(some))
        tx.connection.execute(update(t.document_packs).where(*with_gaps).values(has_gaps=True))


def list_with_gaps(scope: Scope) -> Sequence[UUID]:
    """The packs that have documents which nothing needs any more."""
    p = t.document_packs.c
    query = select(p.id).where(scope.owns(p), p.has_gaps, p.emptied_at.is_(None)).order_by(p.id)
    return scope.connection.execute(query).scalars().all()


def read_places_in(scope: Scope, pack_id: UUID) -> Sequence[Place]:
    """The places of all documents in a pack that something needs, in the order of the pack."""
    m = t.moved_documents.c
    query = select(*PLACE_COLUMNS).where(scope.owns(m), m.pack_id == pack_id).order_by(m.start)
    return [Place(*row) for row in scope.connection.execute(query)]


def list_emptied(scope: Scope, before: datetime) -> Sequence[UUID]:
    """The packs of which nothing has been needed since before this moment."""
    p = t.document_packs.c
    query = select(p.id).where(scope.owns(p), p.emptied_at < before).order_by(p.id)
    return scope.connection.execute(query).scalars().all()


def forget_packs(tx: Transaction, pack_ids: Collection[UUID]) -> None:
    """Note that these packs are removed."""
    p = t.document_packs.c
    for some in in_chunks(pack_ids):
        tx.connection.execute(delete(t.document_packs).where(tx.owns(p), p.id.in_(some)))


# Unscoped: a check and a backup want the packs of all organizations.
def list_packs(connection: Connection, organization_id: UUID | None = None) -> Sequence[tuple[str, int]]:
    """The key and the size in bytes of every pack that something needs. organization_id: None: of all organizations."""
    p = t.document_packs.c
    query = select(p.organization_id, p.id, p.size_bytes).where(p.emptied_at.is_(None)).order_by(p.id)
    if organization_id is not None:
        query = query.where(owned_by(organization_id, p))
    return [(pack_key(owner, pack_id), size) for owner, pack_id, size in connection.execute(query)]


def list_emptied_keys(connection: Connection) -> Sequence[str]:
    """The keys of all packs that wait for their removal."""
    p = t.document_packs.c
    query = select(p.organization_id, p.id).where(p.emptied_at.is_not(None))
    return [pack_key(*row) for row in connection.execute(query)]


def _stage_pack(tx: Transaction, pack: Pack, taken: Collection[UUID]) -> None:
    """Add a pack to the database with those of its documents that were taken from where they lay before."""
    _stage(
        tx,
        t.document_packs,
        {
            "id": pack.id,
            "size_bytes": pack.size_bytes,
            "has_gaps": len(taken) < len(pack.places),
            "emptied_at": None if taken else tx.now,
        },
    )
    for place in pack.places:
        if place.run_id in taken:
            _stage(tx, t.moved_documents, place._asdict())


def _stage(tx: Transaction, table: Table, row: dict[str, object]) -> None:
    tx.stage(table, {**row, "organization_id": tx.organization_id})


def _as_many_as_fit(bodies: Iterable[Body]) -> Sequence[Body]:
    taken: list[Body] = []
    size_bytes = 0
    for run_id, body in bodies:
        taken.append((run_id, body))
        size_bytes += len(body)
        if size_bytes > _PACK_BYTES:
            break
    return taken
