"""Assembly: which unit is part of which."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from runcard.domain.actor import Actor
from runcard.domain.errors import CircularParentage, NotAChild, SubUnitsNotFound
from runcard.domain.text import lookup_key
from runcard.ingest.reach import check_may_add, check_reaches_unit
from runcard.store.commit.lookups import UnitRow, find_ancestors
from runcard.store.commit.transaction import Transaction
from runcard.store.units.rows import list_built_in, move_unit


def find_sub_units(tx: Transaction, parent: UnitRow | None, serial_numbers: Iterable[str]) -> list[UnitRow]:
    """The units with these serial numbers, each once, in order.

    parent: the unit that they will be part of; None if it does not exist yet. Raises SubUnitsNotFound, and
    CircularParentage if a unit would become its own ancestor.
    """
    unique: dict[str, str] = {}
    for serial in serial_numbers:
        unique.setdefault(lookup_key(serial), serial)
    if not unique:
        return []
    found = [tx.catalog.unit(tx.organization_id, serial) for serial in unique.values()]
    missing = [serial for serial, unit in zip(unique.values(), found, strict=True) if unit is None]
    if missing:
        raise SubUnitsNotFound(missing)
    sub_units = list({unit.id: unit for unit in found if unit is not None}.values())
    if parent is not None:
        tx.lock_assembly()
        ancestors = find_ancestors(tx.connection, parent.id)
        if any(unit.id in ancestors for unit in sub_units):
            raise CircularParentage
    return sub_units


def link_sub_units(
    tx: Transaction, parent_id: UUID, sub_units: Sequence[UnitRow], run_id: UUID | None
) -> None:
    """Make units part of another unit, away from where they were, and record the moves.

    run_id: the run that named them; None if an update did.
    """
    for unit in sub_units:
        move_unit(tx, unit, unit._replace(parent_id=parent_id), run_id)


def take_over_sub_units(tx: Transaction, run_id: UUID, before: UnitRow, after: UnitRow) -> None:
    """Move the sub-units that a run built into one unit to another, of which the run is now.

    Raises CircularParentage if a unit would become its own ancestor.
    """
    sub_units = list_built_in(tx.scope, run_id, before.id)
    if not sub_units:
        return
    tx.lock_assembly()
    ancestors = find_ancestors(tx.connection, after.id)
    if any(unit.id in ancestors for unit in sub_units):
        raise CircularParentage
    link_sub_units(tx, after.id, sub_units, run_id)


def add_sub_units(
    tx: Transaction, actor: Actor, serial_number: str, sub_units: Sequence[str]
) -> Sequence[UnitRow]:
    """Make units part of another unit without a run; those that are part of it already stay. Returns them as they were.

    A station must reach the unit that they become part of, but may take them from anywhere, as its runs do.

    Raises PermissionDenied for a viewer; then UnitNotFound, UnitNotReached, SubUnitsNotFound or CircularParentage.
    """
    check_may_add(tx.connection, actor)
    parent = tx.catalog.get_unit(actor.organization_id, serial_number)
    check_reaches_unit(tx, actor, parent)
    children = find_sub_units(tx, parent, sub_units)
    link_sub_units(tx, parent.id, children, None)
    return children


def remove_sub_unit(tx: Transaction, actor: Actor, serial_number: str, sub_unit: str) -> UUID:
    """Take a unit out of its parent, and return its id. Its own sub-units stay with it.

    Raises PermissionDenied for a viewer; then UnitNotFound for either, UnitNotReached or NotAChild.
    """
    check_may_add(tx.connection, actor)
    parent = tx.catalog.get_unit(actor.organization_id, serial_number)
    child = tx.catalog.get_unit(actor.organization_id, sub_unit)
    check_reaches_unit(tx, actor, parent)
    if child.parent_id != parent.id:
        raise NotAChild(child.serial_number, parent.serial_number)
    move_unit(tx, child, child._replace(parent_id=None), None)
    return child.id
