"""Sweeps delete what is older than its organization keeps it, a little at a time, while runs are recorded.

A sweep may end at any point, even by `kill -9`. A transaction deletes completely or not at all, and the next sweep
knows which files still have bytes to remove.
"""

import logging
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import NamedTuple
from uuid import UUID

from runcard.domain.actor import SystemActor
from runcard.domain.errors import ClockDoubted
from runcard.domain.floor.organization import Organization
from runcard.domain.floor.retention import MAX_DAYS, Amount, Cutoffs, is_doubtful, most_of_a_day
from runcard.intake.arrived_files import Stores
from runcard.intake.byte_removal import remove_noted
from runcard.store.commit.lookups import get_organization
from runcard.store.commit.transaction import Transaction
from runcard.store.engine.locks import Lock
from runcard.store.engine.scope import Scope
from runcard.store.files.attachments import Attachment
from runcard.store.people.organizations import list_organizations
from runcard.store.restoring.contents import is_due, list_due
from runcard.store.restoring.purge import purge
from runcard.store.retention.log import last_known, note_swept, removed_on
from runcard.store.retention.old_records import (
    UnitRuns,
    count_kept,
    count_runs_by_unit,
    delete_old_files,
    delete_old_runs,
    list_old_files,
    list_old_runs,
)
from runcard.upkeep.repeated_work import RepeatedWork

_log = logging.getLogger(__name__)

_PAGE = 500
# How much one transaction deletes; stations wait for it. The runs of a unit go together, up to the larger number.
_RUNS_AT_ONCE = 50
_MOST_RUNS_AT_ONCE = 500
_FILES_AT_ONCE = 50

_EVERY_S = 3600.0
# It rests this many times as long as it worked, and at least this long. That makes 250 runs a second, which the
# columnar copy can follow beside its other work. It rests at most _MOST_REST_S: a slow object store holds nobody up.
_REST_RATIO = 4.0
_LEAST_REST_S = 0.2
_MOST_REST_S = 1.0

_Deleted = tuple[Amount, Sequence[Attachment]]


def sweep(
    stores: Stores,
    organization_id: UUID,
    now: datetime,
    *,
    clock_is_right: bool = False,
    at_once: bool = False,
) -> Iterator[Amount]:
    """Delete what is old by the organization's current settings, and yield what each transaction deleted.

    clock_is_right: a user vouches for the clock. at_once: delete everything, not only a day's share. Raises
    ClockDoubted before anything is deleted, and StorageUnavailable where bytes cannot be removed; then the sweep stops.
    """
    return _Sweep(stores, organization_id, now, clock_is_right=clock_is_right, at_once=at_once).run()


def check_clock(scope: Scope, now: datetime) -> None:
    """Check the clock against the last known activity. Raises ClockDoubted where the clock may be wrong."""
    known = last_known(scope, now)
    if known is not None and is_doubtful(now, known):
        raise ClockDoubted(now, known)


class _Sweep(NamedTuple):
    stores: Stores
    organization_id: UUID
    now: datetime
    clock_is_right: bool
    at_once: bool

    def run(self) -> Iterator[Amount]:
        self._empty_bin()
        remove_noted(self.stores, self.organization_id)
        with self.stores.database.read_in(self.organization_id) as scope:
            is_set = get_organization(scope).retention.is_set
            if is_set and not self.clock_is_right:
                check_clock(scope, self.now)
        if is_set:
            yield from self._runs()
            yield from self._files()
            self.stores.writer.write(SystemActor(self.organization_id, "retention"), note_swept)

    def _empty_bin(self) -> None:
        """Remove from the bin for good what has been in it for as long as the organization says."""
        author = SystemActor(self.organization_id, "bin")
        while True:
            with self.stores.database.read_in(self.organization_id) as scope:
                before = self.now - get_organization(scope).kept_in_bin
                due = list_due(scope, before, _PAGE)
                if due and not self.clock_is_right:
                    check_clock(scope, self.now)
            for thing_id in due:
                self.stores.writer.write(author, partial(_purge_due, thing_id=thing_id, now=self.now))
            if len(due) < _PAGE:
                return

    def _runs(self) -> Iterator[Amount]:
        staying: set[UUID] = set()
        after: UUID | None = None
        left: int | None = None
        while left != 0:
            with self.stores.database.read_in(self.organization_id) as scope:
                before = self._cutoffs(get_organization(scope)).runs
                if before is None:
                    return
                page = list_old_runs(scope, before, after, _PAGE)
                found = count_runs_by_unit(scope, {*page.unit_ids} - staying)
            staying |= {unit.unit_id for unit in found if unit.newest_at >= before}
            if due := [unit for unit in found if unit.newest_at < before]:
                left = self._left().runs if left is None else left
                due = _within(due, left)
                left = max(0, left - sum(unit.run_count for unit in due))
            for unit_ids in _in_batches(due):
                yield from self._delete_runs(unit_ids)
            if page.last_id is None:
                return
            after = page.last_id

    def _delete_runs(self, unit_ids: Sequence[UUID]) -> Iterator[Amount]:
        def apply(tx: Transaction) -> _Deleted:
            before = self._cutoffs(tx.catalog.organization(tx.organization_id)).runs
            if before is None:
                return Amount(), ()
            return delete_old_runs(tx, unit_ids, before, _MOST_RUNS_AT_ONCE)

        is_whole = False
        while not is_whole:
            removed = self._delete(apply)
            yield removed
            is_whole = removed.runs < _MOST_RUNS_AT_ONCE

    def _files(self) -> Iterator[Amount]:
        after: UUID | None = None
        left: int | None = None
        while left != 0:
            with self.stores.database.read_in(self.organization_id) as scope:
                before = self._cutoffs(get_organization(scope)).files
                if before is None:
                    return
                page = list_old_files(scope, before, after, _FILES_AT_ONCE)
            if not page:
                return
            left = self._left().files if left is None else left
            page = page[:left]
            left -= len(page)
            if not page:
                return
            yield self._delete_files(page)
            after = page[-1]

    def _delete_files(self, attachment_ids: Sequence[UUID]) -> Amount:
        def apply(tx: Transaction) -> _Deleted:
            before = self._cutoffs(tx.catalog.organization(tx.organization_id)).files
            if before is None:
                return Amount(), ()
            return delete_old_files(tx, attachment_ids, before)

        return self._delete(apply)

    def _delete(self, apply: Callable[[Transaction], _Deleted]) -> Amount:
        removed, deleted = self.stores.writer.write(SystemActor(self.organization_id, "retention"), apply)
        if deleted:
            remove_noted(self.stores, self.organization_id)
        return removed

    def _left(self) -> Amount:
        """How many more runs and files may be deleted today. size_bytes is not used."""
        if self.at_once:
            return Amount(sys.maxsize, sys.maxsize)
        with self.stores.database.read_in(self.organization_id) as scope:
            retention = get_organization(scope).retention
            kept = count_kept(scope)
            gone = removed_on(scope, datetime.now(UTC))
        return Amount(
            most_of_a_day(kept.runs, gone.runs, retention.run_days or MAX_DAYS),
            most_of_a_day(kept.files, gone.files, retention.file_days or MAX_DAYS),
        )

    def _cutoffs(self, organization: Organization) -> Cutoffs:
        """The cutoffs of the current settings: a change of the settings takes effect in a running sweep."""
        return organization.retention.cutoffs(self.now)


def _purge_due(tx: Transaction, thing_id: UUID, now: datetime) -> None:
    """Remove a thing from the bin, unless it was restored or the settings changed meanwhile."""
    kept = tx.catalog.organization(tx.organization_id).kept_in_bin
    if is_due(tx.scope, thing_id, now - kept):
        purge(tx, thing_id, f"It was in the bin for {kept.days} days.")


def _within(due: Sequence[UnitRuns], left: int) -> list[UnitRuns]:
    """The first units, until they have `left` runs together. A unit is deleted whole, so the last may exceed it."""
    taken: list[UnitRuns] = []
    for unit in due:
        if left <= 0:
            break
        taken.append(unit)
        left -= unit.run_count
    return taken


def _in_batches(due: Sequence[UnitRuns]) -> Iterator[Sequence[UUID]]:
    """The ids of the units in batches; each batch has enough runs for one transaction."""
    unit_ids: list[UUID] = []
    run_count = 0
    for unit in due:
        unit_ids.append(unit.unit_id)
        run_count += unit.run_count
        if run_count >= _RUNS_AT_ONCE:
            yield unit_ids
            unit_ids, run_count = [], 0
    if unit_ids:
        yield unit_ids


class Sweeper(RepeatedWork):
    """A thread that sweeps every hour until it is closed. If several servers share a database, only one sweeps."""

    def __init__(self, stores: Stores) -> None:
        super().__init__(
            stores, name="runcard-sweeper", every_s=_EVERY_S, failing="deleting what is old failed"
        )

    def _work(self) -> None:
        with self._stores.database.alone(Lock.SWEEP) as is_alone:
            if not is_alone:
                return
            with self._stores.database.read() as connection:
                organizations = list_organizations(connection)
            for organization in organizations:
                try:
                    self._sweep(organization)
                except ClockDoubted as error:
                    _log.warning("organization %s: nothing is deleted: %s", organization.slug, error)

    def _sweep(self, organization: Organization) -> None:
        removed = Amount()
        try:
            for more in self._rested(sweep(self._stores, organization.id, datetime.now(UTC))):
                removed = removed.with_more(more)
        finally:
            if removed != Amount():
                _log.warning(
                    "organization %s: deleted %d runs and %d files of %d bytes, which were older than it keeps them",
                    organization.slug,
                    *removed,
                )

    def _rested(self, sweeping: Iterator[Amount]) -> Iterator[Amount]:
        started = time.monotonic()
        for removed in sweeping:
            yield removed
            worked_s = time.monotonic() - started
            rest_s = min(max(_LEAST_REST_S, worked_s * _REST_RATIO), _MOST_REST_S)
            if self._closing.wait(rest_s):
                return
            started = time.monotonic()
