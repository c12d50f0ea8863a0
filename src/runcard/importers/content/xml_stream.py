"""XML report files, read element by element: one report of a file is in memory at a time.

Whatever a file declares about itself is refused or ignored: no DTD, so no entities of its own, nothing fetched.
"""

from collections.abc import Collection, Iterator, Mapping
from io import BytesIO
from typing import BinaryIO

from lxml import etree

from runcard.domain.errors import PayloadTooLarge, UnreadableReport

Element = etree._Element  # noqa: SLF001 -- lxml has no public name for the type of its elements

_MAX_DEPTH = 200
# Of one report, in memory at once; a phase of the most talkative format takes about fifty.
_MAX_ELEMENTS = 2_000_000
# Of one element; the most talkative format has about twenty. lxml looks through all of them for the value of each, so
# reading those of an element takes time that grows with the square of their number, and lets no other thread run.
MAX_ATTRIBUTES = 200


def read_records(file: BinaryIO, roots: Collection[str], records: Collection[str]) -> Iterator[Element]:
    """Each element of one of the names in `records` that lies in no other such, whole, in the order of the file.

    Names are local ones, of any namespace. A record knows its ancestors' attributes and what stands before it in them,
    other records excepted. It is emptied when the next is asked for.

    Raises UnreadableReport, at the latest where it is found: for what is no well-formed XML, has a DTD, has a root of
    another name, is nested deeper than 200 elements, has more than 200 attributes in one element, or holds more than 2
    million elements in one record.
    """
    depth = count = 0
    record: Element | None = None
    told: Element | None = None
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
            # The parser may still write the text behind an element, and into its parent: the text stays, and the
            # element goes when the next one has ended.
            element.clear(keep_tail=True)  # type: ignore[call-arg]  # the stubs do not know this argument
            _drop(told)
            record, told, count = None, element, 0


def check_elements(file: BinaryIO, at_most: Mapping[str, int]) -> None:
    """Raises UnreadableReport for what is no well-formed XML, or has more than 200 attributes in one element, and
    PayloadTooLarge where it has more elements of a local name than that may have.
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
                raise PayloadTooLarge(f"It has more than {at_most[name]} elements <{name}>.")


def root_of(head: bytes) -> tuple[str, str] | None:
    """Namespace and local name of the root element of what begins so; None where it is no XML.

    The namespace is empty where there is none.
    """
    try:
        # What comes after the root's start may be cut off or broken.
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
    """The first child of that local name, then its first one of the next; None where one is missing."""
    for name in path:
        if element is None:
            return None
        element = next(children(element, name), None)
    return element


def text_of(element: Element | None) -> str:
    """All text inside of an element, trimmed; empty where there is no element."""
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
    # Their names alone take a time that grows with their number, and no faster.
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
