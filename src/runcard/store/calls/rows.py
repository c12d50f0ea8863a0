"""What was called over the APIs: kept for a while beside the record, and no part of it.

The calls have a SQLite file of their own, or a table in the same PostgreSQL database, and are written by a connection
of their own. The last second of them may be lost.
"""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    TextClause,
    bindparam,
    delete,
    func,
    select,
    text,
)

from runcard.store.engine.column_types import Id, microseconds_of
from runcard.store.engine.database import Database
from runcard.store.engine.locks import Lock, hold

# Unscoped: calls of all organizations are kept, and pruned, together.

# About 1 GB, whatever the number of days.
MOST_CALLS = 5_000_000
_PRUNED_AT_ONCE = 20_000


class Caller(NamedTuple):
    """Whose key a call came with, and what program it said it was. owner_id: a station or a user."""

    organization_id: UUID
    key_prefix: str
    owner_id: UUID | None
    client: str
    client_version: str
    user_agent: str


class Route(NamedTuple):
    """path: a template; None: none of ours."""

    method: str
    path: str | None
    is_deprecated: bool = False


class Call(NamedTuple):
    """at_us: when it began, in microseconds since 1970. path: None where the route says it.

    query, body, answer: only of failed calls, with secrets blanked; None where there is none or it is not kept.
    """

    at_us: int
    duration_us: int
    status: int
    route: Route
    path: str | None
    query: str | None = None
    body: str | None = None
    answer: str | None = None


# Of its own: it has no migrations, for nothing in it is worth one. Another shape takes another name.
_metadata = MetaData()

# Few, and named by a number, so that calls can be grouped by it fast.
api_routes = Table(
    "api_routes",
    _metadata,
    Column("id", BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=False),
    Column("method", Text, nullable=False),
    Column("path", Text),
    Column("is_deprecated", Boolean(), nullable=False),
)

api_calls = Table(
    "api_calls",
    _metadata,
    Column("id", BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=True),
    Column("organization_id", Id, nullable=False),
    Column("key_prefix", Text, nullable=False),
    Column("owner_id", Id),
    Column("client", Text, nullable=False),
    Column("client_version", Text, nullable=False),
    Column("user_agent", Text, nullable=False),
    Column("at_us", BigInteger, nullable=False),
    Column("duration_us", BigInteger, nullable=False),
    Column("status", Integer, nullable=False),
    Column("route_id", BigInteger, nullable=False),
    Column("path", Text),
    Column("query", Text),
    Column("body", Text),
    Column("answer", Text),
    # With all that figures are made of, so that they need no look at the rows.
    Index("ix_api_calls_figures", "organization_id", "at_us", "status", "duration_us", "route_id"),
)


def create_api_calls(database: Database) -> None:
    """The table, where it is not there yet."""
    with database.writing_connection() as connection, connection.begin():
        hold(connection, Lock.CALL_TABLES)
        _metadata.create_all(connection)


def insert_calls(database: Database, calls: Mapping[Caller, Sequence[Call]]) -> None:
    """Add calls in one transaction.

    The calls of a caller are one statement and one JSON text, which the database takes apart: Python spends a tenth of
    what it would on rows, while it has better things to do.
    """
    statement = _ON_POSTGRESQL if database.is_postgresql else _ON_SQLITE
    routes = {call.route for made in calls.values() for call in made}
    with database.writing_connection() as connection, connection.begin():
        connection.execute(
            _ADD_ROUTE, [{"id": _id_of(route), **route._asdict()} for route in sorted(routes, key=_id_of)]
        )
        for caller, made in calls.items():
            rows = [(at, took, status, _id_of(route), *rest) for at, took, status, route, *rest in made]
            connection.execute(statement, {**caller._asdict(), "calls": msgspec.json.encode(rows).decode()})


def prune_calls(database: Database, before: datetime, most: int = MOST_CALLS) -> int:
    """Remove the calls that began earlier, and the oldest beyond `most`; how many were removed."""
    c = api_calls.c
    oldest = select(c.id).order_by(c.id).limit(_PRUNED_AT_ONCE).subquery()
    pruned = 0
    while True:
        with database.writing_connection() as connection, connection.begin():
            newest = connection.execute(select(func.max(c.id))).scalar() or 0
            is_old = (c.at_us < microseconds_of(before)) | (c.id <= newest - most)
            removed = connection.execute(
                delete(api_calls).where(c.id <= select(func.max(oldest.c.id)).scalar_subquery(), is_old)
            ).rowcount
        pruned += removed
        # In short transactions, oldest first: where not all of a stretch was old, nothing behind it is.
        if removed < _PRUNED_AT_ONCE:
            return pruned


@lru_cache(maxsize=4096)
def _id_of(route: Route) -> int:
    """The same in every process, so that nobody has to look it up: 63 bits of what the route is."""
    digest = hashlib.sha256(msgspec.json.encode(route)).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def _insertion(source: str, shared: str, own: str) -> TextClause:
    """shared: how the value of a caller's column is written, by its name. own: that of a call's, by its place too."""
    own_columns = ("at_us", "duration_us", "status", "route_id", *Call._fields[4:])
    columns = ", ".join([*Caller._fields, *own_columns])
    values = [shared.format(name=name, kind=_KINDS.get(name, "text")) for name in Caller._fields]
    values += [own.format(at=at, kind=_KINDS.get(name, "text")) for at, name in enumerate(own_columns)]
    insertion = f"INSERT INTO api_calls ({columns}) SELECT {', '.join(values)} FROM {source}"  # noqa: S608 (our own names)
    ids = [bindparam(name, type_=Id) for name in ("organization_id", "owner_id")]
    return text(insertion).bindparams(*ids)


# Of the columns that are no texts, what PostgreSQL calls them.
_KINDS = {
    "organization_id": "uuid",
    "owner_id": "uuid",
    "at_us": "bigint",
    "duration_us": "bigint",
    "status": "integer",
    "route_id": "bigint",
}
_ADD_ROUTE = text(
    "INSERT INTO api_routes (id, method, path, is_deprecated) VALUES (:id, :method, :path, :is_deprecated) "
    "ON CONFLICT DO NOTHING"
)
_ON_SQLITE = _insertion("json_each(:calls)", ":{name}", "json_extract(value, '$[{at}]')")
_ON_POSTGRESQL = _insertion(
    "jsonb_array_elements(CAST(:calls AS jsonb)) AS one(value)",
    "CAST(:{name} AS {kind})",
    "CAST(value ->> {at} AS {kind})",
)
