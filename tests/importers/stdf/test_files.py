"""What a file may look like around its records: byte orders, packing, damage, and the liberties of ATDF."""

import bz2
import gzip
import io
import struct
from collections.abc import Callable

import pytest

from runcard.domain.errors import PayloadTooLarge, RuncardError, UnreadableReport
from runcard.domain.runs.report import RunReport
from runcard.importers.content import unpacking
from runcard.importers.report.remarks import Remark
from runcard.importers.stdf import atdf
from runcard.importers.stdf import binary as stdf
from runcard.importers.stdf.binary_fields import Remembered
from runcard.importers.stdf.records import Description, Dtr, Inputs, Mpr, Pir
from tests.importers.stdf.lots import LIMITED, MIR, SYNTAXES, changed, lot, part, ptr, read, runs_of, written
from tests.importers.stdf.writers import write_atdf, write_stdf

SMALL = lot(*part(ptr(), Dtr("text")))
PACKERS: dict[str, Callable[[bytes], bytes]] = {"gzip": gzip.compress, "bzip2": bz2.compress}


# Packing


@pytest.mark.parametrize("syntax", SYNTAXES)
@pytest.mark.parametrize("packer", PACKERS)
def test_packed_files_are_told_from_their_content(syntax, packer):
    assert read(PACKERS[packer](written(SMALL, syntax)), syntax) == runs_of(SMALL, syntax)


@pytest.mark.parametrize("packer", PACKERS)
def test_files_packed_in_pieces(packer):
    content = write_stdf(SMALL)
    assert read(PACKERS[packer](content[:100]) + PACKERS[packer](content[100:]), "little") == runs_of(
        SMALL, "little"
    )


@pytest.mark.parametrize("syntax", SYNTAXES)
@pytest.mark.parametrize("packer", PACKERS)
def test_a_packed_file_that_is_cut_short(syntax, packer):
    content = PACKERS[packer](written(SMALL, syntax))
    for length in range(3, len(content)):
        with pytest.raises(UnreadableReport):
            read(content[:length], syntax)


@pytest.mark.parametrize("packer", PACKERS)
def test_a_file_that_unpacks_to_very_much(packer):
    start = write_stdf([MIR])
    # Records of a kind that is skipped, so that nothing else is wrong with them.
    skipped = struct.pack("<HBB", 60_000, 180, 0) + bytes(60_000)
    content = PACKERS[packer](start + skipped * (2 * unpacking.FREE_BYTES // len(skipped)))
    with pytest.raises(PayloadTooLarge, match="200 times"):
        read(content, "little")


def test_a_file_that_packs_well_is_read():
    one = write_stdf(part(ptr()))[6:]
    packed = gzip.compress(write_stdf([MIR]) + one * 20_000 + write_stdf(lot()[1:])[6:])
    assert len(one * 20_000) > 150 * len(packed)
    assert len(read(packed, "little")) == 20_000


# STDF


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "no STDF"),
        (b"\x02\0\0\x0a\x02", "no STDF"),
        (b"FAR:A|4|2|U\n", "no STDF"),
        (b"\x02\0\0\x0a\x02\x03", "version 3"),
        (b"\x02\0\0\x0a\0\x04", "DEC"),
        (b"\x02\0\0\x0a\x02\x04", "no MIR"),
        (b"\x02\0\0\x0a\x02\x04\x05\0", "inside the record at byte 6"),
        (b"\x02\0\0\x0a\x02\x04\x03\0\x05\x14\x01\0\0", "no MIR"),
        (b"\x02\0\0\x0a\x02\x04\x01\0\x0f\x0a\x01", "kind 15/10 at byte 6 is shorter"),
        (b"\x02\0\0\x0a\x02\x04\x01\0\x32\x1e\x05", "kind 50/30 at byte 6 is shorter"),
    ],
)
def test_what_is_no_stdf(content, told):
    with pytest.raises(UnreadableReport, match=told):
        read(content, "little")


def test_the_byte_order_is_that_of_the_first_length():
    content = bytearray(write_stdf(SMALL, ">"))
    content[4] = 2
    assert read(bytes(content), "big") == runs_of(SMALL, "big")


@pytest.mark.parametrize("padding", [b"\0" * 3, b"\0" * 4, b"\0" * 5001])
def test_padding_ends_a_file(padding):
    assert read(write_stdf(SMALL) + padding, "little") == runs_of(SMALL, "little")


def test_padding_does_not_hide_that_parts_are_missing():
    with pytest.raises(UnreadableReport, match="MRR"):
        read(write_stdf([MIR, *part()]) + bytes(8), "little")


def test_unknown_records_are_skipped():
    unknown = struct.pack("<HBB", 5, 180, 7) + b"12345"
    content = write_stdf([MIR]) + unknown + write_stdf(SMALL[1:])[6:]
    assert read(content, "little") == runs_of(SMALL, "little")


def test_records_may_end_before_their_last_fields():
    short = struct.pack("<HBBIBBBBf", 12, 15, 10, 10, 1, 0, 0, 0, 1.5)
    begin, end = struct.pack("<HBBBB", 2, 5, 10, 1, 0), struct.pack("<HBBBBBHH", 7, 5, 20, 1, 0, 8, 1, 2)
    (run,) = read(write_stdf([MIR]) + begin + short + end + struct.pack("<HBB", 0, 1, 20), "little")
    assert (run.outcome, run.serial_number) == ("FAIL", "LOT-9-20010605T205022-#1")
    assert [one.name for one in run.phases[0].measurements] == ["10"]


def test_a_record_of_pins_may_end_before_it_names_them():
    said = changed(LIMITED, text="leak")
    first, short = (Mpr(20, 1, 0, 0, 0, (1.25, 1.75), Inputs(said, (2, 1))) for _ in range(2))
    body = write_stdf([short])[10:]
    # As far as ALARM_ID: pins are counted and have states, and no index.
    body = body[: body.index(b"leak") + len(b"leak\0")]
    second = struct.pack("<HBB", len(body), 15, 15) + body
    content = write_stdf([MIR, *part(first), Pir(1, 0)]) + second + write_stdf([*part()[1:], *lot()[1:]])[6:]
    one, other = read(content, "little")
    assert one.phases[0].measurements == other.phases[0].measurements
    assert [one.name for one in other.phases[0].measurements] == ["20 leak pin 2", "20 leak pin 1"]


@pytest.mark.parametrize(
    ("length", "told"),
    [
        (7, []),
        (8, []),
        (12, ["30: cycle 9"]),
        (20, ["30: cycle 9, address 8"]),
        (36, ["30: cycle 9, address 8, failing pins 6"]),
        (42, ["30: cycle 9, address 8, failing pins 6"]),
        (45, ["30: vector v1, cycle 9, address 8, failing pins 6"]),
    ],
)
def test_a_functional_record_may_end_after_each_field(length, told):
    body = (
        struct.pack("<IBBBBIIIIiihHH", 30, 1, 0, 128, 0, 9, 8, 7, 6, 5, 4, 3, 0, 0) + b"\x0f\0\xff\x7f\x02v1"
    )
    assert len(body) == 45
    record = struct.pack("<HBB", length, 15, 20) + body[:length]
    begin, end = write_stdf(part()[:1])[6:], write_stdf(lot(*part())[2:])[6:]
    (run,) = read(write_stdf([MIR]) + begin + record + end, "little")
    assert [(one.name, one.value) for one in run.phases[0].measurements] == [("30", False)]
    assert [log.message for log in run.logs] == told


@pytest.mark.parametrize("length", [0, 6, 9, 37, 39, 40, 41, 44])
def test_a_functional_record_may_not_end_inside_of_a_field(length):
    body = (
        struct.pack("<IBBBBIIIIiihHH", 30, 1, 0, 128, 0, 9, 8, 7, 6, 5, 4, 3, 0, 0) + b"\x0f\0\xff\x7f\x02v1"
    )
    content = write_stdf([MIR, *part()[:1]]) + struct.pack("<HBB", length, 15, 20) + body[:length]
    with pytest.raises(UnreadableReport, match="15/20"):
        read(content, "little")


def test_texts_without_their_padding():
    said = Description("v\0d\0\0 ", "", "V\0")
    (run,) = runs_of(lot(*part(ptr(said=said))), "little")
    found = run.phases[0].measurements[0]
    assert (found.name, found.uom) == ("10 v d", "V")


@pytest.mark.parametrize(("encoding", "text"), [("utf-8", "µµ"), ("latin-1", "µ5°C")])
def test_texts_beyond_ascii(encoding, text):
    content = write_stdf(SMALL).replace(b"\x04text", b"\x04" + text.encode(encoding))
    assert read(content, "little")[0].logs[0].message == text


def test_values_of_a_generic_record():
    fields = (
        b"\x00\x01\x07\x02\x01\0\x00\x03\x04\0\0\0\x04\xff\x05\xfe\xff\x06\xfd\xff\xff\xff"
        b"\x07"
        + struct.pack("<f", 0.1)
        + b"\x08"
        + struct.pack("<d", 0.1)
        + b"\x0a\x02hi\x0b\x02\xab\xcd\x0c\x09\0\xff\x01\x0d\x05"
    )
    body = struct.pack("<H", 14) + fields
    content = write_stdf(lot(*part())[:2]) + struct.pack("<HBB", len(body), 50, 10) + body
    (run,) = read(content + write_stdf(lot(*part())[2:])[6:], "little")
    assert run.logs[0].message == "7, 1, 4, -1, -2, -3, 0.1, 0.1, hi, ABCD, FF01, 5"


def test_a_generic_value_of_no_kind():
    body = struct.pack("<H", 1) + b"\x09"
    content = write_stdf([MIR]) + struct.pack("<HBB", len(body), 50, 10) + body
    with pytest.raises(UnreadableReport, match="kind 50/10"):
        read(content, "little")


def test_more_descriptions_than_are_remembered(monkeypatch):
    """What was forgotten is read anew, and the first record of a number still counts."""
    monkeypatch.setattr(Remembered, "_MAX_BYTES", 2000)
    numbers = [*range(20), *range(20)]
    said = [Description(f"name {number}", "", "V", 1.0, 2.0) for number in numbers]
    bare = Description()
    records = [ptr(number=number, said=one) for number, one in zip(numbers, said, strict=True)]
    (run,) = runs_of(lot(*part(*records, *[ptr(number=number, said=bare) for number in numbers])), "little")
    names = [one.name for one in run.phases[0].measurements]
    assert names == [f"{number} name {number}" for number in numbers * 2]
    assert {one.limits for one in run.phases[0].measurements} == {(1, 2)}


# ATDF

TEXT = """FAR:A|4|2|U
MIR:LOT-9|PT1|job|node|A5|8:23:02 23-JUL-1992|08:30:00 23-jul-1992|ann|P|1
PIR:1|0
PTR:10|1|0|1.5|P||vdd|||V|1|2
PRR:1|0|7|1|P|1||3|-4||||hello
MRR:
"""


def text_runs(content):
    return read(content.encode(), "text")


def test_a_text_by_hand():
    (run,) = text_runs(TEXT)
    assert (run.serial_number, run.operator, run.outcome) == ("LOT-9-7", "ann", "PASS")
    assert (run.started_at.isoformat(), run.metadata["part_text"]) == ("1992-07-23T08:30:00+00:00", "hello")
    found = run.phases[0].measurements[0]
    assert (found.name, found.value, found.uom, found.limits) == ("10 vdd", 1.5, "V", (1, 2))


@pytest.mark.parametrize(
    "other",
    [
        TEXT.replace("|", ","),
        TEXT.replace("|", "\x1f"),
        TEXT.replace("\n", "\r\n"),
        TEXT.replace("\n", "\n\n"),
        TEXT.replace("|vdd", "|\n vdd").replace("|job", "\n |job"),
        TEXT.replace("|1|2\n", " |  1 | 2 |||||\n"),
        "\ufeff" + TEXT,
        TEXT + "XYZ:unknown|record\n",
        TEXT.rstrip(),
    ],
    ids=[
        "commas",
        "control",
        "crlf",
        "blank lines",
        "parts",
        "blanks",
        "mark",
        "unknown",
        "no last line end",
    ],
)
def test_liberties_of_a_text(other):
    assert text_runs(other) == text_runs(TEXT)


@pytest.mark.parametrize("flag", ["|S", "", "|"])
def test_scaled_values(flag):
    scaled = (
        TEXT.replace("4|2|U", f"4|2{flag}")
        .replace("|1.5|", "|1500|")
        .replace("|V|1|2", "|mV|1000|2000000||||500||3|3|6")
        .replace("PRR", "PTR:10|1|0|1250|P\nPRR")
    )
    (run,) = text_runs(scaled)
    first, second = run.phases[0].measurements
    assert (first.value, first.uom, first.limits, first.validators[0].expected) == (1.5, "V", (1, 2), 0.5)
    assert (second.value, second.limits) == (1.25, (1, 2))


def test_several_scaled_values():
    scaled = TEXT.replace("4|2|U", "4|2|S").replace(
        "PTR:10|1|0|1.5|P||vdd|||V|1|2", "MPR:20|1|0||1.5,2.5|P||iv|||uA||||||1,2||||||6"
    )
    (run,) = text_runs(scaled)
    assert [(one.name, one.value, one.uom) for one in run.phases[0].measurements] == [
        ("20 iv pin 1", 1.5e-06, "A"),
        ("20 iv pin 2", 2.5e-06, "A"),
    ]


def in_exponent(exponent: int, units: str) -> str:
    """A text of one part, whose only test has an exponent."""
    return TEXT.replace("4|2|U", "4|2|S").replace("|V|1|2", f"|{units}|1|2||||||{exponent}")


@pytest.mark.parametrize(
    ("exponent", "units", "uom", "value"),
    [(-3, "kHz", "Hz", 1500.0), (-3, "KHz", "Hz", 1500.0), (6, "µA", "A", 1.5e-06), (6, "μA", "A", 1.5e-06)],
)
def test_prefixes_as_they_are_written(exponent, units, uom, value):
    (run,) = text_runs(in_exponent(exponent, units))
    assert [(one.value, one.uom) for one in run.phases[0].measurements] == [(value, uom)]


@pytest.mark.parametrize(("exponent", "units"), [(3, "V"), (9, "mA"), (-6, "Hz"), (3, "m")])
def test_a_unit_that_contradicts_its_exponent_is_remarked_on(exponent, units):
    part_again = "PIR:1|0\nPTR:10|1|0|2.5|P\nPTR:11|1|0|2.5|P\nPRR:1|0|8|1|P\nMRR:\n"
    told = list(atdf.parse(io.BytesIO(in_exponent(exponent, units).replace("MRR:\n", part_again).encode())))
    assert [type(one) for one in told] == [RunReport, Remark, RunReport]
    run, remark, _ = told
    assert isinstance(run, RunReport)
    assert isinstance(remark, Remark)
    assert [one.uom for one in run.phases[0].measurements] == [units]
    assert remark.text.startswith(f"Test 10: unit {units!r} contradicts exponent {exponent}")


@pytest.mark.parametrize(
    ("exponent", "units"), [(3, "mV"), (0, "V"), (0, "mV"), (3, ""), (1, "V"), (2, "%"), ("", "V")]
)
def test_units_that_contradict_nothing(exponent, units):
    content = in_exponent(exponent, units)
    assert len(list(atdf.parse(io.BytesIO(content.encode())))) == 1


def test_values_in_the_base_unit_contradict_no_exponent():
    content = in_exponent(3, "V").replace("4|2|S", "4|2|U")
    assert len(list(atdf.parse(io.BytesIO(content.encode())))) == 1


def test_values_of_a_generic_text():
    (run,) = text_runs(TEXT.replace("PTR", "GDR:U7|I-3|F0.10|T hi|Xab||N5|L\nPTR"))
    assert run.logs[0].message == "7, -3, 0.1, hi, AB, 5"


def test_long_texts_end():
    (run,) = text_runs(TEXT.replace("hello", "x" * 300))
    assert run.metadata["part_text"] == "x" * 255


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("", "no ATDF"),
        ("MIR:\n", "no ATDF"),
        ("FAR:A|3|2|U\n", "version '3'"),
        ("FAR:A", "no MIR"),
        (TEXT.replace("PIR:", "pir "), "Line 3 is 'pir 1|0'"),
        (TEXT.replace("|1.5|", "|fast|"), "Line 4, record PTR: 'fast' is no number"),
        (TEXT.replace("PTR:10", "PTR:ten"), "'ten' is no whole number"),
        (TEXT.replace("PTR:10", "PTR:99999999999"), "'99999999999' is no whole number"),
        (TEXT.replace("PTR:10|1", "PTR:10|"), "field 2 is empty"),
        (TEXT.replace("PTR:10", "PTR:"), "field 1 is empty"),
        (TEXT.replace("JUL", "JUX"), "Line 2, record MIR: '8:23:02 23-JUX-1992' is no time"),
        (TEXT.replace("23-JUL", "33-JUL"), "record MIR: day"),
        (TEXT.replace("4|2|U", "4|2|S").replace("|1|2\n", "|1|2||||||200\n"), "scaling exponents"),
        (TEXT.replace("hello", "x" * (1 << 20)), "Line 5 goes on for more than"),
        (TEXT.replace("hello", "\n y" * (1 << 20)), "goes on for more than"),
    ],
    ids=[
        "empty",
        "no FAR",
        "version",
        "FAR alone",
        "no record",
        "no number",
        "no whole number",
        "large number",
        "no head",
        "no number given",
        "no month",
        "no day",
        "exponent",
        "long line",
        "many lines",
    ],
)
def test_what_is_no_atdf(content, told):
    with pytest.raises(UnreadableReport, match=told):
        text_runs(content)


def test_a_text_in_latin_1():
    content = TEXT.replace("hello", "µ").encode("latin-1")
    (run,) = read(content, "text")
    assert run.metadata is not None
    assert run.metadata["part_text"] == "µ"


def test_syntaxes_are_not_taken_for_each_other():
    for parse, content in ((stdf.parse, write_atdf(SMALL)), (atdf.parse, write_stdf(SMALL))):
        with pytest.raises(RuncardError):
            list(parse(io.BytesIO(content)))
