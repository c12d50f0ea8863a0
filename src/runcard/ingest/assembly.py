"""Which unit is part of which."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from runcard.domain.errors import CircularParentage, SubUnitsNotFound, UnitNotFound
from runcard.domain.text import lookup_key
from runcard.store.lookups import UnitRow, find_ancestors
from runcard.store.transaction import Transaction
from runcard.store.units import move_unit


def find_sub_units(
    tx: Transaction, organization_id: UUID, parent: UnitRow | None, serial_numbers: Iterable[str]
) -> list[UnitRow]:
    """The named units, each once, in order. `parent` is the unit that they are to become part of, where it exists.

    Raises SubUnitsNotFound, and CircularParentage where a unit would become its own ancestor.
    """
    unique: dict[str, str] = {}
    for serial in serial_numbers:
        unique.setdefault(lookup_key(serial), serial)
    wanted = list(unique.values())
    if not wanted:
        return []
    found = [tx.catalog.unit(organization_id, serial) for serial in wanted]
    missing = [serial for serial, unit in zip(wanted, found, strict=True) if unit is None]
    if missing:
        raise SubUnitsNotFound(missing)
    sub_units = [unit for unit in found if unit is not None]
    if parent is not None:
        tx.lock_assembly()
        ancestors = find_ancestors(tx.connection, parent.id)
        if any(unit.id in ancestors for unit in sub_units):
            raise CircularParentage
    return sub_units


def link_sub_units(
    tx: Transaction, organization_id: UUID, parent_id: UUID, sub_units: Sequence[UnitRow], run_id: UUID | None
) -> None:
    """Make the units part of another, moving them away from where they were, with a trace.

    run_id: the run that named them; None where an update did.
    """
    for unit in sub_units:
        move_unit(tx, organization_id, unit, unit._replace(parent_id=parent_id), run_id)


def add_sub_units(
    tx: Transaction, organization_id: UUID, serial_number: str, sub_units: Sequence[str]
) -> None:
    """Make units part of another outside of any run; those that are part of it already stay.

    Raises UnitNotFound, SubUnitsNotFound or CircularParentage.
    """
    parent = tx.catalog.unit(organization_id, serial_number)
    if parent is None:
        raise UnitNotFound(serial_number)
    children = find_sub_units(tx, organization_id, parent, sub_units)
    link_sub_units(tx, organization_id, parent.id, children, None)
