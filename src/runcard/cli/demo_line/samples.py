"""The golden sample: a finished amplifier that is known to be good. Each station measures it once a week."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from random import Random

from runcard.cli.demo_line.checks import Trial
from runcard.cli.demo_line.floor import AMPLIFIER, OPERATORS, STATIONS, DemoUnit
from runcard.cli.demo_line.history import DemoRun
from runcard.cli.demo_line.procedures import FINAL_TEST
from runcard.cli.demo_line.trials import carry_out

GOLDEN_SAMPLE = "AX0000-00001"
_EVERY = timedelta(days=7)
# The time between one station and the next.
_APART = timedelta(minutes=10)


def golden_runs(seed: int, history: Sequence[DemoRun]) -> Iterator[DemoRun]:
    """The runs of the golden sample during a history, in order. The same arguments give the same runs."""
    starts = [run.report.started_at for run in history if run.report.started_at]
    first, last = starts[0], starts[-1]
    rng = Random(seed)
    unit = DemoUnit(AMPLIFIER, GOLDEN_SAMPLE, revision="A", batch="P-GOLDEN")
    moment = first
    while moment + len(STATIONS) * _APART < last:
        for position, station in enumerate(STATIONS):
            trial = Trial(unit, station, (moment - first) / (last - first), rng)
            report = carry_out(FINAL_TEST, trial, moment + position * _APART, OPERATORS[position].email)
            yield DemoRun(station, report, ())
        moment += _EVERY
