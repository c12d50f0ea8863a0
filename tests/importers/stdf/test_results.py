"""Records of several results and of functional ones, in both byte orders and as text."""

import pytest

from runcard.importers.stdf.records import (
    ALARM,
    FAILED,
    NOT_EXECUTED,
    NOT_JUDGED,
    Description,
    Ftr,
    Inputs,
    Mpr,
    Pmr,
)
from tests.importers.stdf.lots import LIMITED, SYNTAXES, changed, lot, measured, part, runs_of

pytestmark = pytest.mark.parametrize("syntax", SYNTAXES)


def test_pins_are_measurements(syntax):
    pins = [Pmr(1, 0, "ch1", "phy1", "A0"), Pmr(2, 0, "ch2", "", ""), Pmr(3, 0, "", "", "")]
    record = Mpr(20, 1, 0, 0, 0, (1.0, 1.5, 2.0), Inputs(changed(LIMITED, text="leak"), (1, 2, 3)))
    found = measured(syntax, record, before=pins)
    assert [(one.name, one.value, one.outcome, one.uom, one.limits) for one in found] == [
        ("20 leak A0", 1.0, "PASS", "V", (1, 2)),
        ("20 leak ch2", 1.5, "PASS", "V", (1, 2)),
        ("20 leak pin 3", 2.0, "PASS", "V", (1, 2)),
    ]


@pytest.mark.parametrize(
    ("results", "outcomes"),
    [((0.5, 1.5), ["FAIL", "PASS"]), ((1.25, 1.5), ["FAIL", "FAIL"]), ((0.5, 3.0), ["FAIL", "FAIL"])],
)
def test_of_pins_that_failed_together_those_beyond_a_limit_did(syntax, results, outcomes):
    record = Mpr(20, 1, 0, FAILED, 0, results, Inputs(LIMITED, (1, 2)))
    assert [one.outcome for one in measured(syntax, record)] == outcomes


def test_pins_that_only_the_first_record_names(syntax):
    first = Inputs(changed(LIMITED, text="leak"), (1, 2))
    later = Mpr(20, 1, 0, 0, 0, (1.25, 1.75), Inputs(Description("leak")))
    other = Mpr(20, 1, 0, 0, 0, (1.5,), Inputs(Description("leak"), (3,)))
    runs = runs_of(lot(*part(Mpr(20, 1, 0, 0, 0, (1.0, 1.5), first)), *part(later, other)), syntax)
    assert [(one.name, one.value, one.uom, one.limits) for one in runs[1].phases[0].measurements] == [
        ("20 leak pin 1", 1.25, "V", (1, 2)),
        ("20 leak pin 2", 1.75, "V", (1, 2)),
        ("20 leak pin 3", 1.5, "V", (1, 2)),
    ]


def test_pins_that_a_record_before_all_parts_names(syntax):
    first = Mpr(20, 1, 0, NOT_EXECUTED, 0, (), Inputs(changed(LIMITED, text="leak"), (1, 2)))
    found = measured(syntax, Mpr(20, 1, 0, 0, 0, (1.25, 1.75), Inputs(Description())), before=[first])
    assert [one.name for one in found] == ["20 leak pin 1", "20 leak pin 2"]


def test_an_input_that_only_the_first_record_steps(syntax):
    first = Inputs(changed(LIMITED, text="iv"), (), 0.5, 0.25, "A")
    records = [Mpr(20, 1, 0, 0, 0, (1.0, 1.5), one) for one in (first, Inputs(Description("iv")))]
    found = measured(syntax, *records)
    assert [[(axis.uom, axis.data) for axis in one.series] for one in found] == [
        [("A", [0.5, 0.75]), ("V", [1.0, 1.5])]
    ] * 2


def test_an_input_that_is_stepped_is_an_axis(syntax):
    inputs = Inputs(changed(LIMITED, text="iv", units="A"), (), 0.5, 0.1, "V")
    (found,) = measured(syntax, Mpr(20, 1, 0, 0, 0, (1.0, 1.5, 2.0), inputs))
    assert (found.name, found.kind, found.limits, found.uom) == ("20 iv", "multidimensional", (1, 2), None)
    assert [(axis.name, axis.uom, axis.data) for axis in found.series] == [
        ("input", "V", [0.5, 0.6, 0.7]),
        ("20 iv", "A", [1.0, 1.5, 2.0]),
    ]


def test_several_results_of_no_pins(syntax):
    (found,) = measured(syntax, Mpr(20, 1, 0, 0, 0, (1.0, 1.5), Inputs(LIMITED)))
    assert [(axis.name, axis.data) for axis in found.series] == [("position", [1, 2]), ("20 vdd", [1.0, 1.5])]


def test_several_results_that_are_of_no_use(syntax):
    (found,) = measured(syntax, Mpr(20, 1, 0, ALARM | FAILED, 0, (1.0, 1.5), Inputs(LIMITED)))
    assert (found.kind, found.outcome) == ("empty", "FAIL")
    (found,) = measured(syntax, Mpr(20, 1, 0, NOT_EXECUTED, 0, (), Inputs(LIMITED)))
    assert (found.kind, found.outcome) == ("empty", "UNSET")


@pytest.mark.parametrize(
    ("flags", "outcome", "value"),
    [(0, "PASS", True), (FAILED, "FAIL", False), (NOT_JUDGED, "UNSET", None), (NOT_EXECUTED, "UNSET", None)],
)
def test_functional_results_are_booleans(syntax, flags, outcome, value):
    (found,) = measured(syntax, Ftr(30, 1, 0, flags, Description("scan")))
    assert (found.name, found.outcome, found.value) == ("30 scan", outcome, value)


def test_where_a_pattern_failed_is_logged(syntax):
    said = Description("scan")
    failed = Ftr(30, 1, 0, FAILED, said, cycl_cnt=12, num_fail=3, vect_nam="v1", rslt_txt="stuck")
    passed = Ftr(30, 1, 0, 0, said, cycl_cnt=12, vect_nam="v1")
    (run,) = runs_of(lot(*part(failed, passed)), syntax)
    assert [(log.message, log.source_file) for log in run.logs] == [
        ("30 scan: vector v1, cycle 12, failing pins 3, result stuck", "FTR")
    ]
