"""Read XML report files as a stream, with one report of a file in memory at a time.

A file with a DTD is refused, so it can define no entities. Nothing is ever fetched from elsewhere.
"""

from collections.abc import Collection, Iterator, Mapping
from io import BytesIO
from typing import BinaryIO

from lxml import etree

from runcard.domain.errors import PayloadTooLarge, UnreadableReport

Element = etree._Element  # noqa: SLF001 -- lxml has no public name for the type of its elements

_MAX_DEPTH = 200
# Elements of one report, which are in memory together; a phase of the wordiest format has about fifty.
_MAX_ELEMENTS = 2_000_000
# Attributes of one element; the wordiest format has about twenty. lxml searches all of them for the value of each, so
# reading them takes time that grows with the square of their number, and no other thread can run meanwhile.
MAX_ATTRIBUTES = 200


def read_records(file: BinaryIO, roots: Collection[str], records: Collection[str]) -> Iterator[Element]:
    """The outermost elements with a name in `records`, each complete, in the order of the file.

    Names are local names in any namespace. From a record, its ancestors' attributes can be read, and the elements that
    come before it in them, except for other records. A record is emptied when the iterator goes on.

    Raises UnreadableReport as soon as the stream meets malformed XML, a DTD, a root of another name, more than 200
    levels, more than 200 attributes in one element, or more than 2 million elements in one record.
    """
    depth = count = 0
    record: Element | None = None
    before: Element | None = None
    for event, element in _events(file):
        if event == "start":
            if depth == 0:
                _check_root(element, roots)
            depth, count = depth + 1, count + 1
            _check_size(depth, count, element)
            if record is None and name_of(element) in records:
                record = element
            continue
        depth -= 1
        if element is record:
            yield element
            # The parser may still add the text that follows the element in its parent. So the element is only emptied
            # now, and removed when the next record has ended.
            element.clear(keep_tail=True)  # type: ignore[call-arg]  # the stubs do not know this argument
            _drop(before)
            record, before, count = None, element, 0


def check_elements(file: BinaryIO, at_most: Mapping[str, int]) -> None:
    """Check that XML is well-formed and has at most 200 attributes in an element. at_most: elements by local name.

    Raises UnreadableReport, and PayloadTooLarge where there are more elements of a name than `at_most` allows.
    """
    counts = dict.fromkeys(at_most, 0)
    for event, element in _events(file):
        if event == "end":
            element.clear()
            continue
        _check_attributes(element)
        name = name_of(element)
        if name in counts:
            counts[name] += 1
            if counts[name] > at_most[name]:
                raise PayloadTooLarge(f"The XML has more than {at_most[name]} elements <{name}>.")


def root_of(head: bytes) -> tuple[str, str] | None:
    """Namespace (or an empty text) and local name of the root in the first bytes of a file; None where it is no XML."""
    try:
        # Anything after the start of the root may be cut off or broken.
        _, root = next(_events(BytesIO(head)))
    except (StopIteration, UnreadableReport):
        return None
    namespace, _, name = root.tag.rpartition("}")
    return namespace.removeprefix("{"), name


def name_of(element: Element) -> str:
    """The local name of an element, without its namespace."""
    return element.tag.rpartition("}")[2]


def children(element: Element, *names: str) -> Iterator[Element]:
    """The children with one of these local names."""
    return (child for child in element if name_of(child) in names)


def child(element: Element | None, *path: str) -> Element | None:
    """The element that a path of local names leads to, by the first child of each name; None where one is missing."""
    for name in path:
        if element is None:
            return None
        element = next(children(element, name), None)
    return element


def text_of(element: Element | None) -> str:
    """All text inside an element, trimmed; empty for None."""
    return "" if element is None else "".join(map(str, element.itertext())).strip()


def _events(file: BinaryIO) -> Iterator[tuple[str, Element]]:
    events = etree.iterparse(
        file,
        ("start", "end"),
        load_dtd=False,
        no_network=True,
        resolve_entities=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        yield from events
    except etree.XMLSyntaxError as error:
        raise UnreadableReport(
            f"The file cannot be read as XML: {str(error)[:300]}. Upload it whole, as the test software wrote it."
        ) from error


def _check_root(root: Element, names: Collection[str]) -> None:
    if root.getroottree().docinfo.internalDTD is not None:
        raise UnreadableReport("The file declares a document type (DOCTYPE). Upload it without that line.")
    if name_of(root) not in names:
        expected = " or ".join(f"<{name}>" for name in names)
        raise UnreadableReport(f"The file is XML with the root <{name_of(root)}>; expected is {expected}.")


def _check_size(depth: int, count: int, element: Element) -> None:
    if depth > _MAX_DEPTH:
        raise UnreadableReport(
            f"Line {element.sourceline} of the file is nested deeper than {_MAX_DEPTH} elements. Report it flatter."
        )
    _check_attributes(element)
    if count > _MAX_ELEMENTS:
        raise UnreadableReport(
            f"A report of the file has more than {_MAX_ELEMENTS} elements. Split it into smaller reports."
        )


def _check_attributes(element: Element) -> None:
    # Unlike the values, the names can be read in time proportional to their number.
    count = len(element.keys())
    if count > MAX_ATTRIBUTES:
        raise UnreadableReport(
            f"<{name_of(element)[:80]}> in line {element.sourceline} of the file has {count} attributes. "
            f"Give it at most {MAX_ATTRIBUTES}."
        )


def _drop(element: Element | None) -> None:
    parent = None if element is None else element.getparent()
    if element is not None and parent is not None:
        parent.remove(element)
