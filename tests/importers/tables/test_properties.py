"""Whatever the bytes and the mapping: a table makes a report or says why not; and what was written reads back."""

import math

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from runcard.domain.errors import RuncardError
from runcard.domain.runs.report import RunReport
from runcard.importers.tables.mapped_runs import parse
from runcard.importers.tables.mapping import TableMapping
from tests.importers.tables.files import HEADER, PROCEDURE, RUN, csv_file, mapping, wide, xlsx_file

# openpyxl warns of parts that it leaves out, and of dates that are none.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:openpyxl")

LONG = {
    "nameColumn": "Name",
    "valueColumn": "Value",
    "unitsColumn": "Unit",
    "lowerColumn": "Low",
    "upperColumn": "High",
    "outcomeColumn": "Result",
    "phaseColumn": "Step",
}
COLUMNS = [*HEADER, "Name", "Value", "Unit", "Low", "High", "Step"]
PHASES = {"nameColumn": "Step", "outcomeColumn": "Result", "startedColumn": "Start", "endedColumn": "End"}
RULES = [{"key": "unit", "column": "Unit"}]
MAPPINGS = [
    mapping(),
    mapping(LONG),
    mapping(LONG, phases=PHASES, metadata=RULES, unitMetadata=RULES),
    mapping(wide("Value", {"column": "Low", "lowerLimit": 1, "phase": "P"}), phases=PHASES),
]


def survives(content, made):
    """Whether the content is either read, as what documents can hold, or refused in Runcard's own words."""
    try:
        [report] = parse(content, made, PROCEDURE)
    except RuncardError as error:
        return bool(str(error))
    return msgspec.msgpack.decode(msgspec.msgpack.encode(report), type=RunReport).serial_number != ""


mappings = st.sampled_from(MAPPINGS)


@given(st.binary(), mappings)
def test_arbitrary_bytes_never_surprise(content, made):
    assert survives(content, made)


odd_texts = st.one_of(
    st.text(),
    st.sampled_from(
        ["", " ", "PASS", "FAIL", "nan", "-inf", "1e999", "3,3", "0012", "#N/A", "true", '"', "\r", ";"]
    ),
    st.sampled_from(
        ["2026-01-31", "2026-01-31T12:00:00Z", "0001-01-01T00:00+14:00", "24:00", "2026-W05-6", "P1D"]
    ),
    st.integers().map(str),
    st.floats().map(str),
)
odd_rows = st.lists(st.lists(odd_texts, max_size=len(COLUMNS)), max_size=6)


@given(odd_rows, mappings, st.sampled_from([",", ";", "\t", "|"]))
def test_arbitrary_rows_never_surprise(rows, made, delimiter):
    text = csv_file([COLUMNS, [*RUN, *[""] * 6], *rows], delimiter, "utf-16")
    assert survives(text, made)


@given(odd_rows, mappings, st.data())
def test_damaged_texts_never_surprise(rows, made, data):
    content = bytearray(csv_file([COLUMNS, [*RUN, *[""] * 6], *rows], encoding="utf-8", delimiter=";"))
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), max_size=5)):
        content[place] = data.draw(st.integers(0, 255))
    assert survives(bytes(content), made)


WORKBOOK = xlsx_file(
    [COLUMNS, [*RUN, "a", 3.3, "V", 3, 3.5, "Power"], [*RUN, "b", True, None, None, None, "Power"]]
)


@given(mappings, st.data())
def test_damaged_workbooks_never_surprise(made, data):
    content = bytearray(WORKBOOK)
    for place in data.draw(st.lists(st.integers(4, len(content) - 1), min_size=1, max_size=5)):
        content[place] = data.draw(st.integers(0, 255))
    assert survives(bytes(content), made)


odd_json = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.sampled_from(COLUMNS)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from([*LONG, *PHASES, "column", "value", "valueMap", "columns", "layout"]), inner
        ),
    ),
    max_leaves=8,
)


@given(
    st.dictionaries(
        st.sampled_from(["fields", "measurements", "phases", "metadata", "unitMetadata"]), odd_json
    )
)
def test_arbitrary_mappings_never_surprise(changes):
    given_mapping = msgspec.to_builtins(MAPPINGS[2]) | changes
    try:
        made = msgspec.convert(given_mapping, TableMapping)
    except (msgspec.ValidationError, OverflowError):
        return
    assert survives(csv_file([COLUMNS, [*RUN, *[""] * 6]]), made)


# What is written reads back. Names are trimmed, and a spreadsheet's errors are no names.
names = (
    st.text(
        st.characters(codec="utf-8", exclude_characters="\0", exclude_categories=("Cc", "Cs")),
        min_size=1,
        max_size=30,
    )
    .map(str.strip)
    .filter(lambda text: text and not text.startswith("#"))
)
numbers = st.one_of(st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False))
values = st.one_of(numbers, st.booleans())
delimiters = st.sampled_from([",", ";", "\t", "|"])
encodings = st.sampled_from(["utf-8", "utf-8-sig", "utf-16"])


def written(value, delimiter):
    """A value as a logger writes it, with a decimal comma where it may."""
    return str(value) if delimiter == "," else str(value).replace(".", ",")


def same(found, value):
    return (found, type(found)) == (value, type(value))


@given(st.dictionaries(names, values, min_size=1, max_size=8), delimiters, encodings)
def test_a_wide_file_reads_back(measurements, delimiter, encoding):
    assume(not set(measurements) & set(HEADER))
    rows = [[*HEADER, *measurements], [*RUN, *(written(value, delimiter) for value in measurements.values())]]
    [report] = parse(csv_file(rows, delimiter, encoding), mapping(wide(*measurements)), PROCEDURE)
    found = {one.name: one.value for one in report.phases[0].measurements}
    assert list(found) == list(measurements)
    assert all(same(found[name], value) for name, value in measurements.items())


limits = st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False))


@given(
    st.dictionaries(st.tuples(names, names), st.tuples(values, limits, limits), min_size=1, max_size=8),
    delimiters,
    encodings,
)
def test_a_long_file_reads_back(measurements, delimiter, encoding):
    def cell(value):
        return "" if value is None else written(value, delimiter)

    rows = [
        [*RUN, name, cell(value), "V", cell(low), cell(high), phase]
        for (phase, name), (value, low, high) in measurements.items()
    ]
    made = mapping(LONG | {"outcomeColumn": None})
    [report] = parse(csv_file([COLUMNS, *rows], delimiter, encoding), made, PROCEDURE)
    found = {(phase.name, one.name): one for phase in report.phases for one in phase.measurements}
    assert len(found) == len(measurements)
    for key, (value, low, high) in measurements.items():
        assert same(found[key].value, value)
        assert (found[key].lower_limit, found[key].upper_limit, found[key].uom) == (low, high, "V")


# A workbook holds what a double does and no infinities; its writer rounds to 16 digits.
workbook_values = st.one_of(st.integers(-(2**53), 2**53), st.floats(-1e300, 1e300), st.booleans())


@given(st.lists(workbook_values, min_size=1, max_size=8))
def test_a_workbook_reads_back(numbers):
    names = [f"m{at}" for at in range(len(numbers))]
    [report] = parse(xlsx_file([[*HEADER, *names], [*RUN, *numbers]]), mapping(wide(*names)), PROCEDURE)
    found = [one.value for one in report.phases[0].measurements]
    assert all(math.isclose(one, number, rel_tol=1e-15) for one, number in zip(found, numbers, strict=True))
    assert [isinstance(one, bool) for one in found] == [isinstance(number, bool) for number in numbers]
