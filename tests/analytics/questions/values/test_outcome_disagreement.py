"""Outcome disagreement, against the record as dataframes."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import product
from typing import Any, get_args

import pandas as pd
import pytest
from msgspec.structs import replace

from runcard.analytics.questions.values.outcome_disagreement import (
    OutcomeDisagreementAnswer,
    Shown,
    outcome_disagreement,
)
from runcard.analytics.snapshot import Selection, Snapshot
from runcard.domain.ids import run_of as run_of_part
from runcard.domain.runs.limit import Interval
from runcard.domain.runs.measurement import Measurement
from runcard.domain.runs.outcome import MeasurementOutcome
from runcard.domain.runs.validator import Validator
from runcard.store.engine.scope import Scope
from runcard.store.lists.run_filter import RunFilter
from tests.analytics.conftest import Line
from tests.analytics.selections import every_attempts, every_filter, selection
from tests.analytics.truth import Frames, read_frames, selected_runs
from tests.analytics.written import START, Writing, Written, run_of

_OUTCOMES: tuple[MeasurementOutcome, ...] = get_args(MeasurementOutcome)
_VALUES = (-1, 0, 0.5, 1, 2, float("nan"), float("inf"), "1", True, None)
_LIMITS = ((0, 1), (0, None), (None, 1), (None, None), (1, 0), (1, 1))
_MOST = Shown(1000, 200)


@pytest.fixture(scope="module")
def floor(tmp_path_factory: pytest.TempPathFactory, written: Writing) -> Iterator[Written]:
    """Every outcome of every value with all limits, in two phases, one of which is repeated; parts take turns."""
    reports = [
        run_of(
            number,
            Measurement(f"m{number % 4}", outcome, value, lower_limit=limits[0], upper_limit=limits[1]),
            phase=f"p{number % 2}",
            part=f"P{number % 3}",
        )
        for number, (outcome, value, limits) in enumerate(product(_OUTCOMES, _VALUES, _LIMITS))
    ]
    with written(tmp_path_factory.mktemp("contradictions"), reports) as found:
        yield found


@pytest.fixture(scope="module")
def frames(floor: Written) -> Frames:
    return read_frames(floor.connection, floor.home)


@pytest.mark.parametrize("part", [None, "P0", "P1"])
def test_what_disagrees_is_that_of_the_record(floor: Written, frames: Frames, part: str | None):
    wanted = Selection(RunFilter(part_numbers=None if part is None else [part]))
    answer = _ask(floor, wanted)
    judged = _judged(frames, wanted)
    assert answer.n == len(judged)
    assert answer.passed_outside == judged["passed_outside"].sum() > 0
    assert answer.failed_inside == judged["failed_inside"].sum() > 0
    assert {(row.phase, row.name): (row.n, row.passed_outside, row.failed_inside) for row in answer.rows} == {
        key: (len(some), some["passed_outside"].sum(), some["failed_inside"].sum())
        for key, some in judged.groupby(["phase", "name"])
        if some["passed_outside"].any() or some["failed_inside"].any()
    }
    assert answer.measurements == len(answer.rows)
    runs = selected_runs(frames, wanted)["id"]
    assert answer.n + sum(one.count for one in answer.left_out) == frames.measurements["run"].isin(runs).sum()
    reasons = {one.reason for one in answer.left_out}
    assert {"no_verdict", "not_finite", "text"} <= reasons
    assert part is not None or "no_limit" in reasons
    counts = [row.passed_outside + row.failed_inside for row in answer.rows]
    assert counts == sorted(counts, reverse=True)
    assert {row.procedure.name for row in answer.rows} == {"Any"}


def test_examples_are_the_newest_and_name_their_runs(floor: Written, frames: Frames):
    judged = _judged(frames, Selection(RunFilter()))
    expected = judged[judged["passed_outside"] | judged["failed_inside"]].sort_values(
        "started_at", ascending=False
    )
    answer = _ask(floor, Selection(RunFilter()))
    assert len(answer.examples) == len(expected)
    for one, (_, row) in zip(answer.examples, expected.iterrows(), strict=True):
        assert one.run_id == row["run"]
        assert run_of_part(one.measurement_id) == (row["run"], 2, row["position"])
        assert (one.spec.name, one.spec.phase, one.value) == (row["name"], row["phase"], row["num"])
        assert one.measured_at == row["started_at"]
        assert one.kind == ("passed_outside" if row["passed_outside"] else "failed_inside")
    few = _ask(floor, Selection(RunFilter()), Shown(2, 3))
    assert few.examples == answer.examples[:3]
    assert few.rows == answer.rows[:2]
    assert (few.n, few.measurements, few.passed_outside) == (
        answer.n,
        answer.measurements,
        answer.passed_outside,
    )
    assert _ask(floor, Selection(RunFilter()), Shown(2, 0)).examples == []


@pytest.mark.parametrize(
    ("value", "lower", "upper", "claimed", "kind"),
    [
        (1.0, 0, 1, "PASS", None),
        (1.0, 0, 1, "FAIL", "failed_inside"),
        (1.0000000000000002, 0, 1, "PASS", "passed_outside"),
        (1.0000000000000002, 0, 1, "FAIL", None),
        (-5.0, None, 1, "PASS", None),
        (5.0, 0, None, "PASS", None),
        (-5.0, 0, None, "PASS", "passed_outside"),
        (0.5, 1, 0, "PASS", "passed_outside"),
        (1.0, 1, 1, "FAIL", "failed_inside"),
    ],
)
def test_limits_are_inclusive(
    tmp_path_factory: pytest.TempPathFactory,
    value: float,
    lower: float | None,
    upper: float | None,
    claimed: MeasurementOutcome,
    kind: str | None,
    written: Writing,
):
    measured = Measurement("m", claimed, value, lower_limit=lower, upper_limit=upper)
    with written(tmp_path_factory.mktemp("one"), [run_of(0, measured)]) as one:
        answer = _ask(one, Selection(RunFilter()))
        assert answer.n == 1
        assert [example.kind for example in answer.examples] == ([] if kind is None else [kind])
        assert (answer.passed_outside, answer.failed_inside) == (
            kind == "passed_outside",
            kind == "failed_inside",
        )


def test_a_value_that_equals_a_strict_bound_is_outside(
    tmp_path_factory: pytest.TempPathFactory, written: Writing
):
    """One run for each value and outcome, of which UNSET is not judged; limits and checks beside them both bound."""
    checks = (Validator("x < 5", "<", 5.0), Validator("x >= 1", ">=", 1.0))
    reports = [
        run_of(number, Measurement("m", outcome, value, lower_limit=0, upper_limit=9, validators=checks))
        for number, (value, outcome) in enumerate(product((0.5, 1.0, 4.9, 5.0), _OUTCOMES))
    ]
    with written(tmp_path_factory.mktemp("strict"), reports) as one:
        answer = _ask(one, Selection(RunFilter()))
        assert {(example.value, example.kind) for example in answer.examples} == {
            (0.5, "passed_outside"),
            (1.0, "failed_inside"),
            (4.9, "failed_inside"),
            (5.0, "passed_outside"),
        }
        assert {example.spec.limits for example in answer.examples} == {Interval(1, 5, upper_is_strict=True)}


@pytest.mark.parametrize(("only_final", "count"), [(True, 1), (False, 2)])
def test_retries_are_left_out_or_counted(
    tmp_path_factory: pytest.TempPathFactory, only_final: bool, count: int, written: Writing
):
    measured = Measurement("m", "PASS", 5.0, upper_limit=1)
    first, second = run_of(0, measured), run_of(0, measured, retry_count=1)
    both = replace(first, phases=(*first.phases, *second.phases))
    with written(tmp_path_factory.mktemp("retry"), [both]) as one:
        answer = _ask(one, Selection(RunFilter()), only_final=only_final)
        assert (answer.n, answer.passed_outside, answer.measurements) == (count, count, 1)


@every_filter
@every_attempts
def test_the_line_of_the_demo_does_not_contradict_itself(line: Line, filter_name: str, attempts: Any):
    wanted = selection(line, filter_name, attempts)
    answer = outcome_disagreement(line.snapshot, wanted, _MOST)
    assert answer.n == len(_judged(line.frames, wanted))
    assert (answer.passed_outside, answer.failed_inside, answer.measurements) == (0, 0, 0)
    assert (answer.rows, answer.examples) == ([], [])


def test_a_window_without_runs_has_nothing(floor: Written):
    later = Selection(RunFilter(started_after=START + timedelta(days=30)))
    answer = _ask(floor, later)
    assert (answer.n, answer.rows, answer.examples) == (0, [], [])
    assert answer.window.started_after == later.runs.started_after


def test_another_organization_sees_nothing(floor: Written):
    answer = outcome_disagreement(
        Snapshot(floor.copy, Scope(floor.connection, floor.procedure_id)), Selection(RunFilter()), _MOST
    )
    assert (answer.n, answer.rows, answer.examples) == (0, [], [])


def _ask(
    floor: Written, wanted: Selection, shown: Shown = _MOST, only_final: bool = True
) -> OutcomeDisagreementAnswer:
    return outcome_disagreement(floor.snapshot, wanted, shown, only_final=only_final)


def _judged(frames: Frames, wanted: Selection) -> pd.DataFrame:
    """The values that have a limit and were judged, and how each disagrees."""
    values = frames.measurements
    values = values[values["run"].isin(selected_runs(frames, wanted)["id"]) & values["is_final"]]
    values = values[values["num"].notna() & values["outcome"].isin(["PASS", "FAIL"])]
    values = values[values["lower"].notna() | values["upper"].notna()]
    outside = (values["num"].astype(float) < values["lower"]) | (
        values["num"].astype(float) > values["upper"]
    )
    return values.assign(
        passed_outside=(values["outcome"] == "PASS") & outside,
        failed_inside=(values["outcome"] == "FAIL") & ~outside,
    )
