"""Two runs side by side: each measurement of one with the same measurement of the other."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from runcard.domain.runs.inside import Measured, measured_in
from runcard.domain.runs.measurement import Measurement, effective_limits
from runcard.domain.runs.run import RunDocument

_Key = tuple[str | None, str, str, int]


class Pair(NamedTuple):
    """The same measurement in two runs; None where a run does not have it. At least one run has it."""

    this: Measured | None
    other: Measured | None

    @property
    def has_same_value(self) -> bool:
        """Whether both runs measured the same. NaN is the same as NaN, and 1 is not the same as true."""
        if self.this is None or self.other is None:
            return False
        return _value_of(self.this.measurement) == _value_of(self.other.measurement)

    @property
    def has_same_outcome(self) -> bool:
        if self.this is None or self.other is None:
            return False
        return self.this.measurement.outcome == self.other.measurement.outcome

    @property
    def has_same_limits(self) -> bool:
        if self.this is None or self.other is None:
            return False
        return effective_limits(self.this.measurement) == effective_limits(self.other.measurement)

    @property
    def is_different(self) -> bool:
        return not (self.has_same_value and self.has_same_outcome and self.has_same_limits)


def pairs_of(this: RunDocument, other: RunDocument) -> Sequence[Pair]:
    """Return the measurements of this run in order, each with its match, then those that only the other run has.

    Only the last attempt of a retried phase counts. Two measurements match by the sequence and name of their phase and
    by their own name. Where several share all three, the first matches the first, and so on.
    """
    ours, theirs = _by_key(this), _by_key(other)
    pairs = [Pair(measured, theirs.get(key)) for key, measured in ours.items()]
    return [*pairs, *(Pair(None, measured) for key, measured in theirs.items() if key not in ours)]


def _by_key(document: RunDocument) -> Mapping[_Key, Measured]:
    return dict(_keyed(document))


def _keyed(document: RunDocument) -> Iterator[tuple[_Key, Measured]]:
    seen: Counter[tuple[str | None, str, str]] = Counter()
    for measured in measured_in(document):
        if measured.attempt.is_final:
            phase = measured.attempt.phase
            name = (phase.sequence_path, phase.name, measured.measurement.name)
            yield (*name, seen[name]), measured
            seen[name] += 1


def _value_of(measurement: Measurement) -> object:
    """A key that is equal for measurements of the same value. It equals itself even for NaN."""
    if measurement.series:
        return measurement.kind, [[str(float(value)) for value in axis.data] for axis in measurement.series]
    if measurement.kind == "numeric" and measurement.value != measurement.value:
        return measurement.kind, "nan", None
    return measurement.kind, measurement.value, measurement.exact
