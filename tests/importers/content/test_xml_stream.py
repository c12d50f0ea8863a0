"""The gate that every XML file comes through."""

from contextlib import suppress
from io import BytesIO
from typing import BinaryIO, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runcard.domain.errors import UnreadableReport
from runcard.importers.content.xml_stream import child, children, name_of, read_records, root_of, text_of


def texts(content):
    return [text_of(record) for record in read_records(BytesIO(content), ("all",), ("one", "all"))]


def records(content):
    return [
        (name_of(record), dict(record.items()), text_of(record))
        for record in read_records(BytesIO(content), ("all",), ("one",))
    ]


def test_each_outermost_record_whole():
    content = b"<all><x/><one n='1'>a<deep><one>b</one></deep></one><one n='2'/> tail <one>c</one></all>"
    assert records(content) == [("one", {"n": "1"}, "ab"), ("one", {"n": "2"}, ""), ("one", {}, "c")]


def test_the_root_may_be_the_record():
    assert texts(b"<all>a<one>b</one></all>") == ["ab"]


def test_names_are_local():
    content = b"<a:all xmlns:a='urn:x'><a:one a:n='1'>t</a:one></a:all>"
    assert records(content) == [("one", {"{urn:x}n": "1"}, "t")]


def test_a_record_knows_what_it_lies_in():
    content = b"<all serial='7'><head>h</head><one/><one/></all>"
    known = [
        (ancestor(record).get("serial"), text_of(child(ancestor(record), "head")))
        for record in read_records(BytesIO(content), ("all",), ("one",))
    ]
    assert known == [("7", "h"), ("7", "h")]


def test_comments_and_instructions_are_no_elements():
    content = b"<?style x?><all><!-- a --><one>b<!-- c -->d<?e f?></one></all>"
    assert records(content) == [("one", {}, "bd")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "iso-8859-1", "windows-1252"])
def test_encodings(encoding):
    content = f"<?xml version='1.0' encoding='{encoding}'?><all><one>Größe µ</one></all>".encode(encoding)
    assert records(content) == [("one", {}, "Größe µ")]


def test_paths():
    record = next(read_records(BytesIO(b"<one><a><b>1</b></a><a/><c/></one>"), ("one",), ("one",)))
    assert text_of(child(record, "a", "b")) == "1"
    assert child(record, "b") is None
    assert child(record, "c", "b", "a") is None
    assert [name_of(one) for one in children(record, "a", "c")] == ["a", "a", "c"]


def ancestor(record):
    return next(record.iterancestors())


def attributes(count):
    return b"".join(b' a%d="1"' % number for number in range(count))


BOMB = b"<!DOCTYPE all [<!ENTITY a 'ha'>%s]><all>&z;<one x='&z;'/></all>" % b"".join(
    b"<!ENTITY %c '%s'>" % (name, b"&%c;" % (name - 1) * 10) for name in range(ord("b"), ord("z") + 1)
)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "cannot be read as XML"),
        (b"{}", "cannot be read as XML"),
        (b"<all><one/>", "cannot be read as XML"),
        (b"<all><one></all>", "cannot be read as XML"),
        (b"<all>&nbsp;</all>", "cannot be read as XML"),
        (b"<?xml version='1.0' encoding='klingon'?><all/>", "cannot be read as XML"),
        (b"<?xml version='1.0' encoding='utf-8'?><all>\xff</all>", "cannot be read as XML"),
        (b"<every/>", "with the root <every>; expected is <all>"),
        (b"<!DOCTYPE all><all/>", "DOCTYPE"),
        (b"<!DOCTYPE all SYSTEM 'http://127.0.0.1:9/x.dtd'><all/>", "DOCTYPE"),
        (b"<!DOCTYPE all [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><all>&e;</all>", "DOCTYPE"),
        (b"<all>" + b"<x>" * 200 + b"</x>" * 200 + b"</all>", "deeper than 200"),
        (b"<all>" + b"<x>" * 100_000, "deeper|depth"),
        (BOMB, "DOCTYPE|cannot be read"),
        (
            b"<all><one%s/></all>" % attributes(201),
            "<one> in line 1 of the file has 201 attributes. Give it at most 200",
        ),
        (b"<all%s/>" % attributes(80_000), "has 80000 attributes"),
    ],
    ids=[
        "empty",
        "json",
        "cut",
        "crossed",
        "entity",
        "unknown-encoding",
        "wrong-encoding",
        "root",
        "doctype",
        "remote",
        "file",
        "deep",
        "very-deep",
        "bomb",
        "attributes",
        "attributes-of-the-root",
    ],
)
def test_what_is_refused(content, told):
    with pytest.raises(UnreadableReport, match=told):
        texts(content)


def test_as_many_attributes_as_an_element_may_have():
    [(_, found, _)] = records(b"<all><one%s/></all>" % attributes(200))
    assert len(found) == 200


def test_a_record_has_a_bounded_number_of_elements(monkeypatch):
    monkeypatch.setattr("runcard.importers.content.xml_stream._MAX_ELEMENTS", 10)
    assert len(records(b"<all>" + b"<one><x/></one>" * 50 + b"</all>")) == 50
    with pytest.raises(UnreadableReport, match="more than 10 elements"):
        records(b"<all><one>" + b"<x/>" * 20 + b"</one></all>")


class Endless:
    """A file of many records that is never whole in memory; it remembers how much was read of it."""

    def __init__(self, count):
        self._parts = iter([b"<all>", *[b"<one>" + b"<x>y</x>" * 500 + b"</one>"] * count, b"</all>"])

    def read(self, _size=-1):
        return next(self._parts, b"")


def test_records_that_were_told_are_let_go():
    """What is left in the tree of the records before is the one that the parser ended last."""
    told = read_records(cast("BinaryIO", Endless(30)), ("all",), ("one",))
    seen = [(len(record), len(list(ancestor(record)))) for record in told]
    assert {inside for inside, _ in seen} == {500}
    assert len(seen) == 30
    assert max(siblings for _, siblings in seen) <= 4


@given(st.binary() | st.text(alphabet="<>/all one='&;![]", max_size=60).map(str.encode))
def test_arbitrary_bytes_never_surprise(content):
    with suppress(UnreadableReport):
        assert len(texts(b"<all>" + content)) == 1


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b"<robot>", ("", "robot")),
        (b"<?xml version='1.0'?>\n<!-- x -->\n<a:b xmlns:a='urn:x' c='d'><half", ("urn:x", "b")),
        ("<?xml version='1.0' encoding='utf-16'?><b/>".encode("utf-16"), ("", "b")),
        (b"\xef\xbb\xbf<b></c>", ("", "b")),
        (b"<!-- no root yet", None),
        (b"{}", None),
        (b"", None),
        (b"\x00\x01\x02", None),
    ],
    ids=["plain", "namespace", "utf-16", "mark", "comment", "json", "empty", "binary"],
)
def test_the_root_of_a_beginning(head, name):
    assert root_of(head) == name
