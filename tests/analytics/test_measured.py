"""Which values of a measurement are one set of numbers, and of how many specifications."""

from collections.abc import Sequence
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from runcard.analytics import measured as module
from runcard.analytics.asking import Selection
from runcard.analytics.measured import Measured
from runcard.analytics.questions.capability import capability
from runcard.analytics.questions.compare import compare
from runcard.analytics.questions.control_chart import ChartSettings, control_chart
from runcard.analytics.questions.correlation import correlation
from runcard.analytics.questions.histogram import histogram
from runcard.domain.errors import InvalidInput
from runcard.domain.measurement import Measurement
from runcard.store.run_filter import RunFilter
from tests.analytics.conftest import Line
from tests.analytics.values import measured
from tests.analytics.written import START, Written, run_of, written

UTC = ZoneInfo("UTC")
EVERYTHING = Selection(RunFilter())

every_history = pytest.mark.parametrize(
    ("values", "uom", "numbers"),
    [
        ([(1.0, "V"), (2.0, "V"), (3.0, "V"), (None, None)], "V", [1, 2, 3]),
        ([(None, "mV"), (1.0, "V"), (None, None), (2.0, "V"), (3.0, "V"), ("n/a", "text")], "V", [1, 2, 3]),
        ([(1.0, "V"), (2e3, "mV"), (3e3, "mV"), (4.0, "V"), (5.0, "V")], "V", [1, 4, 5]),
        ([(1.0, "V"), (2.0, "V"), (3e3, "mV"), (4e3, "mV"), (5e3, "mV")], "mV", [3e3, 4e3, 5e3]),
        ([(None, None), ("n/a", "V")], None, []),
    ],
    ids=["empty at last", "empty in between", "there and back", "changed", "no number"],
)


def of(floor: Written, name: str = "m") -> Measured:
    return Measured(floor.procedure_id, name)


@every_history
def test_the_unit_of_measure_is_that_of_the_latest_number(
    tmp_path: Path, values: Sequence[tuple[object, str | None]], uom: str | None, numbers: list[float]
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


def test_the_latest_number_is_that_of_the_selected_runs(tmp_path: Path):
    values = [(1.0, "V"), (2.0, "V"), (3e3, "mV")]
    reports = [run_of(number, Measurement("m", "PASS", *value)) for number, value in enumerate(values)]
    with written(tmp_path, reports) as floor:
        before = Selection(RunFilter(started_before=START.replace(minute=1)))
        compared = compare(floor.snapshot, before, of(floor), UTC, "part")
        assert (compared.n, compared.uom) == (2, "V")
        bars = histogram(floor.snapshot, before, of(floor), UTC)
        assert (bars.n, [one.spec.uom for one in bars.limits]) == (2, ["V"])


@pytest.mark.parametrize("name", ["gain_1khz", "thd", "supply_voltage"])
def test_what_is_measured_again_and_again_has_numbers_to_compare(line: Line, name: str):
    asked = measured(line, "Module functional test", name)
    values = line.frames.measurements.query("name == @name and is_final").dropna(subset=["num"])
    compared = compare(line.snapshot, EVERYTHING, asked, UTC, "station")
    assert 0 < compared.n <= len(values)
    assert compared.uom == values["uom"].iloc[-1]
    pairs = correlation(line.snapshot, EVERYTHING, asked, asked)
    assert 0 < pairs.n <= compared.n


def test_limits_that_change_with_every_run_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
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
