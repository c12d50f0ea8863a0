"""Published values through whole questions: recorded, copied, and told by the aggregates of the copy.

Sources: NIST Statistical Reference Datasets, univariate; NIST/SEMATECH e-Handbook 6.3.2.2, individuals and moving
range.
"""

from collections.abc import Iterator
from zoneinfo import ZoneInfo

import pytest

from runcard.analytics.measured import MeasurementSelection
from runcard.analytics.questions.values.capabilities import capabilities
from runcard.analytics.questions.values.capability import capability
from runcard.analytics.questions.values.compare import compare
from runcard.analytics.questions.values.control_chart import ChartSettings, control_chart
from runcard.analytics.questions.values.histogram import histogram
from runcard.analytics.snapshot import Selection
from runcard.domain.runs.measurement import Measurement
from runcard.store.lists.run_filter import RunFilter
from tests.analytics.nist import FLOW_RATE, STRD, Certified
from tests.analytics.written import Writing, Written, run_of

UTC = ZoneInfo("UTC")
EVERYTHING = Selection(RunFilter())
every_set = pytest.mark.parametrize("certified", STRD, ids=[one.name for one in STRD])


@pytest.fixture(scope="module")
def floor(tmp_path_factory: pytest.TempPathFactory, written: Writing) -> Iterator[Written]:
    """Each set as the values of a measurement of one run, and the flow rates as those of one run after the other."""
    inside = [Measurement(one.name, "PASS", float(value)) for one in STRD for value in one.values]
    flows = [
        run_of(number, Measurement("flowrate", "PASS", value))
        for number, value in enumerate(FLOW_RATE.values, 1)
    ]
    with written(tmp_path_factory.mktemp("reference"), [run_of(0, *inside), *flows]) as floor:
        yield floor


@every_set
@pytest.mark.parametrize("question", ["capability", "capabilities", "compare", "histogram"])
def test_mean_and_deviation_are_the_certified_ones(floor: Written, certified: Certified, question: str):
    n, mean, s = _moments(floor, question, certified.name)
    assert n == len(certified.values)
    assert mean == pytest.approx(certified.mean, rel=1e-9)
    # Doubles near 10 000 000 miss the published decimals by up to 1e-9.
    assert s == pytest.approx(certified.stdev, rel=1e-9, abs=1e-9)


def test_individuals_of_the_handbook(floor: Written):
    """To the digits given, with the factors that the handbook takes: 1.128, and 3.267 of its tables."""
    measured = MeasurementSelection(floor.procedure_id, "flowrate")
    answer = control_chart(floor.snapshot, EVERYTHING, measured, ChartSettings(), UTC)
    [segment] = answer.segments
    [limits] = segment.control
    centre, mean_range = segment.centre, limits.spread_centre
    assert centre is not None
    assert mean_range is not None
    assert centre == pytest.approx(FLOW_RATE.mean, rel=1e-9)
    assert round(mean_range, 4) == FLOW_RATE.mean_moving_range
    assert centre + 3 * mean_range / 1.128 == pytest.approx(FLOW_RATE.ucl, abs=1e-4)
    assert centre - 3 * mean_range / 1.128 == pytest.approx(FLOW_RATE.lcl, abs=1e-4)
    assert 3.267 * mean_range == pytest.approx(FLOW_RATE.mr_ucl, abs=2e-4)
    # The factors are integrated here, and differ from the tables in the fourth digit.
    told = (limits.upper, limits.lower, limits.spread_upper)
    assert told == pytest.approx((FLOW_RATE.ucl, FLOW_RATE.lcl, FLOW_RATE.mr_ucl), abs=2e-3)


def _moments(floor: Written, question: str, name: str) -> tuple[int, float | None, float | None]:
    where = (floor.snapshot, EVERYTHING)
    measured = MeasurementSelection(floor.procedure_id, name)
    match question:
        case "capability":
            [row] = capability(*where, measured, UTC).rows
            return row.n, row.mean, row.sigma_overall
        case "capabilities":
            [summary] = [
                one for one in capabilities(*where, floor.procedure_id).rows if one.spec.name == name
            ]
            return summary.n, summary.mean, summary.sigma_overall
        case "compare":
            [group] = compare(*where, measured, UTC, "part").groups
            return group.n, group.mean, group.s
        case _:
            total = histogram(*where, measured, UTC).total
            return total.n, total.mean, total.s
