"""Which values of a measurement are one set of numbers, and of how many specifications."""

import math
from collections.abc import Sequence
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from runcard.analytics import measured as module
from runcard.analytics.left_out import LeftOut
from runcard.analytics.measured import MeasurementSelection
from runcard.analytics.questions.values.capability import capability
from runcard.analytics.questions.values.compare import compare
from runcard.analytics.questions.values.control_chart import ChartSettings, control_chart
from runcard.analytics.questions.values.correlation import correlation
from runcard.analytics.questions.values.histogram import histogram
from runcard.analytics.snapshot import Selection
from runcard.domain.errors import InvalidInput
from runcard.domain.runs.measurement import Measurement
from runcard.store.lists.run_filter import RunFilter
from tests.analytics.conftest import Line
from tests.analytics.truth import selected_runs
from tests.analytics.values import measured
from tests.analytics.written import START, Writing, Written, run_of

UTC = ZoneInfo("UTC")
EVERYTHING = Selection(RunFilter())

every_history = pytest.mark.parametrize(
    ("values", "uom", "numbers"),
    [
        ([(1.0, "V"), (2.0, "V"), (3.0, "V"), (None, None)], "V", [1, 2, 3]),
        ([(None, "mV"), (1.0, "V"), (None, None), (2.0, "V"), (3.0, "V"), ("n/a", "text")], "V", [1, 2, 3]),
        ([(1.0, "V"), (2e3, "mV"), (3e3, "mV"), (4.0, "V"), (5.0, "V")], "V", [1, 2, 3, 4, 5]),
        ([(1.0, "V"), (2.0, "V"), (3300, "mV"), (4e3, "mV"), (5e3, "mV")], "mV", [1e3, 2e3, 3300, 4e3, 5e3]),
        ([(1.0, "V"), (2.0, "V"), (20.0, "C"), (21.0, None), (3.0, "V")], "V", [1, 2, 3]),
        ([(None, None), ("n/a", "V")], None, []),
    ],
    ids=["empty at last", "empty in between", "there and back", "changed", "another one", "no number"],
)


def of(floor: Written, name: str = "m") -> MeasurementSelection:
    return MeasurementSelection(floor.procedure_id, name)


@every_history
def test_the_unit_of_measure_is_that_of_the_latest_number(
    tmp_path: Path,
    values: Sequence[tuple[object, str | None]],
    uom: str | None,
    numbers: list[float],
    written: Writing,
):
    reports = [
        run_of(number, Measurement("m", "PASS", value, unit), Measurement("steady", "PASS", number))
        for number, (value, unit) in enumerate(values)
    ]
    with written(tmp_path, reports) as floor:
        compared = compare(floor.snapshot, EVERYTHING, of(floor), UTC, "part")
        assert (compared.n, compared.uom) == (len(numbers), uom)
        pairs = correlation(floor.snapshot, EVERYTHING, of(floor), of(floor, "steady"))
        assert (sorted(one.x for one in pairs.points), pairs.x_uom) == (numbers, uom)
        bars = histogram(floor.snapshot, EVERYTHING, of(floor), UTC)
        assert (bars.total.n, [one.spec.uom for one in bars.limits]) == (
            len(numbers),
            [uom] if numbers else [],
        )


def test_the_latest_number_is_that_of_the_selected_runs(tmp_path: Path, written: Writing):
    values = [(1.0, "V"), (2.0, "V"), (3e3, "mV")]
    reports = [run_of(number, Measurement("m", "PASS", *value)) for number, value in enumerate(values)]
    with written(tmp_path, reports) as floor:
        before = Selection(RunFilter(started_before=START.replace(minute=1)))
        compared = compare(floor.snapshot, before, of(floor), UTC, "part")
        assert (compared.n, compared.uom) == (2, "V")
        bars = histogram(floor.snapshot, before, of(floor), UTC)
        assert (bars.n, [one.spec.uom for one in bars.limits]) == (2, ["V"])


COLD_AND_HOT = [
    *(run_of(number, Measurement("m", "PASS", 1 + number / 10, "V"), phase="cold") for number in range(3)),
    *(run_of(number, Measurement("m", "PASS", 1e4 + number, "mV"), phase="hot") for number in range(3, 7)),
    run_of(7, Measurement("m", "PASS", 10.0, "V", 9.0, 11.0), phase="hot"),
    run_of(8, Measurement("m", "PASS", 3.0), phase="hot"),
    run_of(9, Measurement("m", "FAIL", math.inf, "V"), Measurement("m", "PASS", "n/a"), phase="hot"),
    run_of(10, Measurement("m", "PASS", 1.5, "V"), phase="cold", retry_count=0),
    run_of(11, Measurement("m", "PASS", 10.5, "V"), phase="hot"),
]


def test_phases_and_units_of_measure_are_told_apart_and_what_is_left_out_is_counted(
    tmp_path: Path, written: Writing
):
    with written(tmp_path, COLD_AND_HOT) as floor:
        hot = [10.003, 10.004, 10.005, 10.006, 10, 10.5]
        compared = compare(floor.snapshot, EVERYTHING, of(floor), UTC, "part")
        assert (compared.phase, compared.uom, compared.n) == ("hot", "V", 6)
        assert compared.groups[0].mean == pytest.approx(sum(hot) / 6, rel=1e-15)
        assert compared.left_out == [
            LeftOut("not_finite", 1),
            LeftOut("text", 1),
            LeftOut("other_phase", 4),
            LeftOut("other_unit", 1),
        ]
        bars = histogram(floor.snapshot, EVERYTHING, of(floor), UTC)
        assert (bars.phase, bars.uom, bars.total.n, bars.texts.total.n) == ("hot", "V", 6, 1)
        assert (bars.total.lowest, bars.total.highest) == (10, 10.5)
        assert bars.left_out == [one for one in compared.left_out if one.reason != "text"]
        assert [(one.spec.uom, one.spec.lower, one.n) for one in bars.limits] == [("V", None, 5), ("V", 9, 1)]
        pairs = correlation(floor.snapshot, EVERYTHING, of(floor), of(floor))
        assert (pairs.x_phase, pairs.y_uom, pairs.n) == ("hot", "V", 6)
        assert [one.count for one in pairs.left_out] == [2 * one.count for one in compared.left_out]
        chart = control_chart(floor.snapshot, EVERYTHING, of(floor), ChartSettings(), UTC)
        every = capability(floor.snapshot, EVERYTHING, of(floor), UTC)
        for told in (chart, every):
            assert (told.n, told.left_out) == (11, [LeftOut("not_finite", 1), LeftOut("text", 1)])


@pytest.mark.parametrize(
    ("phase", "uom", "n", "taken"),
    [
        ("cold", None, 4, "V"),
        ("hot", "mV", 6, "mV"),
        (None, "kV", 6, "kV"),
        ("hot", "", 1, None),
        ("hot", "A", 0, None),
    ],
)
def test_which_phase_and_unit_of_measure_may_be_chosen(
    tmp_path: Path, phase: str | None, uom: str | None, n: int, taken: str | None, written: Writing
):
    with written(tmp_path, COLD_AND_HOT) as floor:
        chosen = of(floor)._replace(phase=phase, uom=uom)
        compared = compare(floor.snapshot, EVERYTHING, chosen, UTC, "part")
        bars = histogram(floor.snapshot, EVERYTHING, chosen, UTC)
        assert (compared.n, bars.total.n, compared.uom, bars.uom) == (n, n, taken, taken)


def test_limits_convert_with_their_values(tmp_path: Path, written: Writing):
    """So one Ppk is told of values that were judged by the same limits in volts and in millivolts."""
    volts = [Measurement("m", "PASS", value, "V", 0.0, 10.0) for value in (4.0, 5.0)]
    millivolts = [Measurement("m", "PASS", value, "mV", 0.0, 10e3) for value in (6e3, 5e3)]
    with written(
        tmp_path, [run_of(number, one) for number, one in enumerate([*millivolts, *volts])]
    ) as floor:
        [group] = compare(floor.snapshot, EVERYTHING, of(floor), UTC, "part").groups
        assert (group.n, group.mean) == (4, 5)
        assert group.ppk == pytest.approx(5 / (2 / 3) ** 0.5 / 3)
        [limits] = histogram(floor.snapshot, EVERYTHING, of(floor), UTC).limits
        assert (limits.n, limits.spec.uom, limits.spec.upper) == (4, "V", 10)


def test_values_of_repeated_attempts_are_counted_as_left_out(tmp_path: Path, written: Writing):
    first = run_of(0, Measurement("m", "FAIL", 9.0))
    second = run_of(0, Measurement("m", "PASS", 5.0), retry_count=1)
    both = replace(first, phases=(*first.phases, *second.phases))
    with written(tmp_path, [both]) as floor:
        told = capability(floor.snapshot, EVERYTHING, of(floor), UTC)
        assert (told.n, told.left_out) == (1, [LeftOut("repeated", 1)])
        every = capability(floor.snapshot, EVERYTHING, of(floor)._replace(only_final=False), UTC)
        assert (every.n, every.left_out) == (2, [])


def test_a_control_chart_counts_what_it_leaves_out_since_its_first_value(tmp_path: Path, written: Writing):
    values = [math.nan, 1.0, 2.0, math.inf, 3.0]
    reports = [run_of(number, Measurement("m", "PASS", value)) for number, value in enumerate(values)]
    with written(tmp_path, reports) as floor:
        few, every = (
            control_chart(floor.snapshot, EVERYTHING, of(floor), ChartSettings(last=last), UTC)
            for last in (2, 9)
        )
        assert (few.n, few.left_out) == (2, [LeftOut("not_finite", 1)])
        assert (every.n, every.left_out) == (3, [LeftOut("not_finite", 2)])


def test_every_value_is_counted_or_left_out(line: Line):
    every = Selection(RunFilter(), "all")
    for name in ("gain_1khz", "thd", "supply_voltage"):
        asked = measured(line, "Module functional test", name)
        runs = selected_runs(line.frames, asked.among(every))["id"]
        values = line.frames.measurements.query("name == @name")
        values = values[values["run"].isin(runs)]
        assert len(values) > 0
        for told in (
            capability(line.snapshot, every, asked, UTC),
            compare(line.snapshot, every, asked, UTC, "station"),
            histogram(line.snapshot, every, asked, UTC),
        ):
            assert told.n + sum(one.count for one in told.left_out) == len(values)


@pytest.mark.parametrize("name", ["gain_1khz", "thd", "supply_voltage"])
def test_what_is_measured_again_and_again_has_numbers_to_compare(line: Line, name: str):
    asked = measured(line, "Module functional test", name)
    values = line.frames.measurements.query("name == @name and is_final").dropna(subset=["num"])
    compared = compare(line.snapshot, EVERYTHING, asked, UTC, "station")
    assert 0 < compared.n <= len(values)
    assert compared.uom == values["uom"].iloc[-1]
    pairs = correlation(line.snapshot, EVERYTHING, asked, asked)
    assert 0 < pairs.n <= compared.n


def test_limits_that_change_with_every_run_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: Writing
):
    monkeypatch.setattr(module, "MAX_SPECS", 3)
    few, many = (
        [run_of(number, Measurement("m", "PASS", 1.0, "V", 0.0, float(number))) for number in range(count)]
        for count in (3, 4)
    )
    (tmp_path / "few").mkdir()
    (tmp_path / "many").mkdir()
    with written(tmp_path / "few", few) as floor:
        assert [_ask(floor, question) for question in _QUESTIONS] == [3] * len(_QUESTIONS)
    with written(tmp_path / "many", many) as floor:
        for question, name in _QUESTIONS.items():
            with pytest.raises(InvalidInput) as raised:
                _ask(floor, question)
            [issue] = raised.value.issues
            assert issue.path == (name,)
            assert "'m' changed too often: it has more than 3 specifications" in issue.message


_QUESTIONS = {
    "capability": "measurement_name",
    "compare": "measurement_name",
    "control chart": "measurement_name",
    "histogram": "measurement_name",
    "correlation": "x_measurement_name",
}


def _ask(floor: Written, question: str) -> int:
    """The number of values that an answer is made from."""
    where = (floor.snapshot, EVERYTHING, of(floor))
    match question:
        case "capability":
            return capability(*where, UTC).n
        case "compare":
            return compare(*where, UTC, "part").n
        case "control chart":
            return control_chart(*where, ChartSettings(), UTC).n
        case "histogram":
            return histogram(*where, UTC).n
        case _:
            return correlation(*where, of(floor)).n
