"""What records become, one rule after the other, in both byte orders and as text."""

import math
from datetime import UTC, datetime, timedelta
from io import BytesIO
from itertools import islice

import pytest
from msgspec import UNSET

from runcard.domain.errors import InvalidInput, UnreadableReport
from runcard.domain.runs.report import RunReport
from runcard.domain.runs.validator import Validator
from runcard.importers.stdf.records import (
    ABNORMAL_END,
    ABORTED,
    ALARM,
    DRIFT,
    FAILED,
    INVALID,
    NOT_EXECUTED,
    NOT_JUDGED,
    PART_FAILED,
    PART_NOT_JUDGED,
    RETEST_BY_ID,
    RETEST_BY_PLACE,
    TIMEOUT,
    UNRELIABLE,
    Bps,
    Description,
    Dtr,
    Eps,
    Gdr,
    Hbr,
    Mir,
    Pir,
    Ptr,
    Sbr,
    Sdr,
    Tsr,
    Wcr,
    Wir,
    Wrr,
)
from tests.importers.stdf.lots import (
    LIMITED,
    MIR,
    MRR,
    PARSERS,
    START,
    SYNTAXES,
    changed,
    lot,
    measured,
    part,
    ptr,
    read,
    runs_of,
    written,
)

STARTED_AT = datetime.fromtimestamp(START, UTC)

pytestmark = pytest.mark.parametrize("syntax", SYNTAXES)


# The run


def test_the_header_of_a_run(syntax):
    mir = changed(
        MIR, oper_nam="ann", dsgn_rev="B", node_nam="node", tstr_typ="A5", tst_temp="85C", burn_tim=5
    )
    (run,) = runs_of(lot(*part(test_t=1500), mir=mir), syntax)
    assert (run.procedure, run.procedure_is_name, run.procedure_version) == ("job", True, "3")
    assert (run.part_number, run.revision_number, run.batch_number, run.operator) == (
        "PT1",
        "B",
        "LOT-9",
        "ann",
    )
    assert (run.started_at, run.duration) == (STARTED_AT, timedelta(milliseconds=1500))
    assert run.metadata is not None
    assert (
        run.metadata.items()
        >= {
            "node_name": "node",
            "tester_type": "A5",
            "temperature": "85C",
            "burn_in_minutes": 5,
            "station_number": 1,
            "part_id": "7",
            "hard_bin": 1,
            "head": 1,
            "site": 0,
        }.items()
    )
    assert not {"sublot_id", "soft_bin", "x", "wafer_id"} & run.metadata.keys()


@pytest.mark.parametrize(
    ("flags", "outcome"),
    [
        (0, "PASS"),
        (PART_FAILED, "FAIL"),
        (ABNORMAL_END, "ABORTED"),
        (ABNORMAL_END | PART_FAILED, "ABORTED"),
        (PART_NOT_JUDGED, "ERROR"),
        (RETEST_BY_ID, "PASS"),
    ],
)
def test_the_outcome_is_that_of_the_tester(syntax, flags, outcome):
    # Whatever its results say.
    (run,) = runs_of(lot(*part(ptr(flags=FAILED), flags=flags)), syntax)
    assert run.outcome == outcome


@pytest.mark.parametrize(("pf", "outcome"), [("P", "PASS"), ("F", "FAIL"), ("", "ERROR")])
def test_a_part_that_is_not_judged_is_what_its_bin_is(syntax, pf, outcome):
    bins = [Hbr(255, 0, 1, 1, pf, "first"), Sbr(255, 0, 4, 1, "", "soft one")]
    (run,) = runs_of([MIR, *part(flags=PART_NOT_JUDGED, soft_bin=4), *bins, MRR], syntax)
    assert run.outcome == outcome
    assert (run.metadata["hard_bin_name"], run.metadata["soft_bin_name"]) == ("first", "soft one")


def test_sites_side_by_side(syntax):
    records = lot(
        Pir(1, 0),
        Pir(1, 1),
        ptr(1.25, site=1),
        ptr(1.5, site=0),
        Bps("late"),
        ptr(1.75, site=1, number=11),
        *part(part_id="b", site=1)[1:],
        ptr(2.0, site=0, number=11),
        *part(part_id="a", site=0)[1:],
    )
    b, a = runs_of(records, syntax)
    assert [run.serial_number for run in (b, a)] == ["LOT-9-b", "LOT-9-a"]
    found = [
        [(phase.name, [one.value for one in phase.measurements]) for phase in run.phases] for run in (b, a)
    ]
    assert found == [
        [("Measurements", [1.25]), ("late", [1.75])],
        [("Measurements", [1.5]), ("late", [2.0])],
    ]


def test_parts_start_when_those_before_them_ended(syntax):
    runs = runs_of(
        lot(
            *part(test_t=1000),
            Pir(1, 0),
            Pir(1, 1),
            *part(site=1, test_t=500)[1:],
            *part(site=0, test_t=300)[1:],
            *part(),
            *part(head=2),
            *part(),
        ),
        syntax,
    )
    starts = [run.started_at - STARTED_AT for run in runs]
    assert [start / timedelta(milliseconds=1) for start in starts] == [0, 1000, 1000, 1500, 0, 1501]


# The unit

WAFER = Wir(1, 255, START + 10, "W3")


@pytest.mark.parametrize(
    ("mir", "wafer_id", "said", "serial_number"),
    [
        ({}, None, {}, "LOT-9-7"),
        ({"sblot_id": "02"}, None, {}, "LOT-9-02-7"),
        ({}, None, {"x_coord": 1, "y_coord": -2}, "LOT-9-7"),
        ({}, "W3", {"x_coord": 1, "y_coord": -2}, "LOT-9-W3-X1Y-2"),
        ({"sblot_id": "02"}, "W3", {"x_coord": 0, "y_coord": 0}, "LOT-9-W3-X0Y0"),
        ({}, "W3", {}, "LOT-9-W3-7"),
        ({}, "LOT-9.03", {"x_coord": 1, "y_coord": 2}, "LOT-9.03-X1Y2"),
        ({"lot_id": "1"}, "1.3", {"x_coord": 1, "y_coord": 2}, "1-1.3-X1Y2"),
        ({}, None, {"part_id": "LOT-9/0001"}, "LOT-9/0001"),
        ({}, None, {"part_id": "LOT-90001"}, "LOT-9-LOT-90001"),
        ({"lot_id": ""}, None, {}, "20010605T205022-7"),
        ({}, None, {"part_id": ""}, "LOT-9-20010605T205022-#1"),
    ],
)
def test_serial_numbers(syntax, mir, wafer_id, said, serial_number):
    wafer = [] if wafer_id is None else [Wir(1, 255, START, wafer_id)]
    (run,) = runs_of(lot(*wafer, *part(**said), mir=changed(MIR, **mir)), syntax)
    assert run.serial_number == serial_number


def test_a_part_tested_again_is_another_run_of_its_unit(syntax):
    place = {"x_coord": 1, "y_coord": 2}
    first, by_place, by_id = runs_of(
        lot(
            WAFER,
            *part(flags=PART_FAILED, **place),
            *part(part_id="8", flags=RETEST_BY_PLACE, **place),
            *part(part_id="9", flags=RETEST_BY_ID, x_coord=3, y_coord=3),
        ),
        syntax,
    )
    assert first.serial_number == by_place.serial_number != by_id.serial_number
    assert (first.outcome, by_place.outcome) == ("FAIL", "PASS")
    assert first.started_at < by_place.started_at
    assert [run.metadata.get("retest") for run in (first, by_place, by_id)] == [
        None,
        "same coordinates",
        "same part id",
    ]


def test_wafers_of_heads_and_groups(syntax):
    sites = [Sdr(1, 1, (0,), hand_id="prober 1"), Sdr(1, 2, (1,), hand_id="prober 2")]
    wafers = [Wir(1, 1, None, "A"), Wir(1, 2, None, "B"), Wir(2, 255, None, "C")]
    records = lot(*sites, *wafers, *part(site=1), *part(), *part(head=2), Wrr(2, 255), *part(head=2))
    runs = runs_of(records, syntax)
    assert [run.metadata.get("wafer_id") for run in runs] == ["B", "A", "C", None]
    assert [run.metadata["handler_id"] for run in runs[:2]] == ["prober 2", "prober 1"]


def test_the_end_of_a_wafer_names_it(syntax):
    """And what bins are called, and how the lot ended, stands at the end as well."""
    orientation = Wcr(wf_flat="D", pos_x="R", pos_y="U", wafr_siz=8.0, die_ht=0.0, die_wid=0.0, wf_units=1)
    records = [
        MIR,
        changed(orientation, center_x=0, center_y=0),
        Wir(1, 255, START + 10, ""),
        *part(),
        Wrr(1, 255, START + 20, 1, 0, 0, 1, 0, "W1"),
        Wir(1, 255, START + 30, "wrong"),
        *part(),
        Wrr(1, 255, START + 40, 1, 0, 0, 1, 0, "W2"),
        changed(MRR, usr_desc="nice lot"),
    ]
    runs = runs_of(records, syntax)
    assert [run.metadata["wafer_id"] for run in runs] == ["W1", "W2"]
    assert [run.started_at - STARTED_AT for run in runs] == [timedelta(seconds=10), timedelta(seconds=30)]
    assert (
        runs[0].metadata.items()
        >= {"wafer_flat": "D", "positive_x": "R", "lot_description": "nice lot"}.items()
    )


def test_metadata_keep_to_their_bound(syntax):
    texts = {name: "x" for name in Mir.__struct_fields__ if isinstance(getattr(Mir(), name), str)}
    equipment = Sdr(1, 1, (0,), "a", "b", "c", "d", "e", "f")
    wafer = [Wcr(1.0, 1.0, 1.0, 1, "D", 1, 1, "R", "U"), Wir(1, 255, START, "W1")]
    whole = part(x_coord=1, y_coord=1, soft_bin=1, part_txt="text", flags=RETEST_BY_ID)
    bins = [Hbr(255, 0, 1, 1, "P", "n"), Sbr(255, 0, 1, 1, "P", "n")]
    (run,) = runs_of(lot(equipment, *wafer, *whole, *bins, mir=changed(MIR, **texts)), syntax)
    assert len(run.metadata) == 50
    assert list(run.metadata)[:4] == ["part_id", "wafer_id", "x", "y"]


# Phases


def test_sections_are_phases(syntax):
    (run,) = runs_of(
        lot(
            *part(
                ptr(number=1),
                Bps("a"),
                ptr(number=2),
                Bps("b"),
                ptr(number=3, flags=FAILED),
                Eps(),
                ptr(number=4),
                Eps(),
                Eps(),
                Bps("empty"),
                Eps(),
                Bps("a"),
                ptr(number=2),
                Eps(),
                ptr(number=5),
                Bps("skipped"),
                ptr(number=6, flags=NOT_EXECUTED),
                test_t=40,
            )
        ),
        syntax,
    )
    found = [
        (phase.name, phase.retry_count, phase.outcome, [one.name.split()[0] for one in phase.measurements])
        for phase in run.phases
    ]
    assert found == [
        ("Measurements", 0, "PASS", ["1", "5"]),
        ("a", 0, "PASS", ["2", "4"]),
        ("a/b", 0, "FAIL", ["3"]),
        ("a", 1, "PASS", ["2"]),
        ("skipped", 0, "SKIP", ["6"]),
    ]
    assert {(phase.started_at, phase.ended_at) for phase in run.phases} == {
        (STARTED_AT, STARTED_AT + timedelta(milliseconds=40))
    }


def test_a_section_ends_with_its_part(syntax):
    runs = runs_of(lot(*part(Bps("a"), ptr()), *part(ptr(), Bps("a"), ptr())), syntax)
    assert [[phase.name for phase in run.phases] for run in runs] == [["a"], ["Measurements", "a"]]


def test_sections_that_are_not_ended(syntax):
    (run,) = runs_of(
        lot(
            *part(
                Bps("a"),
                ptr(number=1),
                Eps(),
                Bps("a"),
                Bps("b"),
                ptr(number=2),
                Eps(),
                ptr(number=3),
                Bps("a"),
                ptr(number=4),
                Eps(),
                ptr(number=5),
            )
        ),
        syntax,
    )
    found = [
        (phase.name, phase.retry_count, [one.name for one in phase.measurements]) for phase in run.phases
    ]
    assert found == [
        ("a", 0, ["1 vdd"]),
        ("a/b", 0, ["2 vdd"]),
        ("a", 1, ["3 vdd"]),
        ("a", 2, ["4 vdd"]),
        ("Measurements", 0, ["5 vdd"]),
    ]


def test_sections_may_be_this_deep(syntax):
    sections = [Bps(str(number)) for number in range(25)]
    (run,) = runs_of(lot(*part(*sections, ptr())), syntax)
    assert [phase.name for phase in run.phases] == ["/".join(map(str, [*range(19), 24]))]


# Parametric results


def test_limits_units_and_names_of_the_first_record_stand(syntax):
    bare = Description()
    own = Description("", "", "", 1.25, UNSET, None, None)
    first, second, third = measured(syntax, ptr(), ptr(1.75, said=bare), ptr(2.0, said=own))
    assert (first.name, first.uom, first.value, first.limits) == ("10 vdd", "V", 1.5, (1, 2))
    assert (second.name, second.uom, second.value, second.limits) == ("10 vdd", "V", 1.75, (1, 2))
    assert third.limits == (1.25, 2)


def test_defaults_may_be_said_before_all_parts(syntax):
    said = ptr(None, flags=NOT_EXECUTED | INVALID)
    (found,) = measured(syntax, ptr(1.75, said=Description()), before=[said])
    assert (found.name, found.value, found.limits) == ("10 vdd", 1.75, (1, 2))


def test_texts_under_one_number_have_limits_of_their_own(syntax):
    vss = changed(LIMITED, text="vss", low=3.0, high=4.0)
    records = [ptr(), ptr(said=vss)]
    records += [ptr(said=Description(text)) for text in ("vdd", "vss", "vbb", "")]
    found = measured(syntax, *records)[2:]
    assert [(one.name, one.limits, one.uom) for one in found] == [
        ("10 vdd", (1, 2), "V"),
        ("10 vss", (3, 4), "V"),
        ("10 vbb", (1, 2), "V"),
        ("10 vdd", (1, 2), "V"),
    ]


def test_another_text_under_the_same_number_is_another_measurement(syntax):
    names = [one.name for one in measured(syntax, ptr(), ptr(said=changed(LIMITED, text="vss")))]
    assert names == ["10 vdd", "10 vss"]


def test_names_without_a_text(syntax):
    records = [MIR, *part(ptr(said=Description())), Tsr(255, 0, "P", 10, 1, 0, 0, "of  the\tsynopsis"), MRR]
    (run,) = runs_of(records, syntax)
    assert run.phases[0].measurements[0].name == "10 of the synopsis"
    assert [one.name for one in measured(syntax, ptr(said=Description()))] == ["10"]


def test_limits_of_the_specification_decide_nothing(syntax):
    (found,) = measured(syntax, ptr(said=changed(LIMITED, low_spec=0.5, high_spec=2.5)))
    assert found.limits == (1, 2)
    assert found.validators == (
        Validator("x >= 0.5", ">=", 0.5, is_decisive=False),
        Validator("x <= 2.5", "<=", 2.5, is_decisive=False),
    )


def test_no_limits(syntax):
    (found,) = measured(syntax, ptr(said=Description("free", "", "", None, None, None, None)))
    assert (found.limits, found.validators, found.uom) == ((None, None), (), None)


@pytest.mark.parametrize(
    ("flags", "parametric", "outcome", "is_kept", "told"),
    [
        (0, 0, "PASS", True, None),
        (FAILED, 8, "FAIL", True, None),
        (NOT_JUDGED, 0, "UNSET", True, None),
        (NOT_JUDGED | FAILED, 0, "UNSET", True, None),
        (ALARM | FAILED, 0, "FAIL", False, "10 vdd: alarm, alarm OVL, result 1.5 V"),
        (UNRELIABLE, 0, "PASS", False, "10 vdd: unreliable result, alarm OVL, result 1.5 V"),
        (TIMEOUT | ABORTED, 0, "PASS", False, "10 vdd: time-out, aborted, alarm OVL, result 1.5 V"),
        (NOT_EXECUTED | INVALID, 0, "UNSET", False, None),
        (0, DRIFT, "PASS", False, "10 vdd: drift, alarm OVL, result 1.5 V"),
    ],
)
def test_flags(syntax, flags, parametric, outcome, is_kept, told):
    record = ptr(flags=flags, parametric=parametric, said=changed(LIMITED, alarm_id="OVL"))
    (run,) = runs_of(lot(*part(record)), syntax)
    (found,) = run.phases[0].measurements
    assert (found.outcome, found.value) == (outcome, 1.5 if is_kept else None)
    assert [(log.level, log.message, log.source_file) for log in run.logs] == (
        [] if told is None else [("WARNING", told, "PTR")]
    )


def test_an_invalid_result_is_no_value(syntax):
    (found,) = measured(syntax, ptr(flags=INVALID))
    assert (found.outcome, found.value) == ("PASS", None)


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan])
def test_results_that_are_not_finite(syntax, value):
    (found,) = measured(syntax, ptr(value))
    assert found.value == value or (math.isnan(found.value) and math.isnan(value))


@pytest.mark.parametrize("value", [0.9, -0.4, 3.3e-06, 1234.567, 0.0, 3.4e38, -1e-30])
def test_numbers_of_32_bits_are_read_as_they_were_meant(syntax, value):
    (found,) = measured(syntax, ptr(value))
    assert found.value == value


# Texts


def test_texts_are_logs(syntax):
    runs = runs_of(
        lot(
            Dtr("before"),
            *part(Dtr("inside"), Gdr(("key", "7")), Dtr("")),
            Pir(1, 0),
            Pir(1, 1),
            Dtr("of both"),
            *part()[1:],
            *part(site=1)[1:],
            Dtr("after all"),
        ),
        syntax,
    )
    assert [[(log.source_file, log.message) for log in run.logs] for run in runs] == [
        [("DTR", "before"), ("DTR", "inside"), ("GDR", "key, 7")],
        [("DTR", "of both")],
        [("DTR", "of both")],
    ]
    assert {log.level for run in runs for log in run.logs} == {"INFO"}


# What is wrong


@pytest.mark.parametrize(
    ("records", "told"),
    [
        ([], "no MIR"),
        ([*part(), MRR], "no MIR"),
        ([MIR, *part()], "no last record"),
        ([MIR, *part(), Pir(1, 3), MRR], "before the part at head 1 site 3 did .no PRR.; 1 parts"),
        ([MIR, Pir(1, 0), *part(), MRR], "before the last part there ended"),
        ([MIR, *part()[1:], MRR], "has not begun"),
        ([MIR, ptr(), *part(), MRR], "where no part is under test"),
        ([MIR, *part(ptr(site=4)), MRR], "head 1 site 4, where no part"),
        ([MIR, *part(), MRR, *part()], "after its last record"),
        ([MIR, *part(), MIR, *part(), MRR], "second MIR"),
    ],
)
def test_nothing_is_dropped_in_silence(syntax, records, told):
    with pytest.raises(UnreadableReport, match=told):
        runs_of(records, syntax)


@pytest.mark.parametrize(
    ("mir", "field"), [({"job_nam": ""}, "JOB_NAM"), ({"start_t": None, "setup_t": None}, "START_T")]
)
def test_what_the_lot_must_say(syntax, mir, field):
    with pytest.raises(InvalidInput) as raised:
        runs_of(lot(*part(), mir=changed(MIR, **mir)), syntax)
    assert raised.value.issues[0].location == f"MIR.{field}"


def test_the_parts_before_the_damage_are_told(syntax):
    content = written([MIR, *part(), *part(part_id="8")], syntax)
    runs = PARSERS[syntax](BytesIO(content))
    first = [one.serial_number for one in islice(runs, 2) if isinstance(one, RunReport)]
    assert first == ["LOT-9-7", "LOT-9-8"]
    with pytest.raises(UnreadableReport, match="2 parts before that are complete"):
        next(runs)


def test_a_lot_of_no_parts(syntax):
    assert read(written([MIR, MRR], syntax), syntax) == []


def test_a_number_without_a_first_record_of_its_own(syntax):
    assert measured(syntax, Ptr(99, 1, 0, 0, 0, 1.0, Description()))[0].name == "99"
