"""The calls of the APIs. They are kept for a while beside the record, and are no part of it.

They lie in a SQLite file of their own, or in tables of the same PostgreSQL database, and are written over a connection
of their own. The calls of the last second may be lost.
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
    inspect,
    select,
    text,
)

from runcard.store.engine.column_types import Id, microseconds_of
from runcard.store.engine.database import Database
from runcard.store.engine.locks import Lock, hold

# Unscoped: the calls of all organizations are kept and pruned together.

# About 1 GB, over however many days.
MOST_CALLS = 5_000_000
_PRUNED_AT_ONCE = 20_000


class Caller(NamedTuple):
    """The key that a call came with, and the program that it named as its client. owner_id: a station or a user."""

    organization_id: UUID
    key_prefix: str
    owner_id: UUID | None
    client: str
    client_version: str
    user_agent: str


class Route(NamedTuple):
    """path: a template, such as "/api/v2/runs/{id}"; None: a path that Runcard does not serve."""

    method: str
    path: str | None
    is_deprecated: bool = False


class Call(NamedTuple):
    """at_us: when the call began, in microseconds since 1970. path: None if it is the path of the route. request_id: of
    the request, as its answer told it; None: an older Runcard noted it.

    query, body, answer: only of failed calls, with secrets blanked; None if there was none or it is not kept.
    """

    at_us: int
    duration_us: int
    status: int
    route: Route
    path: str | None
    query: str | None = None
    body: str | None = None
    answer: str | None = None
    request_id: str | None = None


# Its own metadata, without migrations: the calls are not worth one. A table of another shape gets another name; only
# `create_api_calls` adds a column.
_metadata = MetaData()

# There are few routes. Each has a number, so that calls can be grouped by it fast.
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
    Column("request_id", Text),
    # With every column that figures need, so that they are read from the index alone.
    Index("ix_api_calls_figures", "organization_id", "at_us", "status", "duration_us", "route_id"),
)


def create_api_calls(database: Database) -> None:
    """Create the tables that are missing, and the columns that tables of an older Runcard lack."""
    with database.writing_connection() as connection, connection.begin():
        hold(connection, Lock.CALL_TABLES)
        _metadata.create_all(connection)
        if "request_id" not in {column["name"] for column in inspect(connection).get_columns("api_calls")}:
            connection.execute(text("ALTER TABLE api_calls ADD COLUMN request_id TEXT"))


def insert_calls(database: Database, calls: Mapping[Caller, Sequence[Call]]) -> None:
    """Add calls in one transaction.

    The calls of a caller are one statement with one JSON text, which the database takes apart. That takes Python a
    tenth of the time that rows would.
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
    """Remove the calls that began before `before`, and the oldest beyond `most`. Returns how many were removed."""
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
        # In short transactions, oldest first. If some calls of a batch were not old, none after it is.
        if removed < _PRUNED_AT_ONCE:
            return pruned


@lru_cache(maxsize=4096)
def _id_of(route: Route) -> int:
    """The id of a route: 63 bits of its hash, so that every process knows it without a look-up."""
    digest = hashlib.sha256(msgspec.json.encode(route)).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def _insertion(source: str, shared: str, own: str) -> TextClause:
    """The statement that inserts the calls of one caller.

    shared: SQL for a value of the caller, by its name. own: SQL for a value of a call, by its name and its position.
    """
    own_columns = ("at_us", "duration_us", "status", "route_id", *Call._fields[4:])
    columns = ", ".join([*Caller._fields, *own_columns])
    values = [shared.format(name=name, kind=_KINDS.get(name, "text")) for name in Caller._fields]
    values += [own.format(at=at, kind=_KINDS.get(name, "text")) for at, name in enumerate(own_columns)]
    insertion = f"INSERT INTO api_calls ({columns}) SELECT {', '.join(values)} FROM {source}"  # noqa: S608 (our own names)
    ids = [bindparam(name, type_=Id) for name in ("organization_id", "owner_id")]
    return text(insertion).bindparams(*ids)


# PostgreSQL's types of the columns that are not texts.
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
