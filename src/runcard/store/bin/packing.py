"""A deleted thing as bytes: its row, the rows that go along with it, and the places that named it.

The bytes are MessagePack in a Zstandard frame. A column that a later version adds is null in what was packed before.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
import zstandard
from sqlalchemy import Column, Table, select

from runcard.store.commit.documents import decompress_document
from runcard.store.engine import tables as t
from runcard.store.engine.chunks import in_chunks
from runcard.store.engine.column_types import Id
from runcard.store.engine.scope import Scope

Row = Mapping[str, Any]

_LEVEL = 3
_encoder = msgspec.msgpack.Encoder()
_compressor = zstandard.ZstdCompressor(level=_LEVEL)


class Link(NamedTuple):
    """A row that stays, and named the thing. key: its primary key. values: what its columns said."""

    table: Table
    key: Row
    values: Row


class Packed(NamedTuple):
    """rows: by table; the first is that of the thing itself. links: what to set again when it is restored."""

    rows: Sequence[tuple[Table, Row]]
    links: Sequence[Link]

    @property
    def own(self) -> tuple[Table, Row]:
        return self.rows[0]

    def rows_of(self, table: Table) -> Sequence[Row]:
        return [row for of, row in self.rows if of is table]


class _Along(NamedTuple):
    """rows: the columns by which rows refer to the thing that are deleted with it. links: those that are emptied."""

    rows: Sequence[Column[Any]] = ()
    links: Sequence[Column[Any]] = ()


_METADATA = t.metadata_entries.c.entity_id
_ALONG: Mapping[str, _Along] = {
    t.runs.name: _Along(
        rows=(t.run_documents.c.run_id, t.run_sub_units.c.run_id, t.imported_runs.c.run_id, _METADATA),
        links=(t.attachments.c.run_id,),
    ),
    t.units.name: _Along(
        rows=(
            t.unit_moves.c.unit_id,
            t.run_sub_units.c.unit_id,
            t.former_serial_numbers.c.unit_id,
            _METADATA,
        ),
        links=(t.run_sub_units.c.previous_parent_id, t.units.c.parent_id, t.attachments.c.unit_id),
    ),
    t.attachments.name: _Along(
        rows=(t.quarantined_files.c.attachment_id,),
        links=(
            t.stations.c.image_id,
            t.revisions.c.image_id,
            t.deployments.c.artifact_id,
            t.file_imports.c.attachment_id,
        ),
    ),
    t.procedures.name: _Along(
        rows=(
            t.station_procedures.c.procedure_id,
            t.procedure_merges.c.source_id,
            t.procedure_merges.c.target_id,
        ),
        links=(t.former_identifiers.c.procedure_id,),
    ),
    t.deployments.name: _Along(
        rows=(t.deployment_stations.c.deployment_id, t.deployment_logs.c.deployment_id)
    ),
    t.batches.name: _Along(links=(t.units.c.batch_id, t.runs.c.batch_id)),
}
# What of a unit has no place beside the same of the unit that it is merged into, or is part of its digest.
BESIDE_OTHERS: Sequence[Column[Any]] = (
    _METADATA,
    t.taggings.c.thing_id,
    t.thing_causes.c.thing_id,
    t.former_serial_numbers.c.unit_id,
)
# Columns that are emptied together with one that names a thing.
_WITH: Mapping[Column[Any], Sequence[Column[Any]]] = {t.attachments.c.run_id: (t.attachments.c.is_report,)}


def pack(scope: Scope, table: Table, own: Mapping[UUID, Row]) -> Mapping[UUID, bytes]:
    """These records, by id, each as bytes. own: their rows, which may be from before this write."""
    found: dict[UUID, bytes] = {}
    along = _ALONG.get(table.name, _Along())
    for some in in_chunks(own):
        rows: dict[UUID, list[tuple[str, Row]]] = {}
        for thing_id in some:
            columns: Row = {str(name): value for name, value in own[thing_id].items() if name in table.c}
            rows[thing_id] = [(str(table.name), columns)]
        for column in along.rows:
            for thing_id, row in find_rows(scope, column, some, [*column.table.c]):
                rows[thing_id].append((str(column.table.name), row))
        if table is t.procedures:
            _add_merged_records(scope, rows)
        links = _links(scope, along, some)
        found |= {thing_id: _packed(of_thing, links[thing_id]) for thing_id, of_thing in rows.items()}
    return found


def pack_merged(scope: Scope, row: Row, links: Sequence[Link]) -> bytes:
    """A unit that is merged into another, as bytes. row: its own. links: what is changed so that it names the other;
    a key is that after the merge, and the values are those before it.
    """
    own = {str(name): value for name, value in row.items() if name in t.units.c}
    rows: list[tuple[str, Row]] = [(str(t.units.name), own)]
    for column in BESIDE_OTHERS:
        beside = find_rows(scope, column, [row["id"]], [*column.table.c])
        rows += [(str(column.table.name), one) for _, one in beside]
    return _packed(rows, [(str(link.table.name), link.key, link.values) for link in links])


def unpack(content: bytes) -> Packed:
    """What `pack` packed."""
    plain = msgspec.msgpack.decode(zstandard.ZstdDecompressor().decompress(content))
    tables = t.metadata.tables
    return Packed(
        [(tables[name], _typed(tables[name], row)) for name, row in plain["rows"]],
        [
            Link(tables[name], _typed(tables[name], key), _typed(tables[name], values))
            for name, key, values in plain["links"]
        ],
    )


def document_of(packed: Packed) -> bytes | None:
    """The packed document of a run, as MessagePack; None for other things."""
    bodies = packed.rows_of(t.run_documents)
    return decompress_document(bodies[0]["body"]) if bodies else None


def _links(
    scope: Scope, along: _Along, ids: Collection[UUID]
) -> Mapping[UUID, Sequence[tuple[str, Row, Row]]]:
    """The links of each of these things, as they are packed."""
    found: dict[UUID, list[tuple[str, Row, Row]]] = defaultdict(list)
    for column in along.links:
        key, values = [*column.table.primary_key], [column, *_WITH.get(column, ())]
        for thing_id, row in find_rows(scope, column, ids, [*key, *values]):
            named = [{str(one.name): row[one.name] for one in some} for some in (key, values)]
            found[thing_id].append((str(column.table.name), named[0], named[1]))
    return found


def _add_merged_records(scope: Scope, rows: Mapping[UUID, list[tuple[str, Row]]]) -> None:
    """Add, to the rows of procedures, the records that their merges moved: these go along with the merges."""
    for of_procedure in rows.values():
        merges = [row["id"] for name, row in of_procedure if name == t.procedure_merges.name]
        for some in in_chunks(merges):
            records = t.merged_records
            moved = find_rows(scope, records.c.merge_id, some, [*records.c])
            of_procedure += [(str(records.name), row) for _, row in moved]


def find_rows(
    scope: Scope, column: Column[Any], ids: Collection[UUID], columns: Sequence[Column[Any]]
) -> Sequence[tuple[UUID, Row]]:
    """The rows that have one of these ids in a column: the id, and these columns by name."""
    query = select(*dict.fromkeys((column, *columns))).where(scope.owns(column.table.c), column.in_(ids))
    return [
        (row[column.name], {str(name): value for name, value in row.items()})
        for row in scope.connection.execute(query).mappings()
    ]


def _packed(rows: Sequence[tuple[str, Row]], links: Sequence[tuple[str, Row, Row]]) -> bytes:
    return _compressor.compress(_encoder.encode({"rows": rows, "links": links}))


def _typed(table: Table, row: Row) -> Row:
    """The row with its ids as UUIDs, which MessagePack keeps as texts. Columns that are no more are left out."""
    return {
        name: UUID(value) if isinstance(value, str) and isinstance(table.c[name].type, Id) else value
        for name, value in row.items()
        if name in table.c
    }
