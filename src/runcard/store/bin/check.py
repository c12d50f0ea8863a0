"""Whether what lies in the bin is what was deleted."""

import hashlib
from collections.abc import Iterator, Sequence
from uuid import UUID

from sqlalchemy import select

from runcard.store.bin.packing import Packed, document_of, unpack
from runcard.store.engine import tables as t
from runcard.store.engine.scope import Scope
from runcard.store.metadata import value_of
from runcard.store.trail.check import UNREADABLE, CheckedPage, Misfit
from runcard.store.trail.things import FORMERLY, THING_OF, digest_of, formerly_of, read_moved_digests

_PAGE = 200


def check_bin(scope: Scope) -> Iterator[CheckedPage]:
    """Compare the content of everything in the bin with the digests on its tombstone, some at a time."""
    d = t.deleted_things.c
    after: UUID | None = None
    while True:
        # Content stays until its tombstone says that it was removed.
        query = select(d.id, d.noun, d.digest, d.content_digest, d.content).where(
            scope.owns(d), d.purged_at.is_(None)
        )
        if after is not None:
            query = query.where(d.id > after)
        page = scope.connection.execute(query.order_by(d.id).limit(_PAGE)).all()
        if not page:
            return
        moved = read_moved_digests(scope, [row.id for row in page])
        yield CheckedPage(len(page), [misfit for row in page for misfit in _misfits(*row, moved.get(row.id))])
        after = page[-1].id


def _misfits(
    thing_id: UUID,
    noun: str,
    digest: bytes,
    content_digest: bytes,
    content: bytes | None,
    moved: bytes | None,
) -> Sequence[Misfit]:
    """What is wrong with a thing in the bin. moved: the digest of its document, if that has left the database."""
    called = f"{noun} in the bin"
    if content is None:
        return [Misfit(called, thing_id, "its content is gone, and nothing says that it was removed")]
    try:
        found = digest_of_packed(unpack(content), moved)
    except (*UNREADABLE, KeyError, IndexError, AttributeError) as error:
        return [Misfit(called, thing_id, f"it cannot be read: {error}")]
    is_whole = found == digest and hashlib.sha256(content).digest() == content_digest
    return [] if is_whole else [Misfit(called, thing_id, "it is not what was deleted")]


def digest_of_packed(packed: Packed, moved: bytes | None = None) -> bytes:
    """The digest that the audit trail would have of a packed thing.

    moved: the digest of the document of a run that was deleted after its document had left the database.
    """
    table, row = packed.own
    metadata = None
    if THING_OF[table.name].has_metadata:
        entries = packed.rows_of(t.metadata_entries)
        metadata = {one["key"]: value_of(one["text"], one["number"], one["boolean"]) for one in entries}
    if former := packed.rows_of(t.former_serial_numbers):
        row = {**row, FORMERLY: formerly_of(former)}
    document = document_of(packed)
    inside = moved if document is None else hashlib.sha256(document).digest()
    return digest_of(table, row, metadata=metadata, document=inside)
