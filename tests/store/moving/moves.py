"""Moves of installations, and what is written meanwhile."""

from sqlalchemy import delete, update

from runcard.store.engine.database import Database
from runcard.store.engine.tables import runs, units
from runcard.store.moving.moving import Mover, Tell
from tests.store.filled import Filled


def ignore(_step: str, _done: int, _total: int) -> None:
    """Tells nobody how far a move has come."""


def move(source: Database, target: Database, tell: Tell = ignore) -> None:
    mover = Mover(source, target, tell)
    with mover.alone():
        mover.begin()
        if not mover.is_switched:
            mover.copy_and_switch()
        mover.finish()


def change(filled: Filled, number: int) -> None:
    """Add runs, delete one with all that belongs to it, and let a unit take the serial number of another."""
    filled.record(f"OLD-{number}", 10 * number, ["SUB-1"])
    gone = filled.record("GONE", 10 * number + 1, [])
    filled.record(f"NEW-{number}", 10 * number + 2, [])
    filled.write(lambda tx: tx.connection.execute(delete(runs).where(runs.c.id == gone)))
    rename(filled, f"OLD-{number}", f"WAS-{number}")
    rename(filled, f"NEW-{number}", f"OLD-{number}")


def rename(filled: Filled, before: str, after: str) -> None:
    renamed = {"serial_number": after, "serial_key": after.casefold()}
    statement = update(units).where(units.c.serial_number == before).values(renamed)
    filled.write(lambda tx: tx.connection.execute(statement))
