"""The correction of runs whose reports were wrong: what they name is looked up, and what follows from it is done."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from msgspec import UNSET

from runcard.domain.actor import UserActor
from runcard.domain.errors import Conflict, InvalidInput, PartNotFound, RevisionNotFound
from runcard.domain.floor.at_once import check_count
from runcard.domain.ids import new_id
from runcard.domain.runs.clock import is_wrong
from runcard.domain.runs.correction import RunCorrection, check_correction
from runcard.ingest.assembly import take_over_sub_units
from runcard.ingest.resolve import operator_called, resolve_procedure
from runcard.store.commit.lookups import UnitRow
from runcard.store.commit.transaction import Transaction
from runcard.store.creator import Creator
from runcard.store.procedures.rows import stage_version
from runcard.store.products.staged import stage_batch
from runcard.store.runs.corrections import correct_columns, read_for_correction, reported_columns
from runcard.store.units.rows import get_units_by_id, stage_unit, undo_moves

Row = Mapping[str, Any]


def correct_runs(
    tx: Transaction, actor: UserActor, run_ids: Sequence[UUID], correction: RunCorrection, why: str
) -> Sequence[UUID]:
    """Correct all of these runs, and return those that were not so already. They keep what was reported.

    A unit or a batch that does not exist is created. Raises InvalidInput, RunNotFound, ProcedureNotFound, PartNotFound
    and RevisionNotFound; CircularParentage if a unit would become part of itself; and Conflict if nothing changes.
    """
    check_count("ids", len(run_ids))
    check_correction(correction, RunCorrection.__struct_fields__)
    rows = read_for_correction(tx, run_ids)
    resolved = _Resolved(tx, actor, correction)
    changes = {run_id: resolved.columns_of(row) for run_id, row in rows.items()}
    corrected = correct_columns(tx, rows, changes, why)
    if not corrected:
        raise Conflict("The runs are so already, so nothing was corrected. Give another value.")
    _follow(tx, rows, changes)
    return corrected


def take_back_corrections(tx: Transaction, run_ids: Sequence[UUID], why: str) -> None:
    """Give all of these corrected runs back what was reported. Units and batches that were created for it stay.

    Raises RunNotFound, and Conflict for a run that is not corrected or whose report named what is no longer there.
    """
    check_count("ids", len(run_ids))
    rows = read_for_correction(tx, run_ids)
    changes = reported_columns(tx, rows)
    correct_columns(tx, rows, changes, why)
    _follow(tx, rows, changes)


class _PartRevision(NamedTuple):
    part_id: UUID
    revision_id: UUID


class _Resolved:
    """What a correction names, each record looked up once."""

    def __init__(self, tx: Transaction, actor: UserActor, correction: RunCorrection) -> None:
        self._tx = tx
        self._actor = actor
        self._correction = correction
        self._creator = Creator.of(actor)
        self._unit: UnitRow | None = None
        self._places: dict[tuple[UUID, UUID], _PartRevision] = {}

    def columns_of(self, row: Row) -> Row:
        """The columns that the correction gives a run."""
        correction, columns = self._correction, dict[str, Any]()
        if correction.procedure is not UNSET:
            columns |= self._procedure(row, correction.procedure)
        if correction.part_number is not UNSET or correction.revision_number is not UNSET:
            columns |= self._place(row)._asdict()
        if correction.batch_number is not UNSET:
            columns["batch_id"] = self._batch(correction.batch_number)
        if correction.operator is not UNSET:
            operator = operator_called(self._tx.catalog, self._tx.organization_id, correction.operator)
            columns |= {"operator_id": operator.id, "operator_name": operator.name}
        if correction.started_at is not UNSET:
            columns |= _times(row, correction.started_at)
        if correction.serial_number is not UNSET:
            unit = self._get_unit({**row, **columns}, correction.serial_number)
            if unit.id != row["unit_id"]:
                columns |= {"unit_id": unit.id, "sample": unit.sample}
        return columns

    def _procedure(self, row: Row, reference: str) -> Row:
        """The procedure, the version of the same name there, and no deployment: that was of the other procedure."""
        catalog = self._tx.catalog
        procedure_id = resolve_procedure(catalog, self._actor, reference)
        if procedure_id == row["procedure_id"]:
            return {}
        version_id, tag = None, row["version"]
        if tag is not None:
            version_id = catalog.version(procedure_id, tag)
            version_id = version_id or stage_version(self._tx, procedure_id, tag, self._creator)
        return {"procedure_id": procedure_id, "version_id": version_id, "deployment_id": None}

    def _place(self, row: Row) -> _PartRevision:
        """The part and the revision. A part that is given alone has the revision of the same number."""
        key = (row["part_id"], row["revision_id"])
        if key not in self._places:
            self._places[key] = self._find_place(row)
        return self._places[key]

    def _find_place(self, row: Row) -> _PartRevision:
        catalog, correction = self._tx.catalog, self._correction
        part_number = row["part"] if correction.part_number is UNSET else correction.part_number
        revision_number = (
            row["revision"] if correction.revision_number is UNSET else correction.revision_number
        )
        part_id = catalog.part(self._tx.organization_id, part_number)
        if part_id is None:
            raise PartNotFound(part_number)
        revision_id = catalog.revision(part_id, revision_number)
        if revision_id is None:
            raise RevisionNotFound(part_number, revision_number)
        return _PartRevision(part_id, revision_id)

    def _batch(self, number: str | None) -> UUID | None:
        if number is None:
            return None
        found = self._tx.catalog.batch(self._tx.organization_id, number)
        return found or stage_batch(self._tx, number, self._creator)

    def _get_unit(self, row: Row, serial_number: str) -> UnitRow:
        """The unit with this serial number. A new one is of the part, revision and batch of the run."""
        if self._unit is None:
            self._unit = self._tx.catalog.unit(self._tx.organization_id, serial_number)
        if self._unit is None:
            place = (row["part_id"], row["revision_id"], row["batch_id"])
            self._unit = UnitRow(new_id(), serial_number, *place, parent_id=None)
            stage_unit(self._tx, self._unit, self._creator, None)
        return self._unit


def _times(row: Row, started_at: datetime) -> Row:
    """The times of a run that started at another moment and took as long. Raises InvalidInput."""
    if is_wrong(started_at, row["created_at"]):
        raise InvalidInput.at(
            "started_at",
            f"{started_at:%Y-%m-%d %H:%M} UTC cannot be the start of run {row['id']}, which was recorded at "
            f"{row['created_at']:%Y-%m-%d %H:%M} UTC; give a moment from 2000 on and before that",
        )
    clock = row["clock_started_at"] or row["reported_started_at"] or row["started_at"]
    if started_at == row["started_at"] and row["reported_started_at"] is None:
        return {}
    return {
        "started_at": started_at,
        "ended_at": _end(started_at, row["ended_at"] - row["started_at"]),
        "reported_started_at": None,
        "reported_ended_at": None,
        "clock_started_at": None if clock == started_at else clock,
    }


def _end(started_at: datetime, duration: timedelta) -> datetime:
    try:
        return started_at + duration
    except OverflowError:  # another clock gave the end
        return datetime.max.replace(tzinfo=UTC)


def _follow(tx: Transaction, rows: Mapping[UUID, Row], changes: Mapping[UUID, Row]) -> None:
    """Let the units follow that runs brought with them, where these are of another unit now.

    The unit that a run was wrongly of goes back to where it was before the run moved it, and the sub-units that the run
    built into it go over to the right one.
    """
    moved = {
        run_id: (rows[run_id]["unit_id"], unit_id)
        for run_id, changed in changes.items()
        if (unit_id := changed.get("unit_id", rows[run_id]["unit_id"])) != rows[run_id]["unit_id"]
    }
    units = get_units_by_id(tx.scope, {unit_id for pair in moved.values() for unit_id in pair})
    for run_id, (before, after) in moved.items():
        undo_moves(tx, run_id, before)
        take_over_sub_units(tx, run_id, units[before], units[after])
