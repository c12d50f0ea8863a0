"""References of records to other records: the id, and what people call it."""

from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import FromClause, Table

from runcard.store.engine import tables as t


class Named(NamedTuple):
    id: UUID
    name: str


class Numbered(NamedTuple):
    id: UUID
    number: str


class UserRef(NamedTuple):
    id: UUID
    name: str
    email: str


class PartRef(NamedTuple):
    id: UUID
    number: str
    name: str


class ProcedureRef(NamedTuple):
    id: UUID
    name: str
    identifier: str


class SerialRef(NamedTuple):
    id: UUID
    serial_number: str


class TagRef(NamedTuple):
    name: str
    colour: str


class CreatedBy(NamedTuple):
    """Who made a record: exactly one of the two is there."""

    user: UserRef | None
    station: Named | None


# The columns from which `created_by` makes a CreatedBy. Select them from `with_creator`.
CREATOR_COLUMNS = [
    t.users.c.id,
    t.users.c.name,
    t.users.c.email,
    t.stations.c.id,
    t.stations.c.name,
]


def with_creator(table: Table, joined: FromClause | None = None) -> FromClause:
    """The table joined with the user or station that made each row. joined: the table as already joined to others."""
    source = table if joined is None else joined
    return source.outerjoin(t.users, t.users.c.id == table.c.created_by_user_id).outerjoin(
        t.stations, t.stations.c.id == table.c.created_by_station_id
    )


def created_by(
    user_id: UUID | None, name: Any, email: Any, station_id: UUID | None, station: Any
) -> CreatedBy:
    """Who made a record, from the values of CREATOR_COLUMNS."""
    return CreatedBy(
        None if user_id is None else UserRef(user_id, name, email),
        None if station_id is None else Named(station_id, station),
    )
