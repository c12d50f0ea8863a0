"""The names of the records that figures are grouped by."""

from collections.abc import Collection, Mapping
from typing import Literal
from uuid import UUID

from sqlalchemy import ColumnElement, Table, select

from runcard.store.engine import tables as t
from runcard.store.engine.chunks import in_chunks
from runcard.store.engine.scope import Scope

NameKind = Literal["procedure", "version", "station", "operator", "part", "revision", "batch", "unit"]

_NAMES: Mapping[NameKind, tuple[Table, ColumnElement[str]]] = {
    "procedure": (t.procedures, t.procedures.c.name),
    "version": (t.procedure_versions, t.procedure_versions.c.tag),
    "station": (t.stations, t.stations.c.name),
    "operator": (t.users, t.users.c.name),
    "part": (t.parts, t.parts.c.number),
    "revision": (t.revisions, t.revisions.c.number),
    "batch": (t.batches, t.batches.c.number),
    "unit": (t.units, t.units.c.serial_number),
}


def names_of(scope: Scope, kind: NameKind, ids: Collection[UUID]) -> Mapping[UUID, str]:
    """The name, number or tag of each of these records that exists; of a revision, after its part's number."""
    table, name = _NAMES[kind]
    found: dict[UUID, str] = {}
    for some in in_chunks(ids):
        query = select(table.c.id, name).where(scope.owns(table.c), table.c.id.in_(some))
        if kind == "revision":
            query = query.add_columns(t.parts.c.number).join(t.parts, t.parts.c.id == table.c.part_id)
        for record_id, own, *part in scope.connection.execute(query):
            found[record_id] = " ".join([*part, own])
    return found
