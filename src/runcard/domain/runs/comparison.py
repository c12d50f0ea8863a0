"""Two runs side by side: each measurement of one with the same measurement of the other."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from runcard.domain.runs.inside import Measured, measured_in
from runcard.domain.runs.measurement import Measurement, effective_limits
from runcard.domain.runs.run import RunDocument

_Key = tuple[str | None, str, str, int]


class Pair(NamedTuple):
    """A measurement of two runs; None where a run does not have it. At least one of both is there."""

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
    """Return the measurements of both runs in the order of this one, then those that only the other one has.

    Of a phase that was retried the last attempt counts. Measurements are the same by the sequence and the name of
    their phase and by their own name; where several have all of these, the first goes with the first.
    """
    ours, theirs = _by_key(this), _by_key(other)
    pairs = [Pair(one, theirs.get(key)) for key, one in ours.items()]
    return [*pairs, *(Pair(None, one) for key, one in theirs.items() if key not in ours)]


def _by_key(document: RunDocument) -> Mapping[_Key, Measured]:
    return dict(_keyed(document))


def _keyed(document: RunDocument) -> Iterator[tuple[_Key, Measured]]:
    seen: Counter[tuple[str | None, str, str]] = Counter()
    for one in measured_in(document):
        if one.attempt.is_final:
            phase = one.attempt.phase
            name = (phase.sequence_path, phase.name, one.measurement.name)
            yield (*name, seen[name]), one
            seen[name] += 1


def _value_of(measurement: Measurement) -> object:
    """What two measurements of one value have in common, as something that equals itself."""
    if measurement.series:
        return measurement.kind, [[str(float(value)) for value in axis.data] for axis in measurement.series]
    if measurement.kind == "numeric" and measurement.value != measurement.value:
        return measurement.kind, "nan", None
    return measurement.kind, measurement.value, measurement.exact
