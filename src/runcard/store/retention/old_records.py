"""Runs and files that are older than their organization keeps them, and their deletion.

The runs of a unit are deleted together, once the last of them was recorded before the cutoff. So the history of a unit
is whole or absent, and no retest becomes a first pass. A file is deleted with its run, or alone if it and its run both
came before the cutoff of files.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple, cast
from uuid import UUID

from sqlalchemy import CTE, ColumnElement, Connection, FromClause, and_, exists, func, or_, select

from runcard.domain.floor.retention import Amount, Cutoffs
from runcard.domain.ids import first_id_at
from runcard.store.bin.deleting import Deletion
from runcard.store.commit.transaction import Transaction
from runcard.store.engine.chunks import in_chunks
from runcard.store.engine.scope import Scope, owned_by
from runcard.store.engine.tables import attachments, file_imports, imported_runs, runs, units
from runcard.store.files.attachments import Attachment
from runcard.store.files.imports import expire_imports
from runcard.store.files.removal import delete_attachments, is_named, reported
from runcard.store.retention.log import note_removed
from runcard.store.runs.rows import delete_runs


class Due(NamedTuple):
    """How many are due. oldest_at, newest_at: when the first and last run started or file came; None if none is due."""

    total: int
    oldest_at: datetime | None
    newest_at: datetime | None


class Forecast(NamedTuple):
    """What would be deleted now. size_bytes: of the files."""

    runs: Due
    files: Due
    size_bytes: int

    @property
    def is_empty(self) -> bool:
        return not self.runs.total and not self.files.total


class OldRuns(NamedTuple):
    """A page of old runs. unit_ids: their units. last_id: the run after which the next page starts; None: no more."""

    unit_ids: Collection[UUID]
    last_id: UUID | None


class UnitRuns(NamedTuple):
    """How many runs a unit has. newest_at: when the last of them was recorded."""

    unit_id: UUID
    run_count: int
    newest_at: datetime


_NOTHING = Due(0, None, None)
# Nothing of it is kept, or retention would keep what it should delete.
EXPIRED = Deletion(why="It is older than the organization keeps it.", is_kept=False)


def forecast(scope: Scope, cutoffs: Cutoffs) -> Forecast:
    """What would be deleted now. Reads every run of the organization."""
    a = attachments.c
    due_runs, joined = _NOTHING, cast(FromClause, attachments)
    conditions: list[ColumnElement[bool]] = []
    if cutoffs.runs is not None:
        due = _due_units(scope.organization_id, cutoffs.runs)
        due_runs = _sum_of(scope.connection, due)
        joined, goes = _files_of(scope.organization_id, due)
        conditions.append(goes)
    if cutoffs.files is not None:
        conditions.append(_is_old_file(cutoffs.files))
    if not conditions:
        return Forecast(_NOTHING, _NOTHING, 0)
    size_bytes = func.coalesce(func.sum(a.size_bytes), 0)
    query = (
        select(func.count(), func.min(a.created_at), func.max(a.created_at), size_bytes)
        .select_from(joined)
        .where(scope.owns(a), or_(*conditions), *_is_free())
    )
    *files, total = scope.connection.execute(query).one()
    return Forecast(due_runs, Due(*files), int(total))


def count_kept(scope: Scope) -> Amount:
    """How many runs and files of runs the organization has."""
    r, a = runs.c, attachments.c
    run_count = select(func.count()).select_from(runs).where(scope.owns(r))
    size_bytes = func.coalesce(func.sum(a.size_bytes), 0)
    of_runs = (
        scope.owns(a),
        a.unit_id.is_(None),
        or_(a.run_id.is_not(None), reported()),
    )
    files, size = scope.connection.execute(select(func.count(), size_bytes).where(*of_runs)).one()
    return Amount(scope.connection.execute(run_count).scalar_one(), files, int(size))


def list_old_runs(scope: Scope, before: datetime, after: UUID | None, limit: int) -> OldRuns:
    """The next old runs, after the run with the id `after`.

    Ids are in the order of creation, so no old run comes after a page without old runs.
    """
    r = runs.c
    query = select(r.id, r.unit_id, r.created_at).where(scope.owns(r))
    if after is not None:
        query = query.where(r.id > after)
    page = scope.connection.execute(query.order_by(r.id).limit(limit)).all()
    old = dict.fromkeys(row.unit_id for row in page if row.created_at < before)
    return OldRuns(old, page[-1].id if old else None)


def count_runs_by_unit(scope: Scope, unit_ids: Collection[UUID]) -> Sequence[UnitRuns]:
    """The number of runs of each of these units that has any."""
    r, u = runs.c, units.c
    found: list[UnitRuns] = []
    for some in in_chunks(unit_ids):
        # Through `units`, or SQLite takes the organization for a rarer value than this many units.
        query = (
            select(r.unit_id, func.count(), func.max(r.created_at))
            .join_from(units, runs, r.unit_id == u.id)
            .where(scope.owns(u), u.id.in_(some))
            .group_by(r.unit_id)
        )
        found += [UnitRuns(*row) for row in scope.connection.execute(query)]
    return found


def delete_old_runs(
    tx: Transaction, unit_ids: Collection[UUID], before: datetime, at_most: int
) -> tuple[Amount, Sequence[Attachment]]:
    """Delete at most `at_most` runs, with their files, of those of these units whose last run is old.

    Returns how much was deleted, which is also noted in the log, and the attachments whose bytes must still be removed.
    """
    known = count_runs_by_unit(tx.scope, unit_ids)
    old = [unit.unit_id for unit in known if unit.newest_at < before]
    r, u = runs.c, units.c
    due = (
        select(r.id)
        .join_from(units, runs, r.unit_id == u.id)
        .where(tx.owns(u), u.id.in_(old))
        .order_by(u.id, r.id)
        .limit(at_most)
    )
    run_ids = tx.connection.execute(due).scalars().all()
    deleted = delete_runs(tx, run_ids, EXPIRED)
    expire_imports(tx, deleted.import_ids)
    return _note(tx, len(deleted.ids), deleted.files), deleted.files


def list_old_files(scope: Scope, before: datetime, after: UUID | None, limit: int) -> Sequence[UUID]:
    """The ids of the next old files of runs that may be deleted, after the file with the id `after`."""
    a = attachments.c
    query = select(a.id).where(scope.owns(a), _is_old_file(before), *_is_free())
    if after is not None:
        query = query.where(a.id > after)
    return scope.connection.execute(query.order_by(a.id).limit(limit)).scalars().all()


def delete_old_files(
    tx: Transaction, attachment_ids: Collection[UUID], before: datetime
) -> tuple[Amount, Sequence[Attachment]]:
    """Delete those of these files that are still old. Returns the same as `delete_old_runs`."""
    a = attachments.c
    mine = (tx.owns(a), a.id.in_(attachment_ids))
    old = select(a.id).where(*mine, _is_old_file(before), *_is_free()).order_by(a.id)
    gone = delete_attachments(tx, tx.connection.execute(old).scalars().all(), EXPIRED)
    return _note(tx, 0, gone), gone


def _note(tx: Transaction, run_count: int, gone: Sequence[Attachment]) -> Amount:
    removed = Amount(run_count, len(gone), sum(file.size_bytes or 0 for file in gone))
    note_removed(tx, removed)
    return removed


def _is_free() -> tuple[ColumnElement[bool], ...]:
    """The conditions that nothing but a run needs a file."""
    return attachments.c.unit_id.is_(None), ~is_named()


def _is_old_file(before: datetime) -> ColumnElement[bool]:
    """The condition that a file came before this moment, and that all its runs were recorded before it."""
    a, r = attachments.c, runs.c
    of_old_run = exists().where(r.id == a.run_id, r.created_at < before).correlate(attachments)
    return and_(
        # An id is made when its file is announced, and the rows lie in the order of their ids.
        a.id < first_id_at(before),
        or_(of_old_run, and_(a.run_id.is_(None), reported())),
        ~reported(r.created_at >= before),
    )


# Unscoped: a sum of rows that were found in the scope.
def _sum_of(connection: Connection, due: CTE) -> Due:
    d = due.c
    total, oldest_at, newest_at = connection.execute(
        select(func.coalesce(func.sum(d.run_count), 0), func.min(d.oldest_at), func.max(d.newest_at))
    ).one()
    return Due(int(total), oldest_at, newest_at)


def _due_units(organization_id: UUID, before: datetime) -> CTE:
    """The units whose runs are due."""
    r = runs.c
    return (
        select(
            r.unit_id,
            func.count().label("run_count"),
            func.min(r.started_at).label("oldest_at"),
            func.max(r.started_at).label("newest_at"),
        )
        .where(owned_by(organization_id, r))
        .group_by(r.unit_id)
        .having(func.max(r.created_at) < before)
        .cte("due")
    )


def _files_of(organization_id: UUID, due: CTE) -> tuple[FromClause, ColumnElement[bool]]:
    """The attachments joined with their runs and reports, and the condition that one is due with runs of these units.

    A report of several runs stays as long as one of the runs stays.
    """
    a, r, f, i, d = attachments.c, runs.c, file_imports.c, imported_runs.c, due.c
    reports = (
        select(f.attachment_id, (func.count() - func.count(d.unit_id)).label("staying"))
        .join_from(file_imports, imported_runs, i.file_import_id == f.id)
        .join(runs, r.id == i.run_id)
        .outerjoin(due, d.unit_id == r.unit_id)
        .where(owned_by(organization_id, f), f.attachment_id.is_not(None))
        .group_by(f.attachment_id)
        .subquery("reports")
    )
    joined = (
        attachments.outerjoin(runs, r.id == a.run_id)
        .outerjoin(due, d.unit_id == r.unit_id)
        .outerjoin(reports, reports.c.attachment_id == a.id)
    )
    is_of_these = or_(d.unit_id.is_not(None), and_(a.run_id.is_(None), reports.c.attachment_id.is_not(None)))
    return joined, and_(is_of_these, func.coalesce(reports.c.staying, 0) == 0)
