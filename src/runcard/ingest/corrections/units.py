"""The correction of units: what is true of them, where a report or a person was wrong."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from msgspec import UNSET, Struct, UnsetType

from runcard.domain.actor import UserActor
from runcard.domain.errors import Conflict, InvalidInput
from runcard.domain.floor.at_once import check_count
from runcard.domain.runs.correction import check_correction
from runcard.ingest.record_unit import UnitChange, placed_unit
from runcard.store.commit.lookups import UnitRow
from runcard.store.commit.transaction import Transaction
from runcard.store.engine.tables import units
from runcard.store.runs.corrections import correct_columns, list_runs_as_unit, read_for_correction
from runcard.store.trail.watching import watch
from runcard.store.units.records import rename_unit
from runcard.store.units.rows import get_units_by_id, move_unit
from runcard.store.units.serials import check_serial_number_is_free


class UnitCorrection(Struct, frozen=True, kw_only=True):
    """What is true of units. UNSET: it stays as it is. batch_number: None: no batch; a new one is created.

    runs_follow: give the part, the revision and the batch also to those runs of a unit that say what the unit said.
    leads_on: the old serial number still finds the unit; False: it is free for another.
    """

    serial_number: str | UnsetType = UNSET
    part_number: str | UnsetType = UNSET
    revision_number: str | UnsetType = UNSET
    batch_number: str | UnsetType | None = UNSET
    runs_follow: bool = True
    leads_on: bool = True


_FIELDS = ("serial_number", "part_number", "revision_number", "batch_number")


def correct_units(
    tx: Transaction, actor: UserActor, unit_ids: Sequence[UUID], correction: UnitCorrection, why: str
) -> Sequence[UUID]:
    """Correct all of these units, and return those that were not so already.

    It changes records that catalogs remember. Raises InvalidInput, UnitNotFound, RevisionNotFound and AlreadyExists;
    and Conflict if nothing changes, or if a unit had the serial number and is still found by it.
    """
    check_count("ids", len(unit_ids))
    given = check_correction(correction, _FIELDS)
    if "serial_number" in given and len(unit_ids) > 1:
        raise InvalidInput.at(
            "serial_number", f"{len(unit_ids)} units cannot have one serial number; correct one unit"
        )
    found = get_units_by_id(tx.scope, unit_ids)
    place = UnitChange(
        part_number=correction.part_number,
        revision_number=correction.revision_number,
        batch_number=correction.batch_number,
    )
    corrected = [one for one in unit_ids if _correct(tx, actor, found[one], correction, place, why)]
    if not corrected:
        raise Conflict("The units are so already, so nothing was corrected. Give another value.")
    return corrected


def _correct(
    tx: Transaction,
    actor: UserActor,
    unit: UnitRow,
    correction: UnitCorrection,
    place: UnitChange,
    why: str,
) -> bool:
    """Correct one unit; False if it is so already."""
    after = placed_unit(tx, actor, unit, place)
    serial_number = unit.serial_number if correction.serial_number is UNSET else correction.serial_number
    if after == unit and serial_number == unit.serial_number:
        return False
    watch(tx, units, [unit.id], kind="unit_corrected", why=why)
    if serial_number != unit.serial_number:
        check_serial_number_is_free(tx, serial_number, but=unit.id)
        rename_unit(tx, unit, serial_number, leads_on=correction.leads_on)
        after = after._replace(serial_number=serial_number)
        unit = unit._replace(serial_number=serial_number)
    if correction.runs_follow and after != unit:
        _correct_runs(tx, unit, after, why)
    move_unit(tx, unit, after, None)
    return True


def _correct_runs(tx: Transaction, before: UnitRow, after: UnitRow, why: str) -> None:
    """Give the runs that say what a unit said what it says now."""
    changed = {
        name: getattr(after, name)
        for name in ("part_id", "revision_id", "batch_id")
        if getattr(after, name) != getattr(before, name)
    }
    same: dict[str, Any] = {name: getattr(before, name) for name in changed}
    rows = read_for_correction(tx, list_runs_as_unit(tx, before.id, same))
    correct_columns(tx, rows, dict.fromkeys(rows, changed), why)
