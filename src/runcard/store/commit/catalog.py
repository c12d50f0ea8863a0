"""The records that runs refer to, as the writer remembers them, so that recording a run needs no look-up of them.

The catalog holds only what was found or staged, never what was missing. It stays true because every write that
changes, moves or deletes such a record, in any process, raises `catalog_version`, which each transaction reads as it
begins. On PostgreSQL a foreign key catches a record that was deleted after that, and the write is run again afresh.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Literal, TypeVar, TypeVarTuple
from uuid import UUID

from sqlalchemy import Connection, update

from runcard.domain.actor import Actor
from runcard.domain.errors import Unauthenticated, UnitNotFound
from runcard.domain.floor.organization import Organization
from runcard.domain.text import lookup_key
from runcard.store.commit import lookups
from runcard.store.commit.lookups import UnitKey, UnitRow
from runcard.store.engine.bulk import driver_of, in_one_trip
from runcard.store.engine.scope import Scope
from runcard.store.engine.tables import catalog_version

T = TypeVar("T")
Arguments = TypeVarTuple("Arguments")

NamedKind = Literal["version", "part", "revision", "batch"]

# Half a kilobyte each, so 10 MB. A tester's lot brings units by the hundred thousand, and each unit only once.
_MAX_ENTRIES = 20_000


class Catalog:
    def __init__(self) -> None:
        self._connection: Connection | None = None
        self._version = -1
        self._found: dict[tuple[Any, ...], Any] = {}
        self._units: dict[UnitKey, UnitRow] = {}
        # For serial numbers that units had before: those that they have now.
        self._led_on: dict[UnitKey, UnitKey] = {}
        # Units that were looked up in this transaction and not found.
        self._new_units: set[UnitKey] = set()

    def open(self, connection: Connection, units: Sequence[UnitKey]) -> None:
        """Begin a transaction: forget what may have changed, and fetch these units in one query."""
        self._connection = connection
        if len(self._found) + len(self._units) > _MAX_ENTRIES:
            self.clear()
        self._new_units.clear()
        with in_one_trip(connection):
            asked = driver_of(connection).execute("SELECT value FROM catalog_version")
            self.fetch_units(units)
            (version,) = asked.fetchone()
        if version != self._version:
            self.clear()
            self._version = version
            self.fetch_units(units)

    def clear(self) -> None:
        self._found.clear()
        self._units.clear()
        self._led_on.clear()
        self._new_units.clear()

    def raise_version(self) -> None:
        """Tell every other catalog of this database that records were changed. This one must know already."""
        raised = self._open_connection().execute(_RAISE_VERSION).scalar_one()
        if raised != self._version + 1:  # another process raised it in between
            self.clear()
        self._version = raised

    def actor(self, key_digest: bytes, now: datetime) -> Actor:
        """The owner of a key. Raises Unauthenticated if it does not work now."""
        found = self._find(("key", key_digest), lookups.find_key, key_digest)
        if found is None:
            raise Unauthenticated
        return found.actor_at(now)

    def organization(self, organization_id: UUID) -> Organization:
        found = self._find_in(("organization", organization_id), organization_id, lookups.get_organization)
        assert found is not None  # `get_organization` raises if there is none
        return found

    def procedure(self, organization_id: UUID, procedure_id: UUID) -> UUID | None:
        key = ("procedure", organization_id, procedure_id)
        return self._find_in(key, organization_id, lookups.find_procedure, procedure_id)

    def procedure_by_identifier(self, organization_id: UUID, identifier: str) -> UUID | None:
        key = ("procedure", organization_id, lookup_key(identifier))
        return self._find_in(key, organization_id, lookups.find_procedure_by_identifier, identifier)

    def procedure_by_name(self, organization_id: UUID, name: str) -> UUID | None:
        key = ("procedure by name", organization_id, lookup_key(name))
        return self._find_in(key, organization_id, lookups.find_procedure_by_name, name)

    def link(self, station_id: UUID, procedure_id: UUID) -> UUID | None:
        return self._find(("link", station_id, procedure_id), lookups.find_link, station_id, procedure_id)

    def user(self, organization_id: UUID, email: str) -> UUID | None:
        key = ("user", organization_id, lookup_key(email))
        return self._find_in(key, organization_id, lookups.find_user, email)

    def version(self, procedure_id: UUID, tag: str) -> UUID | None:
        return self._find(("version", procedure_id, lookup_key(tag)), lookups.find_version, procedure_id, tag)

    def part(self, organization_id: UUID, number: str) -> UUID | None:
        key = ("part", organization_id, lookup_key(number))
        return self._find_in(key, organization_id, lookups.find_part, number)

    def revision(self, part_id: UUID, number: str) -> UUID | None:
        return self._find(("revision", part_id, lookup_key(number)), lookups.find_revision, part_id, number)

    def default_revision(self, part_id: UUID) -> UUID | None:
        return self._find(("default revision", part_id), lookups.find_default_revision, part_id)

    def batch(self, organization_id: UUID, number: str) -> UUID | None:
        key = ("batch", organization_id, lookup_key(number))
        return self._find_in(key, organization_id, lookups.find_batch, number)

    def unit(self, organization_id: UUID, serial_number: str) -> UnitRow | None:
        key = (organization_id, lookup_key(serial_number))
        self.fetch_units([key])
        return self._units.get(self._led_on.get(key, key))

    def get_unit(self, organization_id: UUID, serial_number: str) -> UnitRow:
        """The unit that has this serial number, or else had it before. Raises UnitNotFound."""
        unit = self.unit(organization_id, serial_number)
        if unit is None:
            raise UnitNotFound(serial_number)
        return unit

    def remember(self, kind: NamedKind, scope_id: UUID, name: str, found_id: UUID) -> None:
        """Remember a record that was just staged. scope_id: the organization, procedure or part it is unique in."""
        self._found[kind, scope_id, lookup_key(name)] = found_id

    def remember_default_revision(self, part_id: UUID, revision_id: UUID) -> None:
        self._found["default revision", part_id] = revision_id

    def remember_unit(self, organization_id: UUID, unit: UnitRow) -> None:
        self._units[organization_id, lookup_key(unit.serial_number)] = unit

    def _find(
        self,
        key: tuple[Any, ...],
        query: Callable[[Connection, *Arguments], T | None],
        *arguments: *Arguments,
    ) -> T | None:
        found: T | None = self._found.get(key)
        if found is None:
            found = query(self._open_connection(), *arguments)
            if found is not None:
                self._found[key] = found
        return found

    def _find_in(
        self,
        key: tuple[Any, ...],
        organization_id: UUID,
        query: Callable[[Scope, *Arguments], T | None],
        *arguments: *Arguments,
    ) -> T | None:
        return self._find(key, lambda connection: query(Scope(connection, organization_id), *arguments))

    def fetch_units(self, keys: Sequence[UnitKey]) -> None:
        """Remember those of these units that exist, with one query for all instead of one for each."""
        known = (self._units, self._led_on, self._new_units)
        unknown = [key for key in keys if not any(key in some for some in known)]
        if not unknown:
            return
        self._new_units.update(unknown)
        for key, unit in lookups.find_units(self._open_connection(), unknown).items():
            now = (key[0], lookup_key(unit.serial_number))
            if now != key:
                self._led_on[key] = now
            self._units.setdefault(now, unit)

    def _open_connection(self) -> Connection:
        assert self._connection is not None  # `open` was called first
        return self._connection


_RAISE_VERSION = (
    update(catalog_version).values(value=catalog_version.c.value + 1).returning(catalog_version.c.value)
)
