"""Keep the copy up to date: follow the change log, and copy each run that it names as the run is now.

A rebuild follows the change log from the start.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from runcard.analytics.copy.columns import Rows, Spec, columns_of, utc
from runcard.analytics.copy.compaction import ENOUGH_ROWS, compact
from runcard.analytics.copy.engines.duckdb import Cursor, DuckDb
from runcard.analytics.copy.schema import INSIDE_RUNS, INTO, TABLES
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

    def __init__(self, database: Database, engine: DuckDb, enough_rows: int = ENOUGH_ROWS) -> None:
        """enough_rows: number of recent measurements from which they are moved to the sorted ones."""
        self._enough_rows = enough_rows
        self._database = database
        self._engine = engine
        self._specs: dict[Spec, int] = {}

    def seen(self) -> int:
        """The last change that the copy has seen."""
        with self._engine.transaction() as cursor:
            return _seen(cursor)

    def step(self) -> Progress:
        """Take in the next changes, all or none. Raises CopyFailed, AnotherHistory and what the database raises."""
        try:
            with self._engine.transaction() as cursor:
                return self._step(cursor)
        except BaseException:
            # The rolled-back transaction may have given some of these numbers.
            self._specs.clear()
            raise

    def _step(self, cursor: Cursor) -> Progress:
        if len(self._specs) > _MAX_SPECS_REMEMBERED:
            self._specs.clear()
        seen = _seen(cursor)
        with self._database.read() as connection:
            changes = list_changes(connection, max(seen - 1, 0), _CHANGES)
            if seen:
                _check_history(cursor, changes[:1])
                changes = changes[1:]
            if not changes:
                return Progress(seen, is_behind=False)
            by_organization: dict[UUID, list[Change]] = defaultdict(list)
            for change in changes:
                by_organization[change.organization_id].append(change)
            for organization_id, some in by_organization.items():
                _Batch(cursor, connection, organization_id, self._specs).take_in(some)
        compact(cursor, self._enough_rows)
        last = changes[-1]
        cursor.execute(
            "UPDATE copy_state SET seq = ?, entity = ?, changed_at = ?",
            [last.seq, last.entity_id, utc(last.changed_at)],
        )
        return Progress(last.seq, is_behind=len(changes) >= _CHANGES - 1)


class _Batch:
    """Takes changes of one organization into the copy."""

    def __init__(
        self, cursor: Cursor, connection: Connection, organization_id: UUID, specs: dict[Spec, int]
    ) -> None:
        self._cursor = cursor
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
            numbers = [run for _, run, _ in found]
            for table in ("runs", *INSIDE_RUNS):
                self._cursor.execute(f"DELETE FROM {table} WHERE run IN ({_marks(numbers)})", numbers)
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
            self._cursor.register("changed", columns_of(kinds, [(run, *found[run]) for run in changed]))
            changes = ", ".join(f"{name} = changed.{name}" for name in Standing._fields)
            self._cursor.execute(f"UPDATE runs SET {changes} FROM changed WHERE runs.run = changed.run")
            self._cursor.unregister("changed")
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

    def _number_procedures(self, procedure_ids: Collection[UUID]) -> dict[UUID, int]:
        for procedure_id in sorted(procedure_ids):
            self._cursor.execute(
                "INSERT INTO procedures SELECT (SELECT coalesce(max(procedure), 0) FROM procedures) + 1, ?, ? "
                "WHERE NOT EXISTS (SELECT 1 FROM procedures WHERE id = ?)",
                [self._organization_id, procedure_id, procedure_id],
            )
        return self._procedure_numbers()

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
        self._cursor.execute(f"DELETE FROM units WHERE id IN ({_marks(ids)})", ids)
        rows = Rows()
        for unit in read_unit_headers(Scope(self._connection, self._organization_id), ids):
            rows.add("units", (unit.id, self._organization_id, unit.serial_key))
        self._insert(rows)

    def _number_specs(self, specs: Sequence[Spec]) -> list[int]:
        """The number of each spec in the copy. New specs get the next numbers."""
        missing = [spec for spec in specs if spec not in self._specs]
        if missing:
            kinds = {name: TABLES["specs"][name] for name in Spec._fields}
            same = " AND ".join(f"s.{name} IS NOT DISTINCT FROM w.{name}" for name in Spec._fields)
            self._cursor.register("wanted_specs", columns_of(kinds, missing))
            self._cursor.execute(
                "INSERT INTO specs "
                "SELECT (SELECT coalesce(max(spec), 0) FROM specs) + row_number() OVER (), w.* "
                f"FROM wanted_specs w WHERE NOT EXISTS (SELECT 1 FROM specs s WHERE {same})"
            )
            found = self._cursor.execute(f"SELECT s.* FROM specs s JOIN wanted_specs w ON {same}").fetchall()
            self._cursor.unregister("wanted_specs")
            self._specs.update((Spec(*spec), number) for number, *spec in found)
        return [self._specs[spec] for spec in specs]

    def _insert(self, rows: Rows) -> None:
        for name, columns in rows.tables(self._number_specs(rows.specs)):
            self._cursor.register("fresh_rows", columns)
            self._cursor.execute(f"INSERT INTO {INTO.get(name, name)} SELECT * FROM fresh_rows")
            self._cursor.unregister("fresh_rows")


def _attempt(run: int, procedure: int, header: CopiedHeader) -> CopiedAttempt:
    voided_at = None if header.voided_at is None else utc(header.voided_at)
    return CopiedAttempt(
        run, header.id, procedure, header.unit_id, utc(header.started_at), header.outcome, voided_at
    )


def _seen(cursor: Cursor) -> int:
    [(seq,)] = cursor.execute("SELECT seq FROM copy_state").fetchall()
    return int(seq)


def _check_history(cursor: Cursor, found: Sequence[Change]) -> None:
    [state] = cursor.execute("SELECT seq, entity, changed_at FROM copy_state").fetchall()
    if [(change.seq, change.entity_id, utc(change.changed_at)) for change in found] != [state]:
        raise AnotherHistory(f"The database has no change {state[0]} as the columnar copy saw it.")


def _marks(values: Iterable[Any]) -> str:
    return ", ".join("?" for _ in values)
