"""Repairs of units: a header, by which lists filter and sort, and the report as it was claimed."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, Select, delete, select

from runcard.domain.floor.repair import REPORT_ID, RepairReport
from runcard.store.bin.deleting import Deletion, before_deleting, bury
from runcard.store.commit.transaction import Transaction
from runcard.store.creator import Creator
from runcard.store.engine import tables as t
from runcard.store.engine.scope import Scope, owned_by
from runcard.store.engine.tables import repairs
from runcard.store.lists.pages import Listed, Page, fetch_page, known_at
from runcard.store.lists.part_numbers import parts_called
from runcard.store.lists.refs import (
    CREATOR_COLUMNS,
    CreatedBy,
    Numbered,
    SerialRef,
    UserRef,
    created_by,
    with_creator,
)
from runcard.store.lists.serials import units_called
from runcard.store.trail.watching import note_reported

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(RepairReport)


class RepairRow(NamedTuple):
    """The header of a repair. operator_id: a member; operator_name: the name of somebody who is no member."""

    id: UUID
    unit_id: UUID
    file_import_id: UUID
    started_at: datetime
    operator_id: UUID | None
    operator_name: str | None


class RepairFilter(NamedTuple):
    """Conditions that a repair must all meet. None: no condition. Bounds are inclusive.

    part_numbers: of the part of the unit now.
    """

    ids: Sequence[UUID] | None = None
    serial_numbers: Sequence[str] | None = None
    part_numbers: Sequence[str] | None = None
    started_after: datetime | None = None
    started_before: datetime | None = None


class RepairRecord(NamedTuple):
    """part: the unit's part now. operator_name: the name of somebody who is no member.

    run_id: the run that sent the unit to repair; None if no run of the unit came from the report that the repair names.
    """

    id: UUID
    unit: SerialRef
    part: Numbered
    operator: UserRef | None
    operator_name: str | None
    run_id: UUID | None
    report: RepairReport
    created_at: datetime
    created_by: CreatedBy


def stage_repair(tx: Transaction, row: RepairRow, report: RepairReport, creator: Creator) -> None:
    """Add a repair."""
    own = {**row._asdict(), "body": _encoder.encode(report)}
    kept = {**own, "organization_id": tx.organization_id, "created_at": tx.now, **creator.columns}
    tx.stage(repairs, kept)
    note_reported(tx, "repair_recorded", repairs, kept)


def delete_repair(tx: Transaction, repair_id: UUID, deletion: Deletion) -> bool:
    """Delete a repair; its unit stays. Returns False if there is no such repair."""
    r = repairs.c
    remains = before_deleting(tx, repairs, [repair_id], deletion)
    deleted = tx.connection.execute(delete(repairs).where(tx.owns(r), r.id == repair_id)).rowcount
    bury(tx, remains.values(), deletion)
    return bool(deleted)


def list_repairs(
    scope: Scope, repair_filter: RepairFilter, page: Page, *, descending: bool
) -> Listed[RepairRecord]:
    """A page of repairs in the order of their starts; equal repairs in order of creation, same direction."""
    r = repairs.c
    query = _records(scope.organization_id).where(
        *known_at(page, "repair_recorded", r.id), *_conditions(scope.organization_id, repair_filter)
    )
    order = (column.desc() if descending else column for column in (r.started_at, r.id))
    listed = fetch_page(scope.connection, query.order_by(*order), page, _record)
    failed = _failed_runs(scope, listed.rows)
    found = [
        repair._replace(run_id=failed.get((repair.unit.id, repair.report.of_report)))
        for repair in listed.rows
    ]
    return Listed(found, listed.has_more, listed.total)


_operators = t.users.alias("operators")


def _records(organization_id: UUID) -> Select[Any]:
    r, u, p, o = repairs.c, t.units.c, t.parts.c, _operators.c
    joined = (
        repairs.join(t.units, u.id == r.unit_id)
        .join(t.parts, p.id == u.part_id)
        .outerjoin(_operators, o.id == r.operator_id)
    )
    return (
        select(
            r.id, u.id, u.serial_number, p.id, p.number, o.id, o.name, o.email, r.operator_name, r.body,
            r.created_at, *CREATOR_COLUMNS,
        )
        .select_from(with_creator(repairs, joined))
        .where(owned_by(organization_id, r))
    )  # fmt: skip


def _record(repair_id: UUID, *values: Any) -> RepairRecord:
    operator_id, name, email, operator_name, body, created_at, *creator = values[4:]
    return RepairRecord(
        repair_id,
        SerialRef(*values[:2]),
        Numbered(*values[2:4]),
        None if operator_id is None else UserRef(operator_id, name, email),
        operator_name,
        None,
        _decoder.decode(body),
        created_at,
        created_by(*creator),
    )


def _conditions(organization_id: UUID, repair_filter: RepairFilter) -> Iterator[ColumnElement[bool]]:
    r, p = repairs.c, t.parts.c
    if repair_filter.ids is not None:
        yield r.id.in_(repair_filter.ids)
    if repair_filter.serial_numbers is not None:
        yield r.unit_id.in_(units_called(organization_id, repair_filter.serial_numbers))
    if repair_filter.part_numbers is not None:
        yield p.id.in_(parts_called(organization_id, repair_filter.part_numbers))
    if repair_filter.started_after is not None:
        yield r.started_at >= repair_filter.started_after
    if repair_filter.started_before is not None:
        yield r.started_at <= repair_filter.started_before


def _failed_runs(scope: Scope, found: Sequence[RepairRecord]) -> Mapping[tuple[UUID, str | None], UUID]:
    """By unit and report, the last run of the unit that came from the report that one of its repairs names."""
    reports = {(of.unit.id, of.report.of_report) for of in found if of.report.of_report is not None}
    if not reports:
        return {}
    r, e = t.runs.c, t.metadata_entries.c
    query = (
        select(r.unit_id, e.text, r.id)
        .join_from(t.runs, t.metadata_entries, e.entity_id == r.id)
        .where(
            scope.owns(r),
            r.unit_id.in_({unit_id for unit_id, _ in reports}),
            e.key == REPORT_ID,
            e.text.in_({report for _, report in reports}),
        )
        .order_by(r.started_at, r.id)
    )
    return {(unit_id, report): run_id for unit_id, report, run_id in scope.connection.execute(query)}
