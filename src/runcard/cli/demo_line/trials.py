"""Make one run of a unit, phase by phase, to its end or until something interrupts it."""

import math
import zlib
from datetime import datetime, timedelta

from runcard.cli.demo_line.checks import Trial
from runcard.cli.demo_line.procedures import PhasePlan, ProcedurePlan
from runcard.domain.metadata import Metadata
from runcard.domain.runs.measurement import Measurement
from runcard.domain.runs.outcome import LogLevel, RunOutcome
from runcard.domain.runs.phase import Log, Phase, RetryCounter
from runcard.domain.runs.report import RunReport

# What ends a run early: its probability, the outcome and the log message.
_TROUBLES: tuple[tuple[float, RunOutcome, str], ...] = (
    (0.006, "ERROR", "Instrument at GPIB0::22 does not answer: VI_ERROR_TMO"),
    (0.004, "TIMEOUT", "Phase exceeded its time limit"),
    (0.004, "ABORTED", "Stopped by the operator"),
)
_TIMEOUT_S = 300
# Fixtures of each station.
_FIXTURES = 2


class _Trouble:
    """What ends a run early and in which phase. outcome: None where nothing does."""

    def __init__(self, plan: ProcedurePlan, trial: Trial) -> None:
        self.outcome: RunOutcome | None = None
        self.message = ""
        self.phase = trial.rng.choice(plan.phases[1:]).name
        draw = trial.rng.random()
        for ratio, outcome, message in _TROUBLES:
            if 0 <= draw < ratio:
                self.outcome, self.message = outcome, message
            draw -= ratio


class _Recorder:
    """Collects the phases and logs of a run, and keeps the clock of its station."""

    def __init__(self, plan: ProcedurePlan, trial: Trial, started_at: datetime) -> None:
        self._plan = plan
        self._trial = trial
        self._retries = RetryCounter()
        self.now = started_at
        self.phases: list[Phase] = []
        self.logs: list[Log] = []
        self.has_failed = False

    def log(self, level: LogLevel, message: str) -> None:
        line = 40 + 22 * len(self.phases)
        self.logs.append(Log(level, self.now, message, self._plan.source_file, line))

    def spend(self, seconds: float) -> None:
        self.now += timedelta(milliseconds=round(seconds * 1000))

    def carry_out(self, phase: PhasePlan) -> None:
        """Carry out a phase with its retries."""
        if phase.needs_pass and self.has_failed:
            self.log("INFO", f"{phase.name}: skipped after a failure")
            self.phases.append(Phase(phase.name, "SKIP", self.now, self.now, (), phase.docstring))
            return
        for attempt in range(phase.max_attempts):
            failed = self._attempt(phase)
            if not failed:
                return
            for measurement in failed:
                self.log(
                    "ERROR", f"{phase.name}: {measurement.name} = {measurement.value} is out of its limits"
                )
            if attempt + 1 < phase.max_attempts:
                self.log("WARNING", f"{phase.name}: trying once more")
        self.has_failed = True

    def break_off(self, phase: PhasePlan, trouble: _Trouble) -> None:
        """Add a phase that ends before it has measured anything."""
        started_at = self.now
        self.spend(_TIMEOUT_S if trouble.outcome == "TIMEOUT" else self._trial.rng.uniform(1, phase.seconds))
        self.log("CRITICAL" if trouble.outcome == "ERROR" else "ERROR", f"{phase.name}: {trouble.message}")
        unset = (Measurement(phase.checks[0].name, "UNSET"),)
        self.phases.append(Phase(phase.name, "ERROR", started_at, self.now, unset, phase.docstring))

    def _attempt(self, phase: PhasePlan) -> list[Measurement]:
        """Carry out one attempt at a phase and return the measurements that failed."""
        started_at = self.now
        self.log("INFO", f"{phase.name}: started")
        measurements = tuple([check.take(self._trial) for check in phase.checks])
        failed = [measurement for measurement in measurements if measurement.outcome == "FAIL"]
        self.spend(phase.seconds * self._trial.rng.uniform(0.92, 1.15))
        self.phases.append(
            Phase(
                phase.name,
                "FAIL" if failed else "PASS",
                started_at,
                self.now,
                measurements,
                phase.docstring,
                self._retries.next(phase.name),
            )
        )
        return failed


def carry_out(plan: ProcedurePlan, trial: Trial, started_at: datetime, operator: str) -> RunReport:
    """The report of a run that starts at this moment."""
    unit = trial.unit
    version = plan.versions[trial.elapsed_ratio >= 0.5]
    recorder = _Recorder(plan, trial, started_at)
    trouble = _Trouble(plan, trial)
    recorder.log("INFO", f"{unit.serial_number} at {trial.station}, software {version}")
    recorder.spend(trial.rng.uniform(1, 4))
    outcome: RunOutcome | None = None
    for phase in plan.phases:
        if trouble.outcome is not None and phase.name == trouble.phase:
            outcome = trouble.outcome
            recorder.break_off(phase, trouble)
            break
        recorder.carry_out(phase)
    outcome = outcome or ("FAIL" if recorder.has_failed else "PASS")
    recorder.log("INFO", f"{unit.serial_number}: {outcome}")
    return RunReport(
        procedure=plan.identifier,
        serial_number=unit.serial_number,
        outcome=outcome,
        started_at=started_at,
        duration=recorder.now - started_at,
        part_number=unit.product.part_number,
        revision_number=unit.revision,
        batch_number=unit.batch,
        procedure_version=version,
        operated_by=operator,
        sub_units=unit.sub_units,
        docstring=plan.docstring,
        phases=tuple(recorder.phases),
        logs=tuple(recorder.logs),
        metadata=_surroundings(trial, started_at),
    )


def _surroundings(trial: Trial, started_at: datetime) -> Metadata:
    """Metadata about the run: the fixture of the station, and the humidity of the air."""
    fixture = 1 + zlib.crc32(trial.unit.serial_number.encode()) % _FIXTURES
    humidity = 42 + 6 * math.sin(started_at.timestamp() / timedelta(days=3).total_seconds())
    return {
        "fixture": f"{trial.station.replace('Cell ', 'FX')}-{fixture}",
        "humidity_percent": round(humidity, 1),
    }
