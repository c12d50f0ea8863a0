"""The numbers of parts and revisions, by which runs are ordered, for whoever knows only ids."""

from collections.abc import Collection, Sequence
from typing import Literal
from uuid import UUID

from sqlalchemy import Connection, select

from runcard.store.engine import tables as t
from runcard.store.engine.chunks import in_chunks

Numbered = Literal["part", "revision"]
_TABLES = {"part": t.parts, "revision": t.revisions}


def read_number_keys(
    connection: Connection, organization_id: UUID, kind: Numbered, ids: Collection[UUID]
) -> Sequence[tuple[UUID, str]]:
    """The id and the number, without case, of each of these that is there."""
    columns = _TABLES[kind].c
    found: list[tuple[UUID, str]] = []
    for some in in_chunks(ids):
        query = select(columns.id, columns.number_key).where(
            columns.organization_id == organization_id, columns.id.in_(some)
        )
        found += [(one, number_key) for one, number_key in connection.execute(query)]
    return found
