"""The rules of the OpenHTF import, those that no sample shows too, and what is no record."""

import json
import math
from datetime import timedelta

import pytest

from runcard.domain.errors import InvalidInput, UnreadableReport
from runcard.domain.runs.phase import Log
from runcard.domain.runs.validator import Validator
from runcard.importers.openhtf import parse
from tests.importers.openhtf_records import at, case, measured, parsed, phase, record

# Rules that no sample shows


@pytest.mark.parametrize(
    ("dut_id", "metadata_serial", "serial_number"),
    [
        ("SN1", "SN2", "SN1"),
        (" SN1 ", None, "SN1"),
        (1234, None, "1234"),
        (None, "SN2", "SN2"),
        ("", "SN2", "SN2"),
        ("UNKNOWN_DUT", "SN2", "SN2"),
        ("UNKNOWN_DUT", " ", "UNKNOWN_DUT"),
    ],
)
def test_where_the_serial_number_comes_from(dut_id, metadata_serial, serial_number):
    metadata = {"procedure_id": "FVT1", "serial_number": metadata_serial}
    assert parsed(record(dut_id=dut_id, metadata=metadata)).serial_number == serial_number


@pytest.mark.parametrize("metadata", [{}, None, {"procedure_id": None}, {"procedure_id": "  "}])
def test_a_missing_procedure_is_empty(metadata):
    assert parsed(record(metadata=metadata)).procedure == ""


@pytest.mark.parametrize("dut_id", [None, "", " "])
def test_a_missing_serial_number_is_empty(dut_id):
    assert parsed(record(dut_id=dut_id)).serial_number == ""


def test_a_nameless_sub_unit_is_named():
    with pytest.raises(InvalidInput) as caught:
        parsed(record(metadata={"procedure_id": "FVT1", "sub_units": ["S1", {"serial_number": " "}]}))
    assert caught.value.issues[0].path == ("metadata", "sub_units", 1, "serial_number")


def test_metadata_is_trimmed_and_empty_is_none():
    report = parsed(
        record(
            metadata={
                "procedure_id": " FVT1 ",
                "procedure_version": "",
                "part_number": 1234,
                "revision": " ",
                "batch_number": " B1",
                "operated_by": "ann@example.com ",
                "sub_units": [" S1 ", {"serial_number": "S2"}],
                "test_description": {"not": "a text"},
                "config": {"any": ["thing"]},
            }
        )
    )
    assert (report.procedure, report.procedure_version, report.part_number) == ("FVT1", None, "1234")
    assert (report.revision_number, report.batch_number, report.operated_by) == (
        None,
        "B1",
        "ann@example.com",
    )
    assert (report.sub_units, report.docstring) == (("S1", "S2"), None)


def test_the_docstring_of_the_code_comes_before_the_description():
    metadata = {"procedure_id": "FVT1", "test_description": "described"}
    assert parsed(record(metadata=metadata, code_info={"docstring": "coded"})).docstring == "coded"
    assert parsed(record(metadata=metadata, code_info={"docstring": ""})).docstring == "described"
    assert parsed(record(metadata=metadata, code_info=None)).docstring == "described"


@pytest.mark.parametrize("outcome", [None, "", "RUNNING", "pass"])
def test_unknown_outcomes(outcome):
    report = parsed(
        record(outcome=outcome, phases=[phase(outcome=outcome, measurements={"m": {"outcome": outcome}})])
    )
    assert (report.outcome, report.phases[0].outcome) == ("ERROR", "ERROR")
    assert report.phases[0].measurements[0].outcome == "UNSET"


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        ("PASS", "PASS"),
        ("FAIL", "FAIL"),
        ("UNSET", "UNSET"),
        ("PARTIALLY_SET", "UNSET"),
        ("SKIPPED", "UNSET"),
    ],
)
def test_measurement_outcomes(outcome, expected):
    assert measured(outcome=outcome).outcome == expected


def test_a_run_without_end_lasts_to_its_last_phase():
    phases = [phase(end_time_millis=9000), phase(end_time_millis=2000)]
    assert parsed(record(end_time_millis=None, phases=phases)).duration == timedelta(seconds=8)
    assert parsed(record(end_time_millis=None)).duration == timedelta()


def test_ends_before_the_start_are_clamped():
    report = parsed(record(end_time_millis=500, phases=[phase(end_time_millis=0)]))
    assert report.duration == timedelta()
    assert report.phases[0].ended_at == report.phases[0].started_at == at(1000)


def test_phases_without_times():
    report = parsed(record(phases=[phase(start_time_millis=None, end_time_millis=None)]))
    assert (report.phases[0].started_at, report.phases[0].ended_at) == (at(1000), at(1000))


def test_fractions_of_milliseconds_are_rounded():
    assert parsed(record(start_time_millis=1000.6)).started_at == at(1001)


def test_what_may_be_null_or_absent():
    report = parsed(record(log_records=None, phases=[{"name": "p", "measurements": None, "codeinfo": None}]))
    assert (report.logs, report.phases[0].measurements, report.phases[0].docstring) == ((), (), None)


def test_the_docstring_of_a_phase():
    assert parsed(record(phases=[phase(codeinfo={"docstring": "doc"})])).phases[0].docstring == "doc"


@pytest.mark.parametrize(
    ("units", "uom"),
    [
        ("V", "V"),
        ("", None),
        (None, None),
        ({"name": "volt", "code": "VLT", "suffix": "V"}, "V"),
        ({"name": "volt", "code": "VLT", "suffix": ""}, "volt"),
        ({"name": "No dimension", "code": "NDL", "suffix": None}, None),
        ({}, None),
    ],
)
def test_uoms(units, uom):
    assert measured(units=units, measured_value=1).uom == uom


VOLT = {"name": "volt", "code": "VLT", "suffix": "V"}


@pytest.mark.parametrize("hint", [{"units": VOLT}, {"validators": ["x <= 1"]}, {"validators": ["x == 5"]}])
@pytest.mark.parametrize(("text", "number"), [("nan", math.nan), ("inf", math.inf), ("-inf", -math.inf)])
def test_numeric_measurements_have_non_finite_numbers(hint, text, number):
    value = measured(measured_value=text, **hint).value
    assert value == pytest.approx(number, nan_ok=True)


def test_texts_are_numbers_only_with_a_hint():
    assert measured(measured_value="nan").value == "nan"
    assert measured(measured_value="nan", validators=["'x' matches /nan/"]).value == "nan"
    assert measured(measured_value="NaN", units=VOLT).value == "NaN"
    assert measured(measured_value="infinite", units=VOLT).value == "infinite"


def test_literals_of_non_finite_numbers():
    content = json.dumps(record(phases=[phase(measurements={"m": {"measured_value": math.nan}})])).encode()
    assert b"NaN" in content
    assert math.isnan(parse(content).phases[0].measurements[0].value)
    assert parse(content.replace(b"NaN", b"-Infinity")).phases[0].measurements[0].value == -math.inf
    assert parse(content.replace(b"NaN", b"1e999")).phases[0].measurements[0].value == math.inf
    assert measured(measured_value={"a": [math.nan]}).value == {"a": ["nan"]}


def test_lists_stay_json_and_are_judged_by_element():
    rows = measured(measured_value=[[1, 2], [3, 4]])
    assert (rows.kind, rows.value, rows.series) == ("json", [[1, 2], [3, 4]], ())
    with_nan = measured(measured_value=[1, "nan"], validators=["0 <= x"], outcome="FAIL")
    assert (with_nan.value, with_nan.validators[0].outcome) == ([1, "nan"], "FAIL")


DIMENSIONS = [{"code": "SEC", "description": "", "name": "second", "suffix": "s"}]


def test_rows_hold_non_finite_numbers():
    found = measured(dimensions=DIMENSIONS, measured_value=[[0, 1.5], [1, "inf"]], validators=["x <= 9"])
    assert [axis.data for axis in found.series] == [[0, 1], [1.5, math.inf]]
    assert [check.outcome for check in found.validators] == ["FAIL"]


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [[0, 1, 2]],
        [[0]],
        [[0, 1], [1]],
        [[0, None]],
        [[0, True]],
        [[0, "a"], [1, "nan"]],
        {"a": 1},
        3,
        "x",
    ],
)
def test_what_is_no_table_of_its_dimensions_stays_json(rows):
    found = measured(dimensions=DIMENSIONS, measured_value=rows)
    assert (found.value, found.series) == (rows, ())


def test_dimensions_without_value():
    assert measured(dimensions=DIMENSIONS).kind == "empty"
    assert measured(dimensions=[], measured_value=3).value == 3


def test_integers_beyond_64_bits():
    found = measured(measured_value=2**70)
    assert (found.value, found.exact) == (float(2**70), str(2**70))
    assert measured(measured_value=10**400).value == math.inf
    assert measured(measured_value={"a": 2**70}).value == {"a": float(2**70)}
    rows = measured(dimensions=DIMENSIONS, measured_value=[[0, 2**70]])
    assert rows.series[1].data == [float(2**70)]


def test_the_key_names_the_measurement():
    measurements = {"a": {"name": "b", "outcome": "PASS"}, "": {"name": "c", "outcome": "PASS"}}
    with pytest.raises(UnreadableReport, match=r"phases\[0\]\.measurements\[''\]"):
        parsed(record(phases=[phase(measurements=measurements)]))
    del measurements[""]
    assert parsed(record(phases=[phase(measurements=measurements)])).phases[0].measurements[0].name == "a"


def test_conditional_validators():
    conditional = [
        {"result": "a", "validator": "x <= 1"},
        {"result": "b", "validator": "<function f at 0x7f>"},
    ]
    found = measured(measured_value=0.5, validators=["x <= 1"], conditional_validators=conditional)
    assert found.validators == (
        Validator("x <= 1", "<=", 1, "PASS", True, True),
        Validator("<function f>", is_decisive=False),
    )
    assert found.limits == (None, 1)


@pytest.mark.parametrize(
    ("level", "name"),
    [
        (0, "DEBUG"),
        (10, "DEBUG"),
        (25, "INFO"),
        (30, "WARNING"),
        (49, "ERROR"),
        (50, "CRITICAL"),
        (99, "CRITICAL"),
    ],
)
def test_log_levels(level, name):
    logs = [{"level": level, "timestamp_millis": 1500, "message": "m", "source": "s.py", "lineno": 3}]
    assert parsed(record(log_records=logs)).logs == (Log(name, at(1500), "m", "s.py", 3),)


def test_logs_within_bounds():
    logs = [{"level": 20, "timestamp_millis": 0, "message": "", "source": None, "lineno": None}]
    assert parsed(record(log_records=logs)).logs == (Log("INFO", at(0), "(empty)", "unknown", 0),)
    logs[0] |= {"message": "m" * 10_001, "source": "/" * 300 + "end.py"}
    log = parsed(record(log_records=logs)).logs[0]
    assert (len(log.message), len(log.source_file), log.source_file[-6:]) == (10_000, 200, "end.py")


def test_inline_attachments_are_not_read():
    attached = {"a.bin": {"mimetype": None, "sha1": "0", "data": "QUJD" * 1000}}
    assert parsed(record(phases=[phase(attachments=attached)])) == parsed(record(phases=[phase()]))


def test_a_byte_order_mark_is_tolerated():
    assert parse(b"\xef\xbb\xbf" + case("pass")) == parse(case("pass"))


# What is no record


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00",
        b"not json",
        b"[]",
        b"null",
        b"{}",
        b"NaN",
        b"\xff\xfe\x00",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"[" * 100_000 + b"]" * 100_000,
        b"1" * 5000,
        json.dumps(record(dut_id="\x00")).encode(),
        json.dumps(record(dut_id="\ud800")).encode(),
        json.dumps(record(code_info={"docstring": "\udcff"})).encode(),
        json.dumps(record()).encode().replace(b"SN1", b"SN\x00"),
        json.dumps(record()).encode().replace(b"SN1", b"SN\xff"),
        json.dumps(record()).encode().replace(b"3500", b"1" * 5000),
        case("full")[:-1],
    ],
)
def test_no_json_record(content):
    with pytest.raises(UnreadableReport, match=r"OutputToJSON|NUL"):
        parse(content)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"dut_id": 1.5}, r"`\$\.dut_id`, which is 1\.5"),
        ({"start_time_millis": "soon"}, r"`\$\.start_time_millis`, which is 'soon'"),
        ({"start_time_millis": None}, r"\$\.start_time_millis"),
        ({"start_time_millis": 10**18}, "start_time_millis: .* 1970"),
        ({"start_time_millis": 10**400}, "start_time_millis|range"),
        ({"start_time_millis": math.nan}, "start_time_millis"),
        ({"end_time_millis": math.inf}, "end_time_millis"),
        ({"end_time_millis": -(10**30)}, "end_time_millis"),
        ({"phases": {}}, r"`\$\.phases`, which is {}"),
        ({"phases": [3]}, r"`\$\.phases\[0\]`, which is 3"),
        ({"phases": [phase(name=" ")]}, r"phases\[0\]\.name is ' '"),
        ({"phases": [phase(), phase(end_time_millis=1e300)]}, r"phases\[1\]\.end_time_millis"),
        ({"phases": [phase(measurements={"m": 3})]}, r"measurements\[\.\.\.\]"),
        ({"phases": [phase(measurements={"m": {"units": 3}})]}, "units"),
        ({"metadata": "x"}, r"\$\.metadata"),
        ({"metadata": {"procedure_id": ["a"]}}, r"`\$\.metadata\.procedure_id`, which is \['a'\]"),
        ({"metadata": {"procedure_id": "a\0b"}}, r"metadata\.procedure_id is 'a\\x00b'"),
        ({"metadata": {"procedure_id": "a", "sub_units": [{}]}}, "serial_number"),
        ({"log_records": [{"level": 10}]}, "timestamp_millis"),
        (
            {"log_records": [{"level": 1, "timestamp_millis": 0, "message": "", "lineno": 2**40}]},
            r"\$\.log_records\[0\]\.lineno",
        ),
        (
            {"log_records": [{"level": 1, "timestamp_millis": 1e17, "message": ""}]},
            r"log_records\[0\]\.timestamp_millis",
        ),
    ],
)
def test_the_message_names_the_field(changes, message):
    with pytest.raises(UnreadableReport, match=message):
        parsed(record(**changes))


@pytest.mark.parametrize("levels", [101, 400])
def test_deeply_nested_values(levels):
    value = json.loads("[" * levels + "]" * levels)
    with pytest.raises(UnreadableReport, match=r"phases\[0\]\.measurements\['m'\].*100 levels"):
        measured(measured_value=value)
    with pytest.raises(UnreadableReport, match="100 levels"):
        measured(measured_value=value, units=VOLT)
