"""Whatever the bytes, an import makes a report or says why not; and a record that OpenHTF writes now."""

import json
import math
from contextlib import suppress
from functools import reduce
from operator import getitem

import msgspec
import openhtf
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openhtf.output.callbacks import json_factory
from openhtf.util import units, validators

from runcard.domain.errors import RuncardError
from runcard.domain.runs.report import RunReport
from runcard.importers.openhtf import parse
from tests.importers.openhtf_records import RECORDS, case, measured, measurements_of, raw

# Properties


def survives(content):
    """Whether the content is either read, as what documents can hold, or refused in Runcard's own words."""
    try:
        report = parse(content)
    except RuncardError as error:
        return bool(str(error))
    return msgspec.msgpack.decode(msgspec.msgpack.encode(report), type=RunReport).phases is not None


@given(st.binary())
def test_arbitrary_bytes_never_surprise(content):
    assert survives(content)


odd_values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(min_value=2**63, max_value=2**2000),
    st.floats(),
    st.text(),
    st.sampled_from(["nan", "inf", "-inf", "\0", "\ud800", "x == 1", "0 <= x"]),
    st.lists(st.one_of(st.integers(), st.text(), st.lists(st.floats()))),
    st.dictionaries(st.text(), st.integers()),
)


def places(tree, path=()):
    """The path of each node of a JSON tree below its root."""
    items = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, item in items:
        yield (*path, key)
        yield from places(item, (*path, key))


PLACES = {name: list(places(raw(name))) for name in ("full", "nan_allowed", "error", "subtest")}


@st.composite
def mutated_records(draw):
    name = draw(st.sampled_from(sorted(PLACES)))
    tree = raw(name)
    for path in draw(st.lists(st.sampled_from(PLACES[name]), min_size=1, max_size=4, unique=True)):
        # An earlier change may have taken the place away.
        with suppress(KeyError, IndexError, TypeError):
            node = reduce(getitem, path[:-1], tree)
            if isinstance(node, dict) and draw(st.booleans()):
                del node[path[-1]]
            else:
                node[path[-1]] = draw(odd_values)
    return json.dumps(tree).encode()


@given(mutated_records())
def test_mutated_records_never_surprise(content):
    assert survives(content)


@given(st.sampled_from(RECORDS), st.data())
def test_damaged_bytes_never_surprise(name, data):
    content = bytearray(case(name))
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=5)):
        content[place] = data.draw(st.integers(0, 255))
    assert survives(bytes(content))


json_values = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(-(2**63), 2**63 - 1), st.text(), st.floats(allow_nan=False)
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(), inner, max_size=4)),
    max_leaves=10,
)


@given(json_values.filter(lambda value: "inf" not in repr(value)))
def test_measured_values_come_back(value):
    found = measured(measured_value=value)
    assert (type(found.value), found.value) == (type(value), value)


# A record that OpenHTF writes now


@openhtf.measures(
    openhtf.Measurement("ranged").in_range(3.1, 3.5).with_units(units.VOLT).doc("Rail"),
    openhtf.Measurement("marginal").in_range(0, 10, marginal_minimum=2, marginal_maximum=8),
    openhtf.Measurement("percent").within_percent(100, 5, marginal_percent=2),
    openhtf.Measurement("regex").matches_regex(r"^v\d+"),
    openhtf.Measurement("text").equals("a.b"),
    openhtf.Measurement("number").equals(5),
    openhtf.Measurement("not_a_number").in_range(0, 1),
    openhtf.Measurement("curve").with_dimensions(units.SECOND).with_units(units.VOLT),
    openhtf.Measurement("pivot").with_dimensions("step").dimension_pivot_validate(validators.in_range(0, 1)),
    openhtf.Measurement("never"),
)
def measure_everything(test):
    """Measures one value of each kind."""
    found = test.measurements
    found.ranged, found.marginal, found.percent, found.regex = 3.3, 9, 104, "v12"
    found.text, found.number, found.not_a_number = "a.b", 4, math.nan
    for step, value in enumerate((0.0, 0.5, math.inf)):
        found.curve[step] = value
        found.pivot[step] = step / 4
    test.logger.warning("measured")


@pytest.fixture(scope="module")
def fresh_report(tmp_path_factory):
    path = tmp_path_factory.mktemp("openhtf") / "record.json"
    test = openhtf.Test(measure_everything, procedure_id="FVT9", part_number="P9", test_description="Fresh")
    test.add_output_callbacks(json_factory.OutputToJSON(str(path)))
    test.execute(test_start=lambda: "SN9")
    return parse(path.read_bytes())


def test_a_fresh_header(fresh_report):
    assert (fresh_report.procedure, fresh_report.serial_number, fresh_report.outcome) == (
        "FVT9",
        "SN9",
        "FAIL",
    )
    assert (fresh_report.part_number, fresh_report.docstring) == ("P9", "Fresh")
    assert [(one.name, one.outcome) for one in fresh_report.phases] == [
        ("trigger_phase", "PASS"),
        ("measure_everything", "FAIL"),
    ]
    assert [log.level for log in fresh_report.logs if log.message == "measured"] == ["WARNING"]


@pytest.mark.parametrize(
    ("name", "outcome", "value", "limits", "checks"),
    [
        ("ranged", "PASS", 3.3, (3.1, 3.5), [(">=", 3.1, "PASS"), ("<=", 3.5, "PASS")]),
        (
            "marginal",
            "PASS",
            9,
            (0, 10),
            [(">=", 0, "PASS"), ("<=", 10, "PASS"), (">=", 2, "PASS"), ("<=", 8, "FAIL")],
        ),
        (
            "percent",
            "PASS",
            104,
            (95, 105),
            [(">=", 95, "PASS"), ("<=", 105, "PASS"), (">=", 98, "PASS"), ("<=", 102, "FAIL")],
        ),
        ("regex", "PASS", "v12", (None, None), [("matches", r"^v\d+", "PASS")]),
        ("text", "PASS", "a.b", (None, None), [("==", "a.b", "PASS")]),
        ("number", "FAIL", 4, (5, 5), [("==", 5, "FAIL")]),
        ("pivot", "PASS", None, (None, None), [(None, None, "PASS")]),
        ("never", "UNSET", None, (None, None), []),
    ],
)
def test_a_fresh_measurement(fresh_report, name, outcome, value, limits, checks):
    found = measurements_of(fresh_report)[name]
    assert (found.outcome, found.value, found.limits) == (outcome, value, limits)
    assert [(one.operator, one.expected, one.outcome) for one in found.validators] == checks


def test_fresh_nan_and_series(fresh_report):
    found = measurements_of(fresh_report)
    assert math.isnan(found["not_a_number"].value)
    assert [check.outcome for check in found["not_a_number"].validators] == ["FAIL", "FAIL"]
    assert (found["ranged"].uom, found["ranged"].docstring) == ("V", "Rail")
    assert [(axis.name, axis.uom, axis.data) for axis in found["curve"].series] == [
        ("second [unit of time]", "s", [0, 1, 2]),
        ("curve", "V", [0.0, 0.5, math.inf]),
    ]
    assert [(axis.name, axis.data) for axis in found["pivot"].series] == [
        ("step", [0, 1, 2]),
        ("pivot", [0.0, 0.25, 0.5]),
    ]
