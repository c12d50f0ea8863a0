"""Collect the phases of a run from the rows of its table.

All rows that name a phase belong to the same attempt, wherever they are in the table, until a row repeats one of its
measurements. That row begins another attempt.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, get_args

from runcard.domain.errors import InvalidInput
from runcard.domain.runs.measurement import Measurement
from runcard.domain.runs.outcome import PhaseOutcome
from runcard.domain.runs.phase import Phase, RetryCounter
from runcard.importers.content.cells import moment_of, text_of
from runcard.importers.tables.fields import RunPeriod
from runcard.importers.tables.mapping import TablePhases
from runcard.importers.tables.measurements import MeasuredCell
from runcard.importers.tables.outcome_words import outcome_of
from runcard.importers.tables.table import Column, Row, Table

DEFAULT_PHASE = "Measurements"
_OUTCOMES: tuple[PhaseOutcome, ...] = get_args(PhaseOutcome)


@dataclass
class _Attempt:
    name: str
    measurements: dict[str, Measurement] = field(default_factory=dict)
    outcome: PhaseOutcome | None = None
    outcome_row: int = 0
    started_at: datetime | None = None
    ended_at: datetime | None = None

    def phase(self, run: RunPeriod, retry_count: int) -> Phase:
        """The phase of this attempt. Without an outcome, one FAIL in it decides; without times, it has the run's."""
        failed = any(measurement.outcome == "FAIL" for measurement in self.measurements.values())
        started_at = self.started_at or run.started_at
        return Phase(
            self.name,
            self.outcome or ("FAIL" if failed else "PASS"),
            started_at,
            self.ended_at or (run.ended_at if self.started_at is None else started_at),
            tuple(self.measurements.values()),
            retry_count=retry_count,
        )


class PhaseColumns(NamedTuple):
    """The columns of a mapping's phases, found in a table."""

    mapping: TablePhases
    name: Column
    outcome: Column | None
    started: Column | None
    ended: Column | None

    @classmethod
    def find(cls, table: Table, mapping: TablePhases) -> "PhaseColumns":
        """The columns that a mapping names. Raises InvalidInput for unknown columns."""
        return cls(
            mapping,
            table.column(mapping.name_column),
            table.optional_column(mapping.outcome_column),
            table.optional_column(mapping.started_column),
            table.optional_column(mapping.ended_column),
        )


class PhaseCollector:
    """Collects phases from the rows of a run, which must be added in order.

    rows_are_phases: a row that names a phase and measures nothing is an attempt of its own.
    """

    def __init__(self, columns: PhaseColumns | None, *, rows_are_phases: bool) -> None:
        self._columns = columns
        self._rows_are_phases = rows_are_phases
        self._attempts: list[_Attempt] = []
        self._latest: dict[str, _Attempt] = {}

    def add(self, row: Row, measured: Iterable[MeasuredCell]) -> None:
        """Take the next row. Raises InvalidInput where the row contradicts itself or an earlier row."""
        columns = self._columns
        named = None if columns is None else row.read(columns.name, text_of)
        groups: dict[str, list[Measurement]] = {} if named is None else {named: []}
        for phase, measurement in measured:
            name = phase or named
            if name is None and columns is not None:
                raise row.wrong(columns.name, f"has to name the phase of measurement {measurement.name!r}")
            groups.setdefault(name or DEFAULT_PHASE, []).append(measurement)
        for name, measurements in groups.items():
            if name == named and not measurements and len(groups) > 1:
                continue
            attempt = self._attempt(row, name, measurements)
            if columns is not None and name == named:
                _note(attempt, row, columns)

    def phases(self, run: RunPeriod) -> tuple[Phase, ...]:
        """The phases, in the order in which the rows first named them."""
        retries = RetryCounter()
        return tuple(attempt.phase(run, retries.next(attempt.name)) for attempt in self._attempts)

    def _attempt(self, row: Row, name: str, measurements: list[Measurement]) -> _Attempt:
        attempt = self._latest.get(name)
        names = {measurement.name for measurement in measurements}
        if len(names) < len(measurements):
            raise InvalidInput.at(
                ("rows", row.number),
                f"row {row.number} gives phase {name!r} two measurements of the same name; rename one",
            )
        repeats = attempt is not None and not attempt.measurements.keys().isdisjoint(names)
        if attempt is None or repeats or (not measurements and self._rows_are_phases):
            attempt = self._latest[name] = _Attempt(name)
            self._attempts.append(attempt)
        attempt.measurements |= {measurement.name: measurement for measurement in measurements}
        return attempt


def _note(attempt: _Attempt, row: Row, columns: PhaseColumns) -> None:
    """Note the outcome and times that a row gives its phase. The earliest start and the latest end count."""
    outcome = row.read(
        columns.outcome, lambda cell: outcome_of(cell, _OUTCOMES, columns.mapping.value_map or {})
    )
    if columns.outcome is not None and outcome is not None:
        if attempt.outcome not in {None, outcome}:
            known = f"row {attempt.outcome_row}, where phase {attempt.name!r} is {attempt.outcome}"
            raise row.wrong(columns.outcome, f"contradicts {known}")
        attempt.outcome, attempt.outcome_row = outcome, row.number
    if (started_at := row.read(columns.started, moment_of)) is not None:
        attempt.started_at = min(attempt.started_at or started_at, started_at)
    if (ended_at := row.read(columns.ended, moment_of)) is not None:
        attempt.ended_at = max(attempt.ended_at or ended_at, ended_at)
    started_at, ended_at = attempt.started_at, attempt.ended_at
    if (
        columns.ended is not None
        and started_at is not None
        and ended_at is not None
        and ended_at < started_at
    ):
        raise row.wrong(columns.ended, f"is before the start of phase {attempt.name!r}")
