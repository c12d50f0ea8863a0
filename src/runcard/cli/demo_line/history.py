"""The work of the line over weeks: boards become modules, modules become amplifiers, and failed units are retested."""

from collections import deque
from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random
from typing import NamedTuple

from runcard.cli.demo_line.checks import Trial
from runcard.cli.demo_line.files import DemoFile, sweep_files
from runcard.cli.demo_line.floor import (
    BOARD,
    OPERATORS,
    STATIONS,
    DemoUnit,
    Product,
    batch_of,
)
from runcard.cli.demo_line.procedures import FINAL_TEST, IN_CIRCUIT, MODULE_TEST, ProcedurePlan
from runcard.cli.demo_line.shifts import is_late_shift, working_moments
from runcard.cli.demo_line.trials import carry_out
from runcard.domain.runs.report import RunReport

# When the bad batch of boards was in production, as a share of the history.
_BAD_BATCH_AT = 0.6
_MAX_ATTEMPTS = 3
_RETEST_AFTER = timedelta(minutes=20)
_ASSEMBLY = timedelta(hours=4)
_RETEST_ELSEWHERE_RATIO = 0.7
_REPAIR_RATIO = 0.6
# One run in 60 of a module attaches its sweep.
_FILES_EVERY = 60


class DemoRun(NamedTuple):
    """A run, the station that reports it, and its attachments."""

    station: str
    report: RunReport
    files: tuple[DemoFile, ...]


class _Retest(NamedTuple):
    due_at: datetime
    plan: ProcedurePlan
    unit: DemoUnit
    failed_at: str


class _Stock(NamedTuple):
    """Units that have passed, each with the moment at which it is ready to be built in."""

    units: deque[tuple[datetime, DemoUnit]]

    def take(self, count: int, now: datetime) -> list[DemoUnit]:
        """Take `count` ready units; none where fewer are ready."""
        if len(self.units) < count or self.units[count - 1][0] > now:
            return []
        return [self.units.popleft()[1] for _ in range(count)]


def demo_runs(seed: int, count: int, days: int, now: datetime) -> Iterator[DemoRun]:
    """`count` runs of the last `days` days, in the order of their starts. The same arguments give the same runs."""
    rng = Random(seed)
    moments = list(working_moments(rng, count, days, now))
    if not moments:
        return
    line = _FloorLine(rng, moments[0], moments[-1])
    for moment in moments:
        yield line.next_run(moment)


class _FloorLine:
    def __init__(self, rng: Random, start: datetime, end: datetime) -> None:
        self._rng = rng
        self._start = start
        self._length = max(end - start, timedelta(seconds=1))
        self._bad_batch = batch_of(BOARD, start + _BAD_BATCH_AT * self._length)
        self._boards = _Stock(deque())
        self._modules = _Stock(deque())
        self._retests: deque[_Retest] = deque()
        self._made: dict[str, int] = {}
        self._module_runs = 0

    def next_run(self, moment: datetime) -> DemoRun:
        """The run that starts at this moment."""
        station = self._rng.choice(STATIONS)
        if self._retests and self._retests[0].due_at <= moment:
            retest = self._retests.popleft()
            plan, unit = retest.plan, retest.unit
            if self._rng.random() < _RETEST_ELSEWHERE_RATIO:
                station = next(other for other in STATIONS if other != retest.failed_at)
        else:
            plan, unit = self._next_unit(moment)
        elapsed_ratio = (moment - self._start) / self._length
        trial = Trial(unit, station, elapsed_ratio, self._rng)
        report = carry_out(plan, trial, moment, self._operator(station, moment))
        self._move_on(plan, unit, report, station)
        return DemoRun(station, report, self._files(plan, report))

    def _next_unit(self, moment: datetime) -> tuple[ProcedurePlan, DemoUnit]:
        for plan, stock, needed in ((FINAL_TEST, self._modules, 2), (MODULE_TEST, self._boards, 1)):
            parts = stock.take(needed, moment)
            if parts:
                return plan, self._make(plan, moment, tuple(part.serial_number for part in parts))
        return IN_CIRCUIT, self._make(IN_CIRCUIT, moment, ())

    def _make(self, plan: ProcedurePlan, moment: datetime, sub_units: tuple[str, ...]) -> DemoUnit:
        product = plan.product
        batch = batch_of(product, moment)
        return DemoUnit(
            product,
            self._next_serial(product, moment),
            product.revision_at((moment - self._start) / self._length),
            batch,
            sub_units,
            defect=self._rng.choice(plan.spoilable) if self._rng.random() < plan.defect_ratio else None,
            has_wrong_resistor=batch == self._bad_batch,
        )

    def _next_serial(self, product: Product, moment: datetime) -> str:
        self._made[product.serial_prefix] = number = self._made.get(product.serial_prefix, 0) + 1
        year, week, _ = moment.isocalendar()
        return f"{product.serial_prefix}{year % 100:02}{week:02}-{number:05}"

    def _move_on(self, plan: ProcedurePlan, unit: DemoUnit, report: RunReport, station: str) -> None:
        """Move the unit on: to assembly, to the queue for a retest, or to scrap."""
        ended_at = (report.started_at or self._start) + report.duration
        unit.attempts += 1
        if report.outcome == "PASS":
            if plan is not FINAL_TEST:
                stock = self._boards if plan is IN_CIRCUIT else self._modules
                stock.units.append((ended_at + _ASSEMBLY, unit))
        elif unit.attempts < _MAX_ATTEMPTS:
            if unit.attempts == 2 and self._rng.random() < _REPAIR_RATIO:
                unit.defect = None
            self._retests.append(_Retest(ended_at + _RETEST_AFTER, plan, unit, station))

    def _files(self, plan: ProcedurePlan, report: RunReport) -> tuple[DemoFile, ...]:
        if plan is not MODULE_TEST:
            return ()
        self._module_runs += 1
        return sweep_files(report) if self._module_runs % _FILES_EVERY == 1 else ()

    def _operator(self, station: str, moment: datetime) -> str:
        return OPERATORS[2 * is_late_shift(moment) + STATIONS.index(station)].email
