"""Which format a file is of is told from its first bytes."""

import base64
import bz2
import gzip
import json
import random
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runcard.importers.content.heads import HEAD_BYTES, PACKED_HEAD_BYTES, json_members, unpacked_head
from runcard.importers.formats import FORMATS, FormatName, detect
from tests.importers.golden import CASES

FILES = {
    "OPENHTF": ("openhtf/pass.json", "openhtf/full.json", "openhtf/pcb01_multidim.json"),
    "ATML": ("atml/board_2.xml", "atml/board_5.xml", "atml/board_6.xml"),
    "TESTSTAND": ("teststand/plain.xml", "teststand/board.xml", "teststand/tsreport.xml"),
    "JUNIT": ("junit/board.xml", "junit/complex_suites.xml", "junit/unicode.xml"),
    "TABLE": ("table/line_hl.csv",),
    "ROBOT": ("robot/board_3.xml", "robot/board_5.xml", "robot/board_6.xml", "robot/board_7.xml"),
}
ONES = [(name, file) for name, files in FILES.items() for file in files]


def claimed(head):
    """The formats of whose opinion it is that a file that begins so is theirs."""
    return [one.name for one in FORMATS if one.is_it(head)]


def name_of(head):
    found = detect(head)
    return found and found.name


@pytest.mark.parametrize(("name", "file"), ONES)
def test_each_file_is_of_one_format(name, file):
    content = (CASES / file).read_bytes()
    assert claimed(content[:HEAD_BYTES]) == [name]


@pytest.mark.parametrize(("name", "file"), ONES)
@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress], ids=["plain", "gzip", "bzip2"])
def test_packed_or_not(name, file, pack):
    assert name_of(pack((CASES / file).read_bytes())) == name


@pytest.mark.parametrize(("name", "file"), ONES)
def test_a_beginning_is_enough(name, file):
    assert name_of((CASES / file).read_bytes()[:1000]) == name


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (
            b"\xef\xbb\xbf\r\n" + b'{"start_time_millis": 1, "metadata": {}, "dut_id": "SN1", "phases": [',
            "OPENHTF",
        ),
        ('{"dut_id": "\\"}", "start_time_millis": 1}'.encode("utf-16"), "OPENHTF"),
        (b'{"branches": [], "code_info": {"name": "dut_id"}, "dut_id": "SN1", "phases": [{', "OPENHTF"),
        ("<?xml version='1.0' encoding='utf-16'?><testsuites>".encode("utf-16"), "JUNIT"),
        (b"<?xml version='1.0'?><!-- " + b"x" * 5000 + b" --><Reports><Report Type='UUT'>", "TESTSTAND"),
    ],
    ids=["mark", "utf-16-json", "sorted", "utf-16-xml", "comment"],
)
def test_unusual_beginnings(head, name):
    assert claimed(head) == [name]


OTHERS = {
    "wsjf": (
        b'{"type":"T","id":"1","pn":"P","sn":"S","root":{"steps":[{"dut_id":1,"start_time_millis":2}]}}',
        "WATS",
    ),
    "wsxf": (
        b"<Reports xmlns='http://wats.virinco.com/schemas/WATS/Report/wsxf'><Report type='UUT'>",
        "WSXF",
    ),
    "stdf": (b"\x02\x00\x00\x0a\x02\x04", "STDF"),
    "atdf": (b"FAR:A|4|2|U\nMIR:A1|", "ATDF"),
    "csv": (b"Serial;Result\nSN1;PASS\n", None),
    "list": (b'[{"dut_id": "SN1", "start_time_millis": 1}]', None),
    "nested": (b'{"record": {"dut_id": "SN1", "start_time_millis": 1}}', None),
    "test-results": (b"<TestResults><ResultSet/></TestResults>", None),
    "html": (b"<html><body>", None),
    "zip": (b"PK\x03\x04", None),
    "broken-gzip": (b"\x1f\x8bnothing", None),
    "broken-bzip2": (b"BZhnothing", None),
    "empty": (b"", None),
}


@pytest.mark.parametrize("name", list(OTHERS))
def test_other_files_are_claimed_by_none_but_their_own(name):
    head, own = OTHERS[name]
    assert set(claimed(unpacked_head(head))) <= {own}


def test_a_block_of_bzip2_is_enough():
    noise = base64.b64encode(random.Random(7).randbytes(1_500_000))
    content = bz2.compress(b'{"dut_id": "SN1", "start_time_millis": 1, "noise": "' + noise + b'"}')
    assert len(content) > PACKED_HEAD_BYTES
    assert name_of(content[:PACKED_HEAD_BYTES]) == "OPENHTF"


def test_little_is_unpacked_of_what_packs_well():
    assert len(unpacked_head(gzip.compress(b"<" * 10_000_000))) == HEAD_BYTES
    assert len(unpacked_head(bz2.compress(b"<" * 10_000_000))) <= HEAD_BYTES


@given(st.binary() | st.text(alphabet='{}[]:,"\\ab <>/&', max_size=80).map(str.encode))
def test_no_beginning_surprises(head):
    assert len(claimed(head)) <= 1
    assert (detect(head) is None) == (claimed(unpacked_head(head)) == [])


leaves = st.integers() | st.text(alphabet='{}[]:"\\ab', max_size=5)
trees = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("xy", max_size=2), inner, max_size=3),
)


@given(st.dictionaries(st.text("abc{}[]: ,", max_size=5), trees, max_size=5), st.integers(0, 200))
def test_members_of_json(tree, cut):
    """A JSON text has the members that a parser finds, and its beginning has some of them."""
    whole = json.dumps(tree).encode()
    assert json_members(whole) == set(tree)
    assert json_members(whole[:cut]) <= set(tree)


def test_every_name_that_clients_know_is_read():
    assert sorted(one.name for one in FORMATS) == sorted(get_args(FormatName))
