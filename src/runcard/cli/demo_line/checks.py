"""What is measured. A value is made of the unit's own deviation, the noise of the bench, and a known cause."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import NamedTuple

from runcard.cli.demo_line.floor import BAD_STATION, DemoUnit
from runcard.domain.runs.measurement import Aggregation, JsonValue, Measurement, Series
from runcard.domain.runs.outcome import MeasurementOutcome
from runcard.domain.runs.validator import Validator, judge, limit_validators
from runcard.domain.runs.validator_text import validators_of_texts

# Repeatability of the bench, as a share of the spread between units.
_REPEATABILITY = 0.15
_POOR_CONTACT_RATIO = 0.03
_SWEEP_POINTS = 25


@dataclass
class Trial:
    """A run while it is made. elapsed_ratio: how much of the history comes before it, from 0 to 1."""

    unit: DemoUnit
    station: str
    elapsed_ratio: float
    rng: Random
    values: dict[str, float] = field(default_factory=dict)


class Numeric(NamedTuple):
    """A number with limits. spread: standard deviation between good units. broken: the value of a bad unit."""

    name: str
    uom: str
    mean: float
    spread: float
    lower: float | None = None
    upper: float | None = None
    broken: float | None = None
    digits: int = 3
    docstring: str | None = None

    def take(self, trial: Trial) -> Measurement:
        value = round(self._value(trial), self.digits)
        trial.values[self.name] = value
        checks = limit_validators(self.lower, self.upper, value)
        outcome = _outcome([check.outcome for check in checks])
        return Measurement(
            self.name,
            outcome,
            value,
            self.uom,
            self.lower,
            self.upper,
            docstring=self.docstring,
        )

    def _value(self, trial: Trial) -> float:
        noise = _REPEATABILITY * self.spread * trial.rng.gauss(0, 1)
        if trial.unit.defect == self.name and self.broken is not None:
            return self.broken + noise
        deviation = trial.unit.deviations.setdefault(self.name, trial.rng.gauss(0, 1))
        return self.mean + self.spread * deviation + noise + _cause(self.name, trial)


class Flag(NamedTuple):
    """A boolean that must be true."""

    name: str
    docstring: str | None = None

    def take(self, trial: Trial) -> Measurement:
        value = trial.unit.defect != self.name
        outcome: MeasurementOutcome = "PASS" if value else "FAIL"
        checks = validators_of_texts(["x == True"], value, outcome)
        return Measurement(self.name, outcome, value, validators=checks, docstring=self.docstring)


class Text(NamedTuple):
    """A text that must match a pattern."""

    name: str
    pattern: str
    read: Callable[[Trial], str]

    def take(self, trial: Trial) -> Measurement:
        value = self.read(trial)
        check = Validator(f"'x' matches /{self.pattern}/", "matches", self.pattern)
        outcome = judge(check, value)
        return Measurement(
            self.name, outcome, value, validators=validators_of_texts([check.expression], value, outcome)
        )


class Record(NamedTuple):
    """A JSON value that is recorded and not judged."""

    name: str
    read: Callable[[Trial], JsonValue]

    def take(self, trial: Trial) -> Measurement:
        return Measurement(self.name, "PASS", self.read(trial))


class Sweep(NamedTuple):
    """Gain over frequency, computed from the gain and the bandwidth that were measured before."""

    name: str
    lowest_gain_db: float

    def take(self, trial: Trial) -> Measurement:
        frequencies = [round(20 * 5000 ** (step / (_SWEEP_POINTS - 1)), 1) for step in range(_SWEEP_POINTS)]
        gain, bandwidth = trial.values["gain_1khz"], trial.values["bandwidth"] * 1000
        gains = [
            round(gain - 10 * math.log10(1 + (hz / bandwidth) ** 2) + trial.rng.gauss(0, 0.01), 3)
            for hz in frequencies
        ]
        audible = min(db for hz, db in zip(frequencies, gains, strict=True) if hz <= 20_000)
        checks = limit_validators(self.lowest_gain_db, None, audible)
        outcome = _outcome([check.outcome for check in checks])
        lowest = Aggregation("min_20hz_20khz", audible, outcome, "dB", checks)
        series = (
            Series(frequencies, "Hz", "frequency"),
            Series(gains, "dB", "gain", "Relative to the input", aggregations=(lowest,)),
        )
        return Measurement(self.name, outcome, series=series)


Check = Numeric | Flag | Text | Record | Sweep


def _outcome(outcomes: list[MeasurementOutcome]) -> MeasurementOutcome:
    return "FAIL" if "FAIL" in outcomes else "PASS"


def _cause(name: str, trial: Trial) -> float:
    """By how much a known cause shifts a measurement, in its own unit of measure."""
    match name:
        case "feedback_resistance" if trial.unit.has_wrong_resistor:
            return 85.0
        case "bias_current":  # drifts with the ageing load of the bench
            return 0.042 * trial.elapsed_ratio
        case "output_level" if trial.station == BAD_STATION:
            return -0.2
        case "thd" if trial.unit.revision != "A":
            return -0.005
        case "contact_resistance" if trial.rng.random() < _POOR_CONTACT_RATIO:
            return 0.4
    return 0.0
