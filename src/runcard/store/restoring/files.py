"""The files that wait in the bin, whose bytes are kept as long as they do."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select

from runcard.store.bin.packing import unpack
from runcard.store.engine.scope import owned_by
from runcard.store.engine.tables import attachments, deleted_things
from runcard.store.files.attachments import Attachment
from runcard.store.trail.things import THING_OF

_PAGE = 200


def list_files_in_bin(connection: Connection, organization_id: UUID | None = None) -> Iterator[Attachment]:
    """The files in the bin, as they were when they were deleted. organization_id: None: of all organizations."""
    d = deleted_things.c
    query = select(d.id, d.content).where(d.noun == THING_OF[attachments.name].noun, d.content.is_not(None))
    if organization_id is not None:
        query = query.where(owned_by(organization_id, d))
    after: UUID | None = None
    while True:
        page = query if after is None else query.where(d.id > after)
        rows = connection.execute(page.order_by(d.id).limit(_PAGE)).all()
        for _, content in rows:
            _, row = unpack(content).own
            values: list[Any] = [row.get(name) for name in Attachment._fields]
            yield Attachment(*values)
        if len(rows) < _PAGE:
            return
        after = rows[-1].id
