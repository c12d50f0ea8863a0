"""Look-ups of what a run refers to, by the names that stations use. Each is scoped, and None where nothing is found."""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple, cast
from uuid import UUID

from sqlalchemy import Column, ColumnElement, Connection, Select, func, or_, select

from runcard.domain.actor import KEY_SCOPES, Actor, KeyScope, Origin, StationActor, UserActor
from runcard.domain.errors import NotFound, Unauthenticated
from runcard.domain.floor.key import has_expired
from runcard.domain.floor.organization import Organization
from runcard.domain.floor.sample import SampleClass
from runcard.domain.text import lookup_key
from runcard.store.engine import tables as t
from runcard.store.engine.bulk import driver_of
from runcard.store.engine.column_types import uuid_of
from runcard.store.engine.scope import Scope

# An organization and the lookup key of a serial number.
UnitKey = tuple[UUID, str]


class UnitRow(NamedTuple):
    """What a unit is now. sample: None for a production unit."""

    id: UUID
    serial_number: str
    part_id: UUID
    revision_id: UUID
    batch_id: UUID | None
    parent_id: UUID | None
    sample: SampleClass | None = None


class KnownKey(NamedTuple):
    """A key that was not revoked when it was looked up, and its owner. expires_at: None: it never expires."""

    id: UUID
    actor: Actor
    expires_at: datetime | None

    def actor_at(self, now: datetime) -> Actor:
        """Its owner. Raises Unauthenticated if the key has expired."""
        if has_expired(self.expires_at, now):
            raise Unauthenticated(
                f"Invalid API key: it expired at {self.expires_at:%Y-%m-%d %H:%M} UTC. Use another key."
            )
        return self.actor


def find_key(connection: Connection, key_digest: bytes) -> KnownKey | None:
    """The key with this digest, even if it has expired.

    None if it is unknown or revoked, or its user is suspended, or its station is archived.
    """
    k, u, s = t.api_keys.c, t.users.c, t.stations.c
    query = (
        select(k.id, k.organization_id, k.user_id, k.station_id, k.prefix, k.expires_at, k.scopes, u.role)
        .join_from(t.api_keys, t.users, u.id == k.user_id, isouter=True)
        .join(t.stations, s.id == k.station_id, isouter=True)
        .where(
            k.digest == key_digest, k.revoked_at.is_(None), u.suspended_at.is_(None), s.archived_at.is_(None)
        )
    )
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    origin, scopes = Origin(key=row.prefix), scopes_of(row.scopes)
    if row.user_id is not None:
        return KnownKey(
            row.id, UserActor(row.user_id, row.organization_id, row.role, origin, scopes), row.expires_at
        )
    return KnownKey(row.id, StationActor(row.station_id, row.organization_id, origin, scopes), row.expires_at)


def scopes_of(kept: str | None) -> frozenset[KeyScope] | None:
    """The scopes of a key, as it keeps them; None: all."""
    return None if kept is None else frozenset(one for one in KEY_SCOPES if one in kept.split())


# Unscoped: the organization itself.
def get_organization(scope: Scope) -> Organization:
    """The organization of the scope. Raises NotFound."""
    o = t.organizations.c
    columns = [o[name] for name in Organization.__struct_fields__]
    row = scope.connection.execute(select(*columns).where(o.id == scope.organization_id)).one_or_none()
    if row is None:
        raise NotFound(f"Organization not found: {scope.organization_id}")
    return Organization(*row)


# A look-up that finds a merged procedure or part returns the one that it was merged into.
_PROCEDURE_ID = func.coalesce(t.procedures.c.merged_into_id, t.procedures.c.id)
_PART_ID = func.coalesce(t.parts.c.merged_into_id, t.parts.c.id)


def find_procedure(scope: Scope, procedure_id: UUID) -> UUID | None:
    p = t.procedures.c
    mine = (scope.owns(p), p.id == procedure_id)
    return _find(scope.connection, select(_PROCEDURE_ID).where(*mine))


def find_procedure_by_identifier(scope: Scope, identifier: str) -> UUID | None:
    """The procedure that has this identifier, or else the one that had it before."""
    keys = (t.procedures.c.identifier_key, t.former_identifiers.c.identifier_key)
    return _find_called(scope, identifier, _PROCEDURE_ID, keys)


def find_procedure_by_name(scope: Scope, name: str) -> UUID | None:
    """The oldest procedure with this name, in any case; one that is in use comes before archived and merged ones.

    Names are not unique. Python compares them, because databases ignore case by other rules.
    """
    p = t.procedures.c
    query = select(_PROCEDURE_ID, p.name).where(scope.owns(p))
    query = query.order_by(p.merged_into_id.is_not(None), p.archived_at.is_not(None), p.created_at, p.id)
    key = lookup_key(name)
    return next(
        (found for found, own_name in scope.connection.execute(query) if lookup_key(own_name) == key), None
    )


# Unscoped: a station and a procedure that were found in the scope.
def find_link(connection: Connection, station_id: UUID, procedure_id: UUID) -> UUID | None:
    """The station if it may run the procedure now: it is linked to it, or may run all procedures."""
    s, link = t.stations.c, t.station_procedures.c
    linked = (
        select(link.station_id).where(link.station_id == s.id, link.procedure_id == procedure_id).exists()
    )
    return _find(connection, select(s.id).where(s.id == station_id, or_(s.all_procedures.is_(True), linked)))


def find_user(scope: Scope, email: str) -> UUID | None:
    u = t.users.c
    return _find(
        scope.connection,
        select(u.id).where(scope.owns(u), u.email_key == lookup_key(email)),
    )


# Unscoped: of a procedure that was found in the scope.
def find_version(connection: Connection, procedure_id: UUID, tag: str) -> UUID | None:
    v = t.procedure_versions.c
    return _find(connection, select(v.id).where(v.procedure_id == procedure_id, v.tag_key == lookup_key(tag)))


def find_part(scope: Scope, number: str) -> UUID | None:
    """The part that has this number, or else the one that had it before."""
    keys = (t.parts.c.number_key, t.former_part_numbers.c.number_key)
    return _find_called(scope, number, _PART_ID, keys)


# Unscoped: of a part that was found in the scope.
def find_revision(connection: Connection, part_id: UUID, number: str) -> UUID | None:
    r = t.revisions.c
    return _find(connection, select(r.id).where(r.part_id == part_id, r.number_key == lookup_key(number)))


# Unscoped: of a part that was found in the scope.
def find_default_revision(connection: Connection, part_id: UUID) -> UUID | None:
    r = t.revisions.c
    return _find(connection, select(r.id).where(r.part_id == part_id, r.is_default.is_(True)))


def find_batch(scope: Scope, number: str) -> UUID | None:
    b = t.batches.c
    return _find(
        scope.connection,
        select(b.id).where(scope.owns(b), b.number_key == lookup_key(number)),
    )


def find_units(connection: Connection, keys: Iterable[UnitKey]) -> dict[UnitKey, UnitRow]:
    """The units that have these keys, or else had them before."""
    by_organization: dict[UUID, list[str]] = {}
    for organization_id, serial_key in keys:
        if "\0" not in serial_key:  # PostgreSQL refuses it, and no unit has it
            by_organization.setdefault(organization_id, []).append(serial_key)
    found: dict[UnitKey, UnitRow] = {}
    for organization_id, serial_keys in by_organization.items():
        for serial_key, is_former, *row in _select_units(Scope(connection, organization_id), serial_keys):
            if not is_former or (organization_id, serial_key) not in found:
                found[organization_id, serial_key] = UnitRow(*row)
    return found


def _select_units(scope: Scope, serial_keys: list[str]) -> Iterable[Sequence[Any]]:
    """The rows of units with these keys, straight from the driver.

    SQLAlchemy's work on the list of keys took a quarter of the time for which the writer held the interpreter lock.
    """
    driver = driver_of(scope.connection)
    if scope.connection.dialect.name == "postgresql":
        values = (scope.organization_id, serial_keys) * 2
        return cast("list[Sequence[Any]]", driver.execute(_UNITS_ANY, values).fetchall())
    rows = driver.execute(_UNITS_JSON, (scope.organization_id.bytes, json.dumps(serial_keys)) * 2)
    return [[uuid_of(value) if type(value) is bytes else value for value in row] for row in rows]


def _units_where(condition: str) -> str:
    """The query of the units with some keys: the key, whether the unit had it before, and the row of the unit."""
    columns = ", ".join(f"u.{name}" for name in UnitRow._fields)
    return (
        f"SELECT u.serial_key, 0, {columns} FROM units u WHERE u.{condition.format('u')} UNION ALL "  # noqa: S608 (names of our own columns)
        f"SELECT f.serial_key, 1, {columns} FROM former_serial_numbers f JOIN units u ON u.id = f.unit_id "
        f"WHERE f.{condition.format('f')}"
    )


_UNITS_ANY = _units_where("organization_id = %s AND {}.serial_key = ANY(%s)")
_UNITS_JSON = _units_where("organization_id = ? AND {}.serial_key IN (SELECT value FROM json_each(?))")


# Unscoped: of a unit that was found in the scope.
def find_ancestors(connection: Connection, unit_id: UUID) -> set[UUID]:
    """The ids of the unit itself and of every unit that it is part of, at any depth."""
    u = t.units.c
    line = select(u.id, u.parent_id).where(u.id == unit_id).cte(recursive=True)
    line = line.union(select(u.id, u.parent_id).where(u.id == line.c.parent_id))
    return set(connection.execute(select(line.c.id)).scalars())


def _find_called(
    scope: Scope, name: str, meant: ColumnElement[UUID], keys: tuple[Column[str], Column[str]]
) -> UUID | None:
    """What has this name, or else had it before. keys: the columns of the names that things have, and had."""
    if "\0" in name:  # PostgreSQL refuses it, and nothing has it
        return None
    (has, had), key = keys, lookup_key(name)
    now = select(meant).where(scope.owns(has.table.c), has == key)
    before = select(meant).join_from(had.table, has.table).where(scope.owns(had.table.c), had == key)
    return _find(scope.connection, now) or _find(scope.connection, before)


def _find(connection: Connection, query: Select[Any]) -> UUID | None:
    return connection.execute(query).scalar_one_or_none()
