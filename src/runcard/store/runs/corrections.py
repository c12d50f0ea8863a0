"""Corrections of runs: the columns say what is true, and `as_reported` what the report said."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Column, bindparam, select, update

from runcard.domain.errors import Conflict, RunNotFound
from runcard.domain.runs.correction import (
    CorrectedField,
    ReportedField,
    decode_as_reported,
    encode_as_reported,
)
from runcard.store.commit.transaction import Transaction
from runcard.store.engine import tables as t
from runcard.store.engine.chunks import get_rows, in_chunks
from runcard.store.engine.column_types import Id, Instant
from runcard.store.trail.watching import watch

Row = Mapping[str, Any]

# The columns that say a field.
_COLUMNS: Mapping[CorrectedField, Sequence[str]] = {
    "procedure": ("procedure_id", "version_id", "deployment_id"),
    "serial_number": ("unit_id", "sample"),
    "part_number": ("part_id",),
    "revision_number": ("revision_id",),
    "batch_number": ("batch_id",),
    "operator": ("operator_id", "operator_name"),
    "started_at": (
        "started_at",
        "ended_at",
        "reported_started_at",
        "reported_ended_at",
        "clock_started_at",
    ),
}
_CORRECTED = [name for columns in _COLUMNS.values() for name in columns]


def read_for_correction(tx: Transaction, run_ids: Collection[UUID]) -> Mapping[UUID, Row]:
    """The rows of these runs, in the order of `run_ids`, each with the names of what it refers to.

    On PostgreSQL nobody else may change them until the commit. Raises RunNotFound.
    """
    r = t.runs.c
    named = (
        t.procedures.c.name.label("procedure"),
        t.procedure_versions.c.tag.label("version"),
        t.units.c.serial_number.label("unit"),
        t.parts.c.number.label("part"),
        t.revisions.c.number.label("revision"),
        t.batches.c.number.label("batch"),
        t.users.c.name.label("operator"),
    )
    query = (
        select(r.id, r.created_at, r.as_reported, *(r[name] for name in _CORRECTED), *named)
        .join_from(t.runs, t.procedures, t.procedures.c.id == r.procedure_id)
        .join(t.units, t.units.c.id == r.unit_id)
        .join(t.parts, t.parts.c.id == r.part_id)
        .join(t.revisions, t.revisions.c.id == r.revision_id)
        .outerjoin(t.procedure_versions, t.procedure_versions.c.id == r.version_id)
        .outerjoin(t.batches, t.batches.c.id == r.batch_id)
        .outerjoin(t.users, t.users.c.id == r.operator_id)
        .where(tx.owns(r))
        .with_for_update(of=t.runs)
    )
    rows = get_rows(tx.connection, query, run_ids, RunNotFound)
    return {run_id: row._asdict() for run_id, row in rows.items()}


def list_runs_as_unit(tx: Transaction, unit_id: UUID, same: Row) -> Sequence[UUID]:
    """The runs of a unit that have these values in these columns."""
    r = t.runs.c
    conditions = [r[name].is_not_distinct_from(value) for name, value in same.items()]
    query = select(r.id).where(tx.owns(r), r.unit_id == unit_id, *conditions).order_by(r.id)
    return tx.connection.execute(query).scalars().all()


def correct_columns(
    tx: Transaction, rows: Mapping[UUID, Row], changes: Mapping[UUID, Row], why: str
) -> Sequence[UUID]:
    """Give these runs other values in some columns, and return those that had others before.

    rows: as `read_for_correction` returns them. A field that gets back what was reported is corrected no more.
    """
    values = {
        run_id: found for run_id, changed in changes.items() if (found := _corrected(rows[run_id], changed))
    }
    if not values:
        return []
    watch(tx, t.runs, values.keys(), kind="run_corrected", why=why)
    r = t.runs.c
    changed = {name for changed in changes.values() for name in changed}
    columns = {name: bindparam(name, type_=r[name].type) for name in (*changed, "as_reported")}
    statement = update(t.runs).where(tx.owns(r), r.id == bindparam("run_id", type_=r.id.type)).values(columns)
    tx.connection.execute(
        statement,
        [{"run_id": run_id, **{name: row[name] for name in columns}} for run_id, row in values.items()],
    )
    return list(values)


def reported_columns(tx: Transaction, rows: Mapping[UUID, Row]) -> Mapping[UUID, Row]:
    """For each of these runs, the columns as they were reported, where they were corrected.

    Raises Conflict for a run that is not corrected, or whose report named what is no longer there.
    """
    found: dict[UUID, Row] = {}
    for run_id, row in rows.items():
        reported = decode_as_reported(row["as_reported"])
        if not reported:
            raise Conflict(f"Run {run_id} is as it was reported. Leave it out.")
        found[run_id] = {
            name: value for field in reported.values() for name, value in _typed(field.columns).items()
        }
    _check_references(tx, rows, found)
    return found


def _corrected(row: Row, changed: Row) -> dict[str, Any] | None:
    """The columns of a run after a correction, with what was reported; None if nothing changes."""
    reported: dict[CorrectedField, ReportedField] = dict(decode_as_reported(row["as_reported"]))
    is_changed = False
    for field, columns in _COLUMNS.items():
        old = {name: row[name] for name in columns}
        new = {name: changed.get(name, row[name]) for name in columns}
        if old == new:
            continue
        is_changed = True
        if field not in reported:
            reported[field] = ReportedField(_said(row, field), old)
        elif _typed(reported[field].columns) == new:
            del reported[field]
    if not is_changed:
        return None
    after = {name: changed.get(name, row[name]) for name in _CORRECTED}
    return {**after, "as_reported": encode_as_reported(reported)}


def _said(row: Row, field: CorrectedField) -> str | None:
    """What a run says of a field, in the words of people."""
    match field:
        case "operator":
            said: str | None = row["operator"] or row["operator_name"]
        case "started_at":
            moment: datetime = row["reported_started_at"] or row["started_at"]
            said = moment.isoformat()
        case "serial_number":
            said = row["unit"]
        case _:
            said = row[field.removesuffix("_number")]
    return said


def _typed(columns: Row) -> dict[str, Any]:
    """Columns as their table has them, from JSON or already so."""
    return {name: _of_type(t.runs.c[name], value) for name, value in columns.items()}


def _of_type(column: Column[Any], value: Any) -> Any:
    if not isinstance(value, str):
        return value
    if isinstance(column.type, Id):
        return UUID(value)
    return datetime.fromisoformat(value) if isinstance(column.type, Instant) else value


def _check_references(tx: Transaction, rows: Mapping[UUID, Row], changes: Mapping[UUID, Row]) -> None:
    """Check that all records that these columns would name are there. Raises Conflict."""
    for column in (t.runs.c[name] for name in _CORRECTED):
        for key in column.foreign_keys:
            named = {row.get(column.name): run_id for run_id, row in changes.items()}
            named.pop(None, None)
            there: set[UUID] = set()
            for some in in_chunks(named):
                c = key.column.table.c
                there |= {*tx.connection.execute(select(c.id).where(tx.owns(c), c.id.in_(some))).scalars()}
            for lost in named.keys() - there:
                run_id = named[lost]
                field, reported = next(
                    (one, kept)
                    for one, kept in decode_as_reported(rows[run_id]["as_reported"]).items()
                    if column.name in kept.columns
                )
                raise Conflict(
                    f"Run {run_id} cannot get back its {field.replace('_', ' ')} {reported.said}: that was deleted "
                    "or merged since. Restore or split it first, or correct the run to something else."
                )
