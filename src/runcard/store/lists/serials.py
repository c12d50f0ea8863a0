"""Units by serial number, which means the unit that has it, or else the unit that had it before."""

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, CompoundSelect, or_, select, union_all

from runcard.domain.text import lookup_key
from runcard.store.engine.chunks import in_chunks
from runcard.store.engine.scope import Scope, owned_by
from runcard.store.engine.tables import former_serial_numbers, units


def units_called(organization_id: UUID, serial_numbers: Collection[str]) -> CompoundSelect[tuple[UUID]]:
    """The query of the ids of the units that these serial numbers mean. Case does not count."""
    u, f = units.c, former_serial_numbers.c
    keys = [lookup_key(serial) for serial in serial_numbers]
    return union_all(
        select(u.id).where(owned_by(organization_id, u), u.serial_key.in_(keys)),
        select(f.unit_id).where(owned_by(organization_id, f), f.serial_key.in_(keys)),
    )


def serial_number_contains(organization_id: UUID, text: str) -> ColumnElement[bool]:
    """The condition that a text is part of a serial number that a unit has or had, in any case."""
    u, f, key = units.c, former_serial_numbers.c, text.casefold()
    had = select(f.unit_id).where(owned_by(organization_id, f), f.serial_key.contains(key, autoescape=True))
    return or_(u.serial_key.contains(key, autoescape=True), u.id.in_(had))


def list_former_serial_numbers(scope: Scope, unit_ids: Collection[UUID]) -> Mapping[UUID, Sequence[str]]:
    """The serial numbers that still find each of these units, besides its own, the newest first.

    No entry for a unit that had no other.
    """
    f = former_serial_numbers.c
    found: dict[UUID, list[str]] = {}
    for some in in_chunks(unit_ids):
        query = select(f.unit_id, f.serial_number).where(scope.owns(f), f.unit_id.in_(some))
        for unit_id, serial in scope.connection.execute(query.order_by(f.given_up_at.desc(), f.serial_key)):
            found.setdefault(unit_id, []).append(serial)
    return found
