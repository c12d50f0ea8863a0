"""A copy of all rows of one organization from one installation to another, whatever database each has.

Ids stay as they are. Sessions and invitations are left out, because they belong to one address. The change log comes
along in its order, so the audit trail stays whole and the columnar copy takes the organization in like any other. Only
its numbers are given anew, because each installation counts its own changes.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    Connection,
    Float,
    Integer,
    LargeBinary,
    Table,
    func,
    or_,
    select,
    update,
)

from runcard.domain.errors import AlreadyExists, UnreadableReport
from runcard.store.commit.transaction import Transaction
from runcard.store.engine import tables as t
from runcard.store.engine.bulk import insert_rows
from runcard.store.engine.column_types import Id, Instant
from runcard.store.engine.database import Database
from runcard.store.engine.scope import Scope
from runcard.store.trail.tree import renumber_tiles
from runcard.store.trail.watching import note_event

# Unscoped: `_mine` is the condition on the organization of each table.

ROWS_AT_ONCE = 500

_LEFT_OUT = {
    t.sessions,
    t.log_in_attempts,
    t.invitations,
    t.setup_links,
    t.catalog_version,
    t.file_removals,
}
# In an order in which each row comes after the rows that it refers to.
COPIED = [table for table in t.metadata.sorted_tables if table not in _LEFT_OUT]
_KINDS: Sequence[tuple[type[Any], Any]] = [
    (Id, UUID),
    (Instant, datetime),
    (LargeBinary, bytes),
    (Boolean, bool),
    (Float, float),
    (Integer, int),
]


def read_rows(database: Database, organization_id: UUID) -> Iterator[tuple[str, int, bytes]]:
    """The rows of each table in COPIED, some at a time: the table's name, how many rows, and the rows as MessagePack.

    All rows are of one state of the record.
    """
    with database.read() as connection:
        connection.execution_options(yield_per=ROWS_AT_ONCE)
        for table in COPIED:
            query = select(table).where(_mine(table, organization_id)).order_by(*table.primary_key)
            with connection.execute(query) as found:
                for rows in found.partitions():
                    yield table.name, len(rows), msgspec.msgpack.encode([tuple(row) for row in rows])


def count_rows(scope: Scope) -> dict[str, int]:
    """How many rows of each table in COPIED belong to the organization."""
    return {
        table.name: scope.connection.execute(
            select(func.count()).select_from(table).where(_mine(table, scope.organization_id))
        ).scalar_one()
        for table in COPIED
    }


def add_organization(tx: Transaction, pieces: Iterable[tuple[str, bytes]]) -> None:
    """Add an organization from the rows that `read_rows` returned.

    Raises UnreadableReport for rows that cannot be read or belong to another organization, and AlreadyExists if the
    organization, its slug or the e-mail of a member is there already.
    """
    parents: list[tuple[UUID, UUID]] = []
    for name, packed in pieces:
        table = t.metadata.tables[name]
        rows = _unpacked(table, packed)
        if any(row.get("organization_id", row.get("id")) != tx.organization_id for row in rows):
            raise UnreadableReport(f"The rows of {name} are of another organization. Export it again.")
        _check_free(tx.connection, table, rows)
        for row in rows if table is t.units else ():
            # A unit may come before the unit that it is part of, so the parents are set at the end.
            if row["parent_id"] is not None:
                parents.append((row["id"], row["parent_id"]))
                row["parent_id"] = None
        if table is t.changes:
            tx.append_changes(
                [{column: value for column, value in row.items() if column != "seq"} for row in rows]
            )
        else:
            insert_rows(tx.connection, table, rows)
    for unit_id, parent_id in parents:
        u = t.units.c
        tx.connection.execute(update(t.units).where(u.id == unit_id).values(parent_id=parent_id))
    renumber_tiles(tx)
    note_event(tx, "organization_added", tx.organization_id)


def _mine(table: Table, organization_id: UUID) -> ColumnElement[bool]:
    owner = table.c.id if table is t.organizations else table.c.organization_id
    return owner == organization_id


def _unpacked(table: Table, packed: bytes) -> list[dict[str, Any]]:
    kinds: Any = tuple[tuple(_kind_of(column) for column in table.columns)]  # type: ignore[misc]  # a type made as the program runs
    try:
        rows: list[tuple[Any, ...]] = msgspec.msgpack.decode(packed, type=list[kinds])
    except msgspec.DecodeError as error:
        raise UnreadableReport(f"The rows of {table.name} cannot be read: {error}. Export again.") from error
    return [dict(zip(table.columns.keys(), row, strict=True)) for row in rows]


def _kind_of(column: Column[Any]) -> Any:
    kind = next((kind for sql, kind in _KINDS if isinstance(column.type, sql)), str)
    return kind | None


def _check_free(connection: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    """Check that no organization or member among these rows exists already. Raises AlreadyExists."""
    if table is t.organizations:
        for row in rows:
            taken = select(table.c.id).where(or_(table.c.id == row["id"], table.c.slug == row["slug"]))
            if connection.execute(taken).first():
                raise AlreadyExists("Organization", row["slug"])
    if table is t.users:
        keys = [row["email_key"] for row in rows]
        taken_email = connection.execute(
            select(table.c.email).where(table.c.email_key.in_(keys)).limit(1)
        ).scalar_one_or_none()
        if taken_email is not None:
            raise AlreadyExists("User", taken_email)
