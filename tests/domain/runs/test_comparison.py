"""The measurements of two runs, side by side."""

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runcard.domain.runs.comparison import Pair, pairs_of
from runcard.domain.runs.measurement import Measurement, Series
from runcard.domain.runs.phase import Phase
from runcard.domain.runs.run import RunDocument

AT = datetime(2026, 1, 1, tzinfo=UTC)


def phase(name: str, *measurements: Measurement, retry: int = 0, sequence: str | None = None) -> Phase:
    return Phase(name, "PASS", AT, AT, measurements, retry_count=retry, sequence_path=sequence)


def named(name: str, value: Any = 1, **fields: Any) -> Measurement:
    return Measurement(name, "PASS", value, **fields)


def told(pairs: Sequence[Pair]) -> list[tuple[Any, Any]]:
    return [
        (pair.this and pair.this.measurement.value, pair.other and pair.other.measurement.value)
        for pair in pairs
    ]


def test_measurements_go_together_by_phase_and_name() -> None:
    this = RunDocument((phase("p", named("a", 1), named("b", 2)), phase("q", named("a", 3))))
    other = RunDocument((phase("q", named("a", 30)), phase("p", named("c", 40), named("a", 10))))
    assert told(pairs_of(this, other)) == [(1, 10), (2, None), (3, 30), (None, 40)]


def test_the_last_attempt_counts() -> None:
    this = RunDocument((phase("p", named("a", 1)), phase("p", named("a", 2), retry=1)))
    other = RunDocument((phase("p", named("a", 10)),))
    assert told(pairs_of(this, other)) == [(2, 10)]


def test_of_equal_names_the_first_goes_with_the_first() -> None:
    this = RunDocument((phase("p", named("a", 1), named("a", 2), named("a", 3)),))
    other = RunDocument((phase("p", named("a", 10), named("a", 20)),))
    assert told(pairs_of(this, other)) == [(1, 10), (2, 20), (3, None)]


def test_phases_of_other_sequences_are_others() -> None:
    this = RunDocument((phase("p", named("a", 1), sequence="left"),))
    other = RunDocument((phase("p", named("a", 10), sequence="right"),))
    assert told(pairs_of(this, other)) == [(1, None), (None, 10)]


@pytest.mark.parametrize(
    ("ours", "theirs", "is_same"),
    [
        (named("m", 5), named("m", 5.0), True),
        (named("m", math.nan), named("m", math.nan), True),
        (named("m", math.nan), named("m", 1.0), False),
        (named("m", True), named("m", 1), False),
        (named("m", None), named("m", None), True),
        (named("m", "a"), named("m", "b"), False),
        (named("m", {"a": [1]}), named("m", {"a": [1]}), True),
        (named("m", math.inf, exact="1"), named("m", math.inf, exact="2"), False),
        (
            named("m", None, series=(Series([1, math.nan]),)),
            named("m", None, series=(Series([1.0, math.nan]),)),
            True,
        ),
        (named("m", None, series=(Series([1.0]),)), named("m", None, series=(Series([2.0]),)), False),
    ],
)
def test_a_value_is_the_same_or_not(ours: Measurement, theirs: Measurement, is_same: bool) -> None:
    [pair] = pairs_of(RunDocument((phase("p", ours),)), RunDocument((phase("p", theirs),)))
    assert pair.has_same_value == is_same
    assert pair.is_different != is_same


def test_another_outcome_and_other_limits_are_differences() -> None:
    def pair(**fields: Any) -> Pair:
        given: dict[str, Any] = {"name": "m", "outcome": "PASS", "value": 1} | fields
        [one] = pairs_of(
            RunDocument((phase("p", named("m")),)), RunDocument((phase("p", Measurement(**given)),))
        )
        return one

    assert not pair().is_different
    assert pair(outcome="FAIL").is_different
    assert not pair(outcome="FAIL").has_same_outcome
    assert pair(upper_limit=5).is_different
    assert not pair(upper_limit=5).has_same_limits


documents = st.lists(
    st.builds(
        phase,
        st.sampled_from("pq"),
        st.builds(named, st.sampled_from("ab"), st.sampled_from([1, 2, math.nan])),
        st.builds(named, st.sampled_from("ab"), st.sampled_from([1, 2, math.nan])),
    ),
    max_size=4,
).map(lambda phases: RunDocument(tuple(phases)))


@given(documents, documents)
def test_every_measurement_stands_in_one_pair(this: RunDocument, other: RunDocument) -> None:
    pairs = pairs_of(this, other)
    for side, document in (("this", this), ("other", other)):
        positions = [one.position for pair in pairs if (one := getattr(pair, side)) is not None]
        assert sorted(positions) == list(range(sum(len(one.measurements) for one in document.phases)))
    assert not any(pair.is_different for pair in pairs_of(this, this))
