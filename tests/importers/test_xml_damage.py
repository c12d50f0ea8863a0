"""Whatever happens to an XML report file, it is read or refused in Runcard's own words, and never read in part."""

from io import BytesIO

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runcard.domain.errors import InvalidInput, RuncardError, UnreadableReport
from runcard.domain.runs.report import RunReport
from runcard.importers.formats import FORMATS
from runcard.importers.report.remarks import Remark
from runcard.ingest.record_run import prepare_run
from tests.importers.golden import CASES

PARSERS = {one.name: one.parse for one in FORMATS}
FILES = {
    "JUNIT": ("junit/board.xml", "junit/unicode.xml"),
    "ROBOT": ("robot/board_3.xml", "robot/board_7.xml"),
    "TESTSTAND": ("teststand/plain.xml", "teststand/board.xml", "teststand/tsreport.xml"),
    "ATML": ("atml/board_2.xml", "atml/board_5.xml", "atml/board_6.xml"),
}
CONTENTS = [(name, (CASES / file).read_bytes()) for name, files in FILES.items() for file in files]


def survives(name, content):
    """Whether the content is either read, as what can be recorded, or refused with a message."""
    try:
        for report in PARSERS[name](BytesIO(content)):
            if isinstance(report, Remark):
                assert report.text
                continue
            assert isinstance(report, RunReport)
            assert msgspec.msgpack.decode(msgspec.msgpack.encode(report), type=RunReport) is not None
            prepare_run(report)
    except RuncardError as error:
        return isinstance(error, UnreadableReport | InvalidInput) and bool(str(error))
    return True


@given(st.sampled_from(CONTENTS), st.data())
def test_flipped_bytes_never_surprise(file, data):
    name, content = file[0], bytearray(file[1])
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=5)):
        content[place] = data.draw(st.integers(0, 255))
    assert survives(name, bytes(content))


values = st.sampled_from(
    [
        b"",
        b" ",
        b"nan",
        b"-inf",
        b"1e999",
        b"9" * 500,
        b"0000-00-00T00:00:00",
        b"9999-12-31T23:59:59",
        b"\xc3\xa4",
        b"/",
    ]
)


@given(st.sampled_from(CONTENTS), st.data())
def test_odd_values_never_surprise(file, data):
    """Values between quotes or tags, in place of which others stand."""
    name, content = file
    for _ in range(data.draw(st.integers(1, 4))):
        places = [place for place in range(len(content)) if content[place : place + 1] in b'">']
        start = data.draw(st.sampled_from(places)) + 1
        ends = [end for end in (content.find(b'"', start), content.find(b"<", start)) if end >= 0]
        content = content[:start] + data.draw(values) + content[min(ends, default=start) :]
    assert survives(name, content)


@given(st.sampled_from(CONTENTS), st.data())
def test_half_a_file_is_refused(file, data):
    name, content = file
    whole = content.rstrip()
    cut = data.draw(st.integers(0, len(whole) - 1))
    with pytest.raises((UnreadableReport, InvalidInput)):
        list(PARSERS[name](BytesIO(whole[:cut])))


@pytest.mark.parametrize("name", list(FILES))
@given(content=st.binary(max_size=200))
def test_arbitrary_bytes_are_refused(name, content):
    with pytest.raises(UnreadableReport):
        list(PARSERS[name](BytesIO(content)))


@pytest.mark.parametrize(
    ("name", "root"),
    [
        ("JUNIT", "testsuites"),
        ("ROBOT", "robot"),
        ("TESTSTAND", "Reports"),
        ("ATML", "TestResults"),
        ("WSXF", "Reports"),
    ],
)
def test_no_format_takes_more_attributes_than_an_element_may_have(name, root):
    attributes = " ".join(f'a{number}="1"' for number in range(20_000))
    content = f"<{root}><x {attributes}/></{root}>".encode()
    with pytest.raises(UnreadableReport, match="has 20000 attributes"):
        list(PARSERS[name](BytesIO(content)))
