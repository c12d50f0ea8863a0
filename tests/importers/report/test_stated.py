"""What is stated of files fills what they do not say, and replaces what they say only where somebody asks for it."""

from io import BytesIO
from typing import Any

import pytest

from runcard.domain.errors import InvalidInput, NotSaid
from runcard.domain.floor.statement import Statement
from runcard.domain.runs.report import RunReport
from runcard.importers.formats import FORMATS, rules_of
from runcard.importers.report.stated import StatedReport, Stating, with_statement
from tests.importers.golden import CASES
from tests.importers.many_runs import junit_of
from tests.importers.stdf.lots import lot, part, ptr
from tests.importers.stdf.writers import write_stdf

PLACE = "reports/LOT7/PCB01_SN42.xml"
NAMELESS = b'<testsuites><testsuite><testcase name="a"/></testsuite></testsuites>'


def brought(
    content: bytes,
    importer: str = "JUNIT",
    *,
    place: str = PLACE,
    procedure: str | None = None,
    part_number: str | None = None,
    **stated: Any,
) -> list[StatedReport]:
    (form,) = [one for one in FORMATS if one.name == importer]
    stating = Stating(place, procedure, part_number, Statement(**stated))
    found = with_statement(form.parse(BytesIO(content)), stating, rules_of(importer), content)
    return [one for one in found if isinstance(one, StatedReport)]


def units(found: list[StatedReport]) -> list[str]:
    return [one.report.serial_number for one in found]


def one_of(found: list[StatedReport]) -> RunReport:
    (claimed,) = found
    assert isinstance(claimed.report, RunReport)
    return claimed.report


def test_a_real_file_that_names_no_unit_takes_the_one_in_its_name() -> None:
    content = (CASES / "junit" / "unicode.xml").read_bytes()
    pattern = r"(?P<part_number>[^/_]+)_(?P<serial_number>SN\d+)"
    (claimed,) = brought(content, name_pattern=pattern)
    report = one_of([claimed])
    assert (report.serial_number, report.part_number) == ("SN42", "PCB01")
    assert claimed.stated == ("serial_number", "part_number")


@pytest.mark.parametrize(
    ("sample", "importer", "path", "told"),
    [
        ("junit/complex_suites.xml", "JUNIT", ("serial_number",), "add <property name="),
        ("openhtf/nodut.json", "OPENHTF", ("dut_id",), "return the serial number"),
    ],
)
def test_samples_without_a_unit_are_told_how_to_name_it(
    sample: str, importer: str, path: tuple[str, ...], told: str
) -> None:
    content = (CASES / sample).read_bytes().replace(b"UNKNOWN_DUT", b"")
    with pytest.raises(NotSaid) as refused:
        brought(content, importer, procedure="FVT1")
    (issue,) = refused.value.issues
    assert (issue.path, told in issue.message) == (path, True), issue
    assert refused.value.field == "serial_number"
    assert set(units(brought(content, importer, procedure="FVT1", serial_number="SN1"))) == {"SN1"}


def test_all_that_is_missing_is_told_with_where_it_was_looked_for() -> None:
    with pytest.raises(NotSaid) as refused:
        brought(NAMELESS, name_pattern="LOT8", content_pattern="LOT9")
    procedure, unit = refused.value.issues
    assert procedure.path == ("procedure",)
    assert procedure.message.startswith("the file names no procedure; name_pattern finds none in ")
    assert unit.message.startswith(
        f"the file names no unit; name_pattern finds none in {PLACE!r}; content_pattern finds none in the content"
    )


def test_a_nameless_suite_takes_the_procedure_that_is_stated() -> None:
    chosen = one_of(brought(NAMELESS, procedure="FVT1", serial_number="SN1"))
    assert (chosen.procedure, chosen.procedure_is_name) == ("FVT1", False)
    named = one_of(brought(NAMELESS, name_pattern=r"(?P<procedure>\w+)/\w+_(?P<serial_number>\w+)"))
    assert (named.procedure, named.procedure_is_name, named.serial_number) == ("LOT7", True, "SN42")


def test_what_a_file_says_stays_unless_it_is_to_be_replaced() -> None:
    content = junit_of(["SN1"])
    (kept,) = brought(content, serial_number="SN2", part_number="PCB02")
    assert (units([kept]), kept.report.part_number, kept.stated) == (["SN1"], "PCB01", ())
    (replaced,) = brought(content, serial_number="SN2", part_number="PCB02", overrides=True)
    assert (units([replaced]), replaced.report.part_number) == (["SN2"], "PCB02")
    assert replaced.stated == ("serial_number", "part_number")


def test_what_is_stated_as_the_file_says_it_is_not_stated() -> None:
    (claimed,) = brought(junit_of(["SN1"]), serial_number="SN1", overrides=True)
    assert claimed.stated == ()


def test_values_in_the_content() -> None:
    content = NAMELESS.replace(b"<testcase", b"<!-- board: SN7 --><testcase")
    stated = {"procedure": "FVT1", "content_pattern": r"board: (\w+)"}
    assert units(brought(content, **stated)) == ["SN7"]
    wide = content.decode().replace("<testsuites>", '<?xml version="1.0" encoding="utf-16"?><testsuites>')
    assert units(brought(wide.encode("utf-16"), **stated)) == ["SN7"]
    # What is given counts before what the name tells, and that before what the content tells.
    assert units(brought(content, **stated, name_pattern="SN[0-9]+")) == ["SN42"]
    assert units(brought(content, **stated, name_pattern="SN[0-9]+", serial_number="SN1")) == ["SN1"]


# Lots, whose serial numbers are composed


def stdf_of(*part_ids: str) -> bytes:
    return write_stdf(lot(*(record for one in part_ids for record in part(ptr(), part_id=one))), "<")


@pytest.mark.parametrize(
    ("template", "serial_number"),
    [
        ("{file}-{part_id}", "eight-1"),
        ("{lot}/{head}/{site}/{hard_bin}", "LOT-9/1/0/1"),
        ("{serial_number}@{procedure_version}", "LOT-9-1@3"),
    ],
)
@pytest.mark.parametrize("place", ["a/eight.stdf", "a\\eight.stdf.gz", "eight"])
def test_a_template_takes_what_a_lot_says(place: str, template: str, serial_number: str) -> None:
    (claimed,) = brought(stdf_of("1"), "STDF", place=place, serial_number_template=template)
    assert (units([claimed]), claimed.stated) == ([serial_number], ("serial_number",))


def test_a_template_that_takes_what_no_report_says_is_refused_with_what_there_is() -> None:
    with pytest.raises(InvalidInput) as refused:
        brought(stdf_of("1"), "STDF", serial_number_template="{lot}-{wafer}")
    message = refused.value.issues[0].message
    assert "takes {wafer}, which a report does not say; it says " in message
    assert {"batch_number", "file", "lot", "part_id"} <= set(message.partition("it says ")[2].split(", "))


def test_a_template_fills_where_a_report_names_no_unit() -> None:
    content = (CASES / "junit" / "unicode.xml").read_bytes()
    assert units(brought(content, serial_number_template="{file}")) == ["PCB01_SN42"]
    assert units(brought(junit_of(["SN1"]), serial_number_template="{file}")) == ["SN1"]


def test_one_serial_number_stands_for_one_part_and_never_for_several() -> None:
    """A part that is tested again is the same part."""
    stated = {"place": "SN42.stdf", "name_pattern": r"SN\d+"}
    assert units(brought(stdf_of("1", "1"), "STDF", **stated)) == ["SN42", "SN42"]
    with pytest.raises(InvalidInput) as refused:
        brought(stdf_of("1", "2"), "STDF", **stated)
    assert "has several units, such as LOT-9-1 and LOT-9-2" in refused.value.issues[0].message
    with pytest.raises(InvalidInput):
        brought(junit_of(["A", "B"]), serial_number="C", overrides=True)
