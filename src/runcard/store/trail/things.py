"""The things whose changes are kept in the audit trail, and the digest that says what a thing is.

The digest of a record is SHA-256 of its canonical JSON (RFC 8785): every column that is not null, and the metadata.
Null columns are left out, so that a column that a later version adds changes no digest.
"""

import hashlib
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from msgspec import Raw
from sqlalchemy import ColumnElement, Table, select

from runcard.domain.evidence.entry import canonical_json
from runcard.domain.instant import format_instant
from runcard.domain.metadata import Metadata, MetadataValue
from runcard.store.commit.documents import decompress_document
from runcard.store.engine import tables as t
from runcard.store.engine.chunks import in_chunks
from runcard.store.engine.column_types import Instant
from runcard.store.engine.scope import Scope
from runcard.store.metadata import read_metadata

Row = Mapping[str, Any]

# Before the key of a value of the metadata, among the columns of a record.
_METADATA = "metadata."
# The noun of what is left of a deleted thing. Its id is that of the thing.
TOMBSTONE = "tombstone"
# The serial numbers that a unit had before, among its columns.
FORMERLY = "formerly"
# The names of columns are ASCII, so the order of RFC 8785 is that of their bytes.
_ENCODER = msgspec.json.Encoder(order="sorted")


class Thing(NamedTuple):
    """How the rows of a table stand in the trail.

    named_by: the column that people know a row by; None: it has no name. secret: columns whose values are never
    shown. hidden: columns that say nothing new to people. has_metadata: rows have metadata. unproven: columns that are
    no part of the digest.
    """

    table: Table
    noun: str
    named_by: str | None
    secret: frozenset[str] = frozenset()
    hidden: frozenset[str] = frozenset()
    has_metadata: bool = False
    unproven: frozenset[str] = frozenset()


def _keys(*names: str) -> frozenset[str]:
    return frozenset(names)


# The entry of a void itself says when, by whom and why, and that of a correction what was reported.
_RUN_HIDDEN = _keys(
    "report_digest", "voided_at", "void_reason", "voided_by_id", "as_reported", "clock_started_at"
)
_THINGS = (
    Thing(t.organizations, "organization", "name", hidden=_keys("slug")),
    Thing(t.users, "user", "email", secret=_keys("password_hash"), hidden=_keys("email_key")),
    Thing(t.teams, "team", "name", hidden=_keys("name_key")),
    Thing(t.stations, "station", "name", hidden=_keys("name_key"), has_metadata=True),
    Thing(t.api_keys, "key", "prefix", secret=_keys("digest")),
    Thing(t.procedures, "procedure", "name", hidden=_keys("identifier_key")),
    Thing(t.procedure_versions, "version", "tag", hidden=_keys("tag_key")),
    Thing(t.parts, "part", "number", hidden=_keys("number_key"), has_metadata=True),
    Thing(t.revisions, "revision", "number", hidden=_keys("number_key"), has_metadata=True),
    Thing(t.batches, "batch", "number", hidden=_keys("number_key")),
    Thing(t.units, "unit", "serial_number", hidden=_keys("serial_key"), has_metadata=True),
    Thing(t.runs, "run", "serial_number", hidden=_RUN_HIDDEN, has_metadata=True),
    Thing(t.repairs, "repair", None, hidden=_keys("body")),
    Thing(t.attachments, "attachment", "name", hidden=_keys("blob_id")),
    Thing(t.deployments, "deployment", None),
    Thing(t.import_templates, "import_template", "name", hidden=_keys("name_key")),
    Thing(t.tags, "tag", "name", hidden=_keys("name_key")),
    Thing(t.causes, "cause", "code", hidden=_keys("code_key")),
    Thing(t.comments, "comment", "about", hidden=_keys("about", "thing_id", "mentions")),
    # The digest of the record that was deleted proves the content, and the content may go.
    Thing(t.deleted_things, TOMBSTONE, "name", unproven=_keys("content")),
)
THING_OF = {thing.table.name: thing for thing in _THINGS}
THING_BY_NOUN = {thing.noun: thing for thing in _THINGS}
# The longest first, so that the noun of "import_template_created" is not "import".
_NOUNS = sorted(THING_BY_NOUN, key=len, reverse=True)


def noun_of(kind: str) -> str:
    """The noun of a kind of change: "unit" of "unit_moved", "import_template" of "import_template_created"."""
    return next((noun for noun in _NOUNS if kind.startswith(f"{noun}_")), kind.partition("_")[0])


def digest_of(
    table: Table, row: Row, *, metadata: Metadata | None = None, document: bytes | None = None
) -> bytes:
    """SHA-256 of the text of a record; see `text_of`."""
    return hashlib.sha256(text_of(table, row, metadata=metadata, document=document)).digest()


def text_of(
    table: Table, row: Row, *, metadata: Metadata | None = None, document: bytes | None = None
) -> bytes:
    """What is hashed of a record: canonical JSON. row: its columns; those that are missing or None are left out.

    metadata: of the record. document: SHA-256 of the packed document of a run.
    """
    unproven = THING_OF[table.name].unproven
    # A Struct of msgspec would take twice as long to fill.
    shown = {name: value for name, value in row.items() if value is not None}
    for name in unproven:
        shown.pop(name, None)
    if metadata:
        kept = {key: _as_kept(value) for key, value in metadata.items()}
        shown["metadata"] = Raw(canonical_json(kept))
    if document is not None:
        shown["document"] = document.hex()
    for name in _instants(table):
        moment: datetime | None = shown.get(name)
        if moment is not None and moment.tzinfo is not UTC:
            shown[name] = moment.astimezone(UTC)
    return _ENCODER.encode(shown)


class KeptThing(NamedTuple):
    """A record as it is now. row: as in `read_rows`. text: what is hashed of it."""

    row: Row
    text: bytes

    @property
    def digest(self) -> bytes:
        return hashlib.sha256(self.text).digest()


def next_ids(scope: Scope, table: Table, after: UUID | None, at_most: int) -> Sequence[UUID]:
    """The ids of the next records of a table, in order, after the one with the id `after`; None: from the first."""
    query = select(table.c.id).where(is_owned(scope, table))
    if after is not None:
        query = query.where(table.c.id > after)
    return scope.connection.execute(query.order_by(table.c.id).limit(at_most)).scalars().all()


class ProvenRun(NamedTuple):
    """header: canonical JSON, which has the digest of the document. document: as MessagePack."""

    header: bytes
    document: bytes


def is_owned(scope: Scope, table: Table) -> ColumnElement[bool]:
    """The condition that a row belongs to the organization, or is the organization itself."""
    return table.c.id == scope.organization_id if table is t.organizations else scope.owns(table.c)


def read_rows(scope: Scope, table: Table, ids: Collection[UUID]) -> Mapping[UUID, Row]:
    """Those of these records that exist, by id.

    A row has all columns, each value of the metadata, the links of a station, the files of a comment, and the serial
    numbers that a unit had before.
    """
    found: dict[UUID, dict[str, Any]] = {}
    for some in in_chunks(ids):
        proven = [column for column in table.c if column.name not in THING_OF[table.name].unproven]
        query = select(*proven).where(is_owned(scope, table), table.c.id.in_(some))
        found |= {row["id"]: dict(row) for row in scope.connection.execute(query).mappings()}
        if THING_OF[table.name].has_metadata:
            for thing_id, metadata in read_metadata(scope, found.keys() & set(some)).items():
                found[thing_id] |= {f"{_METADATA}{key}": value for key, value in metadata.items()}
        if table is t.stations:
            for station_id, procedure_ids in _links(scope, some).items():
                found[station_id]["procedures"] = procedure_ids
        if table is t.units:
            for unit_id, rows in _former_rows(scope, some).items():
                found[unit_id][FORMERLY] = formerly_of(rows)
        if table is t.comments:
            for comment_id, file_ids in _files(scope, some).items():
                found[comment_id]["files"] = file_ids
    return found


def read_things(scope: Scope, table: Table, ids: Collection[UUID]) -> Mapping[UUID, KeptThing]:
    """Those of these records that exist, by id, each with its digest."""
    rows = read_rows(scope, table, ids)
    documents = _document_digests(scope, rows) if table is t.runs else {}
    return {thing_id: kept_thing(table, row, documents.get(thing_id)) for thing_id, row in rows.items()}


def kept_thing(table: Table, row: Row, document: bytes | None = None) -> KeptThing:
    """A record with this row, as `read_rows` returns it. document: SHA-256 of the packed document of a run."""
    columns = {name: value for name, value in row.items() if not name.startswith(_METADATA)}
    metadata = {
        name.removeprefix(_METADATA): value for name, value in row.items() if name.startswith(_METADATA)
    }
    return KeptThing(row, text_of(table, columns, metadata=metadata, document=document))


def _links(scope: Scope, station_ids: Collection[UUID]) -> Mapping[UUID, list[UUID]]:
    """The procedures that each of these stations is linked to, in the order of their ids."""
    link = t.station_procedures.c
    query = select(link.station_id, link.procedure_id).where(
        scope.owns(link), link.station_id.in_(station_ids)
    )
    found: dict[UUID, list[UUID]] = defaultdict(list)
    for station_id, procedure_id in scope.connection.execute(query.order_by(link.procedure_id)):
        found[station_id].append(procedure_id)
    return found


def _former_rows(scope: Scope, unit_ids: Collection[UUID]) -> Mapping[UUID, list[Row]]:
    """The rows of the serial numbers that each of these units had before."""
    f = t.former_serial_numbers.c
    query = select(*f).where(scope.owns(f), f.unit_id.in_(unit_ids))
    found: dict[UUID, list[Row]] = defaultdict(list)
    for row in scope.connection.execute(query).mappings():
        found[row["unit_id"]].append({**row})
    return found


def formerly_of(rows: Sequence[Row]) -> list[dict[str, str]]:
    """The serial numbers that a unit had before, as they stand in its digest: in the order of their keys."""
    told = [
        {
            "given_up_at": format_instant(row["given_up_at"]),
            "key": row["serial_key"],
            "name": row["serial_number"],
        }
        for row in rows
    ]
    return sorted(told, key=lambda one: one["key"])


def _files(scope: Scope, comment_ids: Collection[UUID]) -> Mapping[UUID, list[UUID]]:
    """The files of each of these comments, in the order of their ids."""
    f = t.comment_files.c
    query = select(f.comment_id, f.attachment_id).where(scope.owns(f), f.comment_id.in_(comment_ids))
    found: dict[UUID, list[UUID]] = defaultdict(list)
    for comment_id, attachment_id in scope.connection.execute(query.order_by(f.attachment_id)):
        found[comment_id].append(attachment_id)
    return found


def _document_digests(scope: Scope, run_ids: Collection[UUID]) -> Mapping[UUID, bytes]:
    d = t.run_documents.c
    found: dict[UUID, bytes] = {}
    for some in in_chunks(run_ids):
        query = select(d.run_id, d.body).where(scope.owns(d), d.run_id.in_(some))
        for run_id, body in scope.connection.execute(query):
            found[run_id] = hashlib.sha256(decompress_document(body)).digest()
    return found | read_moved_digests(scope, [run_id for run_id in run_ids if run_id not in found])


def read_moved_digests(scope: Scope, run_ids: Collection[UUID]) -> dict[UUID, bytes]:
    """SHA-256 of the packed document of those of these runs whose document has left the database, as noted then."""
    m = t.moved_documents.c
    found: dict[UUID, bytes] = {}
    for some in in_chunks(run_ids):
        query = select(m.run_id, m.digest).where(scope.owns(m), m.run_id.in_(some))
        found |= {row.run_id: row.digest for row in scope.connection.execute(query)}
    return found


def _as_kept(value: MetadataValue) -> MetadataValue:
    """A value as the database keeps it: every number is a float."""
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


@lru_cache(maxsize=64)
def _instants(table: Table) -> Sequence[str]:
    return [column.name for column in table.columns if isinstance(column.type, Instant)]
