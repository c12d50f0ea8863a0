"""The numbers of parts and revisions, by which runs are sorted, for callers that know only ids."""

from collections.abc import Collection, Sequence
from typing import Literal
from uuid import UUID

from sqlalchemy import select

from runcard.store.engine import tables as t
from runcard.store.engine.chunks import in_chunks
from runcard.store.engine.scope import Scope

Numbered = Literal["part", "revision"]
_TABLES = {"part": t.parts, "revision": t.revisions}


def read_number_keys(scope: Scope, kind: Numbered, ids: Collection[UUID]) -> Sequence[tuple[UUID, str]]:
    """The id and the number, without case, of each of these records that exists."""
    c = _TABLES[kind].c
    found: list[tuple[UUID, str]] = []
    for some in in_chunks(ids):
        query = select(c.id, c.number_key).where(scope.owns(c), c.id.in_(some))
        found += [(record_id, number_key) for record_id, number_key in scope.connection.execute(query)]
    return found
