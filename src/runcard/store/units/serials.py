"""Serial numbers that units had before. One still finds its unit, until somebody lets go of it."""

from uuid import UUID

from sqlalchemy import delete, select

from runcard.domain.errors import AlreadyExists, Conflict, InvalidInput
from runcard.domain.text import lookup_key
from runcard.store.commit.transaction import Transaction
from runcard.store.engine.tables import former_serial_numbers, units
from runcard.store.trail.watching import watch
from runcard.store.units.rows import get_units_by_id


def check_serial_number_is_free(tx: Transaction, serial_number: str, *, but: UUID | None = None) -> None:
    """Check that a unit may take this serial number.

    Raises AlreadyExists if another unit than `but` has it, and Conflict if it had it and is still found by it.
    """
    unit = tx.catalog.unit(tx.organization_id, serial_number)
    if unit is None or unit.id == but:
        return
    if lookup_key(unit.serial_number) == lookup_key(serial_number):
        raise AlreadyExists("Unit with serial number", serial_number)
    raise Conflict(
        f"The serial number {serial_number} was that of unit {unit.serial_number}, and still finds it. Choose another "
        "one, or let that unit give it up on its page."
    )


def let_go(tx: Transaction, unit_id: UUID, serial_number: str, why: str | None) -> None:
    """Forget that a unit had this serial number, so that another unit may get it.

    It changes a record that catalogs remember. Raises UnitNotFound, and InvalidInput if the unit had no such number.
    """
    get_units_by_id(tx.scope, [unit_id])
    f, key = former_serial_numbers.c, lookup_key(serial_number)
    mine = (tx.owns(f), f.unit_id == unit_id, f.serial_key == key)
    if tx.connection.execute(select(f.unit_id).where(*mine)).first() is None:
        raise InvalidInput.at(
            "serial_number",
            f"{serial_number!r} does not lead to this unit; choose one of its former serial numbers",
        )
    watch(tx, units, [unit_id], why=why)
    tx.connection.execute(delete(former_serial_numbers).where(*mine))
