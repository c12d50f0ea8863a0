"""Units with the names of what they belong to: reads, changes and deletion."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Select, literal, select, update

from runcard.domain.errors import InUse, UnitNotFound
from runcard.domain.floor.sample import SampleClass
from runcard.domain.runs.outcome import RunOutcome
from runcard.domain.text import lookup_key
from runcard.store.bin.deleting import Deletion
from runcard.store.commit.lookups import UnitRow, find_units
from runcard.store.commit.transaction import Transaction
from runcard.store.engine.chunks import in_chunks
from runcard.store.engine.scope import Scope, owned_by
from runcard.store.engine.tables import batches, parts, procedures, revisions, runs, units
from runcard.store.former_names import SERIAL_NUMBERS, exchange_name, take_name
from runcard.store.lists.refs import (
    CREATOR_COLUMNS,
    CreatedBy,
    Named,
    Numbered,
    PartRef,
    SerialRef,
    created_by,
    with_creator,
)
from runcard.store.runs.rows import delete_runs
from runcard.store.trail.watching import watch
from runcard.store.units.rows import delete_unit


class UnitRecord(NamedTuple):
    """A unit, and where it belongs now.

    sample: None for a production unit. created_during_run_id: the run that first named the unit; that run may be
    deleted.
    """

    id: UUID
    serial_number: str
    created_at: datetime
    sample: SampleClass | None
    created_during_run_id: UUID | None
    part: PartRef
    revision: Numbered
    batch: Numbered | None
    parent: SerialRef | None
    created_by: CreatedBy


class FirstRun(NamedTuple):
    """The run that first named a unit. For its times see `RunRecord`."""

    id: UUID
    created_at: datetime
    started_at: datetime
    ended_at: datetime
    outcome: RunOutcome
    procedure: Named
    reported_started_at: datetime | None
    reported_ended_at: datetime | None


class PlaceNumbers(NamedTuple):
    part: str
    revision: str


def get_unit(scope: Scope, serial_number: str) -> UnitRecord:
    """The unit that has this serial number, or else had it before. Raises UnitNotFound."""
    key = (scope.organization_id, lookup_key(serial_number))
    row = find_units(scope.connection, [key]).get(key)
    if row is None:
        raise UnitNotFound(serial_number)
    return read_units(scope, [row.id])[row.id]


def read_units(scope: Scope, unit_ids: Collection[UUID]) -> Mapping[UUID, UnitRecord]:
    """Those of these units that exist, by id."""
    found: dict[UUID, UnitRecord] = {}
    for some in in_chunks(unit_ids):
        rows = scope.connection.execute(_records(scope.organization_id, units.c.id.in_(some)))
        found |= {row[0]: _record(*row) for row in rows}
    return found


def get_unit_by_id(scope: Scope, unit_id: UUID) -> UnitRecord:
    """The unit with this id. Raises UnitNotFound."""
    unit = read_units(scope, [unit_id]).get(unit_id)
    if unit is None:
        raise UnitNotFound(unit_id)
    return unit


def list_newest_units(scope: Scope, limit: int) -> Sequence[UnitRecord]:
    """The units that were recorded last, newest first."""
    u = units.c
    # The ids are found before any join, or SQLite joins all units and sorts them.
    newest = select(u.id).where(scope.owns(u)).order_by(u.created_at.desc(), u.id.desc()).limit(limit)
    found = read_units(scope, list(scope.connection.execute(newest).scalars()))
    return sorted(found.values(), key=lambda unit: (unit.created_at, unit.id), reverse=True)


def list_children(
    scope: Scope, unit_id: UUID, at_most: int | None = None, skipped: int = 0
) -> Sequence[UnitRecord]:
    """The units that are part of this unit, oldest first. at_most: None: all of them."""
    query = _records(scope.organization_id, units.c.parent_id == unit_id).order_by(units.c.id)
    query = query.limit(at_most).offset(skipped)
    return [_record(*row) for row in scope.connection.execute(query)]


def list_ancestors(scope: Scope, unit_id: UUID, at_most: int) -> Sequence[SerialRef]:
    """The parent of a unit, the parent of that, and so on: at most `at_most` units, nearest first."""
    u = units.c
    line = (
        select(u.parent_id.label("id"), literal(1).label("height"))
        .where(scope.owns(u), u.id == unit_id)
        .cte(recursive=True)
    )
    above = select(u.parent_id, line.c.height + 1).join_from(line, units, u.id == line.c.id)
    line = line.union_all(above.where(line.c.height < at_most))
    query = select(u.id, u.serial_number).join_from(line, units, u.id == line.c.id).order_by(line.c.height)
    return [SerialRef(*row) for row in scope.connection.execute(query)]


def find_first_run(scope: Scope, unit: UnitRecord) -> FirstRun | None:
    """The run that first named a unit; None if no run did, or if the run is deleted."""
    r, p = runs.c, procedures.c
    query = (
        select(
            r.id, r.created_at, r.started_at, r.ended_at, r.outcome, p.id, p.name,
            r.reported_started_at, r.reported_ended_at,
        )
        .join_from(runs, procedures, p.id == r.procedure_id)
        .where(scope.owns(r), r.id == unit.created_during_run_id)
    )  # fmt: skip
    row = scope.connection.execute(query).one_or_none()
    return None if row is None else FirstRun(*row[:5], Named(*row[5:7]), *row[7:])


def read_place_numbers(scope: Scope, unit_id: UUID) -> PlaceNumbers:
    """The numbers of the part and the revision of a unit that exists."""
    u = units.c
    query = (
        select(parts.c.number, revisions.c.number)
        .join_from(units, parts, parts.c.id == u.part_id)
        .join(revisions, revisions.c.id == u.revision_id)
        .where(scope.owns(u), u.id == unit_id)
    )
    return PlaceNumbers(*scope.connection.execute(query).one())


def rename_unit(tx: Transaction, unit: UnitRow, serial_number: str, *, leads_on: bool = True) -> None:
    """Give a unit another serial number, which must be free. leads_on: the old one still finds the unit."""
    u, values = units.c, {"serial_number": serial_number, "serial_key": lookup_key(serial_number)}
    watch(tx, units, [unit.id])
    tx.connection.execute(update(units).where(tx.owns(u), u.id == unit.id).values(values))
    if leads_on:
        exchange_name(tx, SERIAL_NUMBERS, unit.id, unit.serial_number, serial_number)
    else:
        take_name(tx, SERIAL_NUMBERS, serial_number)


def delete_units(
    tx: Transaction, serial_numbers: Iterable[str], deletion: Deletion, *, with_runs: bool
) -> Sequence[UUID]:
    """Delete all of these units, and return their ids; their sub-units stay and lose their parent.

    with_runs: delete their runs too. Without it, raises InUse for a unit that has runs. Raises UnitNotFound.
    """
    found = [tx.catalog.get_unit(tx.organization_id, serial) for serial in serial_numbers]
    deleted: list[UUID] = []
    for unit in {one.id: one for one in found}.values():
        run_ids = tx.connection.execute(select(runs.c.id).where(runs.c.unit_id == unit.id)).scalars().all()
        if run_ids and not with_runs:
            raise InUse(f"Unit {unit.serial_number}", len(run_ids), "runs (cascade=true deletes them too)")
        of_unit = deletion.of(unit.id)
        if run_ids:
            delete_runs(tx, run_ids, of_unit)
        delete_unit(tx, unit.id, of_unit)
        deleted.append(unit.id)
    return deleted


_parents = units.alias("parents")


def _records(organization_id: UUID, *conditions: ColumnElement[bool]) -> Select[Any]:
    u, p, r, b = units.c, parts.c, revisions.c, batches.c
    joined = (
        units.join(parts, p.id == u.part_id)
        .join(revisions, r.id == u.revision_id)
        .outerjoin(batches, b.id == u.batch_id)
        .outerjoin(_parents, _parents.c.id == u.parent_id)
    )
    own = [u.id, u.serial_number, u.created_at, u.sample, u.created_during_run_id]
    named = [p.id, p.number, p.name, r.id, r.number, b.id, b.number, _parents.c.id, _parents.c.serial_number]
    return (
        select(*own, *named, *CREATOR_COLUMNS)
        .select_from(with_creator(units, joined))
        .where(owned_by(organization_id, u), *conditions)
    )


def _record(*row: Any) -> UnitRecord:
    unit_id, serial_number, created_at, sample, run_id, *joined = row
    batch, parent = joined[5:7], joined[7:9]
    return UnitRecord(
        unit_id,
        serial_number,
        created_at,
        sample,
        run_id,
        part=PartRef(*joined[:3]),
        revision=Numbered(*joined[3:5]),
        batch=None if batch[0] is None else Numbered(*batch),
        parent=None if parent[0] is None else SerialRef(*parent),
        created_by=created_by(*joined[9:]),
    )
