"""Keep the copy up to date: follow the change log, and copy each run that it names as the run is now.

A rebuild follows the change log from the start.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence, Set
from itertools import count
from typing import Any, NamedTuple
from uuid import UUID

from runcard.analytics.copy.columns import Rows, Spec, columns_of, utc
from runcard.analytics.copy.engines.engine import Batch, Engine, LastSeen
from runcard.analytics.copy.schema import TABLES
from runcard.analytics.copy.standing import CopiedAttempt, GoneAttempt, Standing, standings
from runcard.store.bin.tombstones import list_gone_runs, list_units_of_gone_runs
from runcard.store.commit.changes import Change, list_changes
from runcard.store.engine.database import Connection, Database
from runcard.store.engine.scope import Scope
from runcard.store.runs.headers import CopiedHeader, read_unit_headers, read_whole_runs

# Changes in one transaction of the copy. A run makes two or three changes at most, and about 110 rows.
_CHANGES = 400
_MAX_SPECS_REMEMBERED = 100_000

# A run that was restored from the bin is new to the copy.
_ADDING = ("run_recorded", "run_restored")
_OF_RUNS = (*_ADDING, "run_changed", "run_corrected", "run_voided", "run_unvoided", "run_deleted")
# After a merge or a split, deleted runs count on another procedure; see `_gone`.
_OF_PROCEDURES = ("procedure_merged", "procedure_split", "procedure_changed")
_OF_UNITS = (
    "unit_created",
    "unit_moved",
    "unit_changed",
    "unit_corrected",
    "unit_deleted",
    "unit_restored",
    "unit_merged",
    "unit_took_over",
    "unit_split",
)


class Progress(NamedTuple):
    """seq: the last change that the copy has seen. is_behind: the step was full, so more may follow."""

    seq: int
    is_behind: bool


class AnotherHistory(Exception):
    """The database lacks the change that the copy saw last: a backup was restored, or it is another database."""


class Projector:
    """Brings the changes of one database into one copy."""

    def __init__(self, database: Database, engine: Engine) -> None:
        self._database = database
        self._engine = engine
        self._specs: dict[Spec, int] = {}
        self._is_ready = False

    def seen(self) -> int:
        """The last change that the copy has seen."""
        return self._engine.last_seen().seq

    def step(self) -> Progress:
        """Take in the next changes, all or none. Raises CopyFailed, AnotherHistory and what the database raises."""
        try:
            if not self._is_ready:
                self._engine.make_ready()
                self._is_ready = True
            return self._step(self._engine.last_seen())
        except BaseException:
            self._is_ready = False
            # The batch that was undone may have given some of these numbers.
            self._specs.clear()
            raise

    def _step(self, seen: LastSeen) -> Progress:
        if len(self._specs) > _MAX_SPECS_REMEMBERED:
            self._specs.clear()
        with self._database.read() as connection:
            changes = list_changes(connection, max(seen.seq - 1, 0), _CHANGES)
            if seen.seq:
                if [_seen(change) for change in changes[:1]] != [seen]:
                    raise AnotherHistory(
                        f"The database has no change {seen.seq} as the columnar copy saw it."
                    )
                changes = changes[1:]
            if not changes:
                return Progress(seen.seq, is_behind=False)
            by_organization: dict[UUID, list[Change]] = defaultdict(list)
            for change in changes:
                by_organization[change.organization_id].append(change)
            with self._engine.batch(_seen(changes[-1])) as batch:
                for organization_id, some in by_organization.items():
                    _Taking(batch, connection, organization_id, self._specs).take_in(some)
        return Progress(changes[-1].seq, is_behind=len(changes) >= _CHANGES - 1)


class _Taking:
    """Takes changes of one organization into the copy."""

    def __init__(
        self, batch: Batch, connection: Connection, organization_id: UUID, specs: dict[Spec, int]
    ) -> None:
        self._batch = batch
        self._cursor = batch.cursor
        self._connection = connection
        self._organization_id = organization_id
        self._specs = specs

    def take_in(self, changes: Sequence[Change]) -> None:
        run_ids = {change.entity_id for change in changes if change.kind in _OF_RUNS}
        unit_ids = {change.entity_id for change in changes if change.kind in _OF_UNITS}
        recorded = {change.entity_id: change.seq for change in changes if change.kind in _ADDING}
        removed, their_units = self._remove_runs(run_ids)
        runs = {**removed, **recorded}
        scope = Scope(self._connection, self._organization_id)
        found = read_whole_runs(scope, run_ids & runs.keys())
        numbered = self._number_procedures({header.procedure_id for header, _ in found})
        unit_ids |= their_units | {header.unit_id for header, _ in found}
        merged = {change.entity_id for change in changes if change.kind in _OF_PROCEDURES}
        unit_ids |= {*list_units_of_gone_runs(scope, merged)}
        fresh = [_attempt(runs[header.id], numbered[header.procedure_id], header) for header, _ in found]
        self._copy_units(unit_ids)
        standing = self._restand(fresh, unit_ids)
        rows = Rows()
        for (header, document), attempt in zip(found, fresh, strict=True):
            rows.add_run(
                attempt.run,
                self._organization_id,
                attempt.procedure,
                header,
                document,
                standing[attempt.run],
            )
        self._insert(rows)

    def _remove_runs(self, run_ids: Collection[UUID]) -> tuple[dict[UUID, int], set[UUID]]:
        """Delete these runs from the copy; return the numbers of those that were in it, by id, and their units."""
        ids = list(run_ids)
        found = (
            self._cursor.execute(
                f"SELECT id, run, unit FROM runs WHERE id IN ({_marks(ids)})", ids
            ).fetchall()
            if ids
            else []
        )
        if found:
            self._batch.remove_runs([run for _, run, _ in found])
        return {run_id: run for run_id, run, _ in found}, {unit for _, _, unit in found}

    def _restand(self, fresh: Sequence[CopiedAttempt], unit_ids: Collection[UUID]) -> Mapping[int, Standing]:
        """Correct the standing of all runs of these units in the copy; return it, and that of the fresh runs."""
        ids = list(unit_ids)
        columns = ", ".join((*CopiedAttempt._fields, *Standing._fields))
        rows = (
            self._cursor.execute(f"SELECT {columns} FROM runs WHERE unit IN ({_marks(ids)})", ids).fetchall()
            if ids
            else []
        )
        width = len(CopiedAttempt._fields)
        there = [CopiedAttempt(*row[:width]) for row in rows]
        found = standings([*there, *fresh], self._gone(unit_ids))
        changed = [
            attempt.run for attempt, row in zip(there, rows, strict=True) if found[attempt.run] != row[width:]
        ]
        if changed:
            kinds = {name: TABLES["runs"][name] for name in ("run", *Standing._fields)}
            self._batch.restand(columns_of(kinds, [(run, *found[run]) for run in changed]))
        return found

    def _gone(self, unit_ids: Collection[UUID]) -> Sequence[GoneAttempt]:
        """The deleted runs of these units, on procedures that the copy knows: only there are runs to number."""
        gone = list_gone_runs(Scope(self._connection, self._organization_id), unit_ids)
        numbers = self._procedure_numbers() if gone else {}
        return [
            GoneAttempt(run.id, numbers[run.procedure_id], run.unit_id, utc(run.started_at), run.outcome)
            for run in gone
            if run.procedure_id in numbers
        ]

    def _number_procedures(self, procedure_ids: Set[UUID]) -> dict[UUID, int]:
        known = self._procedure_numbers()
        missing = sorted(procedure_ids - known.keys())
        if missing:
            rows = Rows()
            fresh = dict(zip(missing, self._next_numbers("procedure", "procedures"), strict=False))
            for procedure_id, number in fresh.items():
                rows.add("procedures", (number, self._organization_id, procedure_id))
            self._insert(rows)
            known.update(fresh)
        return known

    def _next_numbers(self, column: str, table: str) -> Iterator[int]:
        """The numbers that are free."""
        [(highest,)] = self._cursor.execute(f"SELECT coalesce(max({column}), 0) FROM {table}").fetchall()
        return count(int(highest) + 1)

    def _procedure_numbers(self) -> dict[UUID, int]:
        """The number of each procedure of the organization that the copy knows."""
        return dict(
            self._cursor.execute(
                "SELECT id, procedure FROM procedures WHERE organization = ?", [self._organization_id]
            ).fetchall()
        )

    def _copy_units(self, unit_ids: Collection[UUID]) -> None:
        ids = list(unit_ids)
        if not ids:
            return
        self._batch.remove_units(ids)
        rows = Rows()
        for unit in read_unit_headers(Scope(self._connection, self._organization_id), ids):
            rows.add("units", (unit.id, self._organization_id, unit.serial_key))
        self._insert(rows)

    def _number_specs(self, specs: Sequence[Spec]) -> list[int]:
        """The number of each spec in the copy. New specs get the next numbers."""
        missing = [spec for spec in specs if spec not in self._specs]
        if missing:
            self._specs.update(self._find_specs(missing))
            rows = Rows()
            new = [spec for spec in missing if spec not in self._specs]
            for spec, number in zip(new, self._next_numbers("spec", "specs") if new else (), strict=False):
                rows.add("specs", (number, *spec))
                self._specs[spec] = number
            self._insert(rows)
        return [self._specs[spec] for spec in specs]

    def _find_specs(self, specs: Sequence[Spec]) -> Mapping[Spec, int]:
        """The numbers of those of these specs that the copy has, and of some that are alike."""
        alike, values = ["TRUE"], list[Any]()
        for column in ("procedure", "phase", "name", "lower", "upper"):
            known = {getattr(spec, column) for spec in specs} - {None}
            if known:
                alike.append(f"({column} IS NULL OR {column} IN ({_marks(known)}))")
                values += known
        columns = ", ".join(Spec._fields)
        found = self._cursor.execute(f"SELECT spec, {columns} FROM specs WHERE {' AND '.join(alike)}", values)
        return {Spec(*spec): number for number, *spec in found.fetchall()}

    def _insert(self, rows: Rows) -> None:
        for name, columns in rows.tables(self._number_specs(rows.specs) if rows.specs else ()):
            self._batch.insert(name, columns)


def _attempt(run: int, procedure: int, header: CopiedHeader) -> CopiedAttempt:
    voided_at = None if header.voided_at is None else utc(header.voided_at)
    return CopiedAttempt(
        run,
        header.id,
        procedure,
        header.unit_id,
        utc(header.started_at),
        header.outcome,
        voided_at,
        header.created_by_station_id,
    )


def _seen(change: Change) -> LastSeen:
    return LastSeen(change.seq, change.entity_id, utc(change.changed_at))


def _marks(values: Iterable[Any]) -> str:
    return ", ".join("?" for _ in values)
