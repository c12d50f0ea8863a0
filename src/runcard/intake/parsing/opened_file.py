"""A report file that is open: its digest, its format, and what it tells of, each report checked and packed."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import BinaryIO, Protocol

from msgspec import Struct

from runcard.domain.floor.repair import RepairReport
from runcard.domain.runs.report import RunReport
from runcard.importers.content.heads import HEAD_BYTES
from runcard.importers.formats import FORMATS, FormatName, Parse, detect, rules_of
from runcard.importers.report.remarks import Remark
from runcard.importers.report.stated import CONTENT_BYTES, StatedReport, Stating, with_statement
from runcard.importers.tables import mapped_runs
from runcard.importers.tables.bad_rows import BadRows
from runcard.importers.tables.head import TableHead, head_of
from runcard.importers.tables.mapping import TableMapping
from runcard.importers.tables.table import read_content
from runcard.ingest.file_content import Content, open_content
from runcard.ingest.import_groups import MOST, Most, ReportGroup, in_groups
from runcard.ingest.record_run import RunClient

_PARSERS: dict[str, Parse] = {one.name: one.parse for one in FORMATS}
_PARSERS_OF_REST: dict[str, Parse] = {one.name: one.parse_rest or one.parse for one in FORMATS}


class Reading(Struct, frozen=True, array_like=True):
    """How a file is read. name: that of its format; TABULAR: by the mapping. client: the program that brings it.

    skips_bad_rows: rows of tables that cannot be read are left out.
    """

    name: str
    client: RunClient
    stating: Stating = Stating()
    mapping: TableMapping | None = None
    skips_bad_rows: bool = False


class OpenedFile(Protocol):
    """digest: of its content, unpacked. importer: the format that its content shows; None where that is none."""

    @property
    def digest(self) -> bytes: ...

    @property
    def importer(self) -> FormatName | None: ...

    def head(self) -> TableHead:
        """Its beginning as a table. Raises UnreadableReport, InvalidInput and PayloadTooLarge where it is none."""

    def groups(self, reading: Reading, first: int = 0) -> Iterator[ReportGroup]:
        """Its reports but the `first`, one group at least.

        A file that is larger than one group is read to its end before the first is told, so that all that can be said
        against it without the record is said before any of it is recorded. Raises UnreadableReport, InvalidInput and
        PayloadTooLarge.
        """


# Raises UnreadableReport where packed data are damaged or cut short, PayloadTooLarge where they unpack to too much.
OpenFile = Callable[[BinaryIO], AbstractContextManager[OpenedFile]]


@contextmanager
def open_here(file: BinaryIO) -> Iterator["FileReader"]:
    """A file that is read in this process, and able to seek."""
    with open_content(file) as content:
        yield FileReader(content)


class FileReader:
    """most: what is told together of a file that is larger than a group. going: called now and then on the way."""

    def __init__(self, content: Content, most: Most = MOST, going: Callable[[], None] = lambda: None) -> None:
        self.digest = content.digest
        self._file = content.file
        self._most = most
        self._going = going

    @property
    def importer(self) -> FormatName | None:
        self._file.seek(0)
        found = detect(self._file.read(HEAD_BYTES))
        return None if found is None else found.name

    def head(self) -> TableHead:
        self._file.seek(0)
        return head_of(read_content(self._file))

    def groups(self, reading: Reading, first: int = 0) -> Iterator[ReportGroup]:
        whole = self._told(reading, first, MOST)
        group = next(whole)
        for _ in whole:
            self._going()
        if group.is_last:
            yield group
        else:
            yield from self._told(reading, first, self._most)

    def _told(self, reading: Reading, first: int, most: Most) -> Iterator[ReportGroup]:
        return in_groups(self._reports(reading), reading.client, first, most)

    def _reports(self, reading: Reading) -> Iterator[StatedReport | Remark]:
        content = b""
        if reading.stating.statement.content_pattern is not None:
            self._file.seek(0)
            content = self._file.read(CONTENT_BYTES)
        self._file.seek(0)
        return with_statement(_parsed(reading, self._file), reading.stating, rules_of(reading.name), content)


def _parsed(reading: Reading, file: BinaryIO) -> Iterator[RunReport | RepairReport | Remark]:
    if reading.mapping is None:
        yield from (_PARSERS_OF_REST if reading.skips_bad_rows else _PARSERS)[reading.name](file)
        return
    bad_rows = BadRows(skips=reading.skips_bad_rows)
    yield from mapped_runs.parse(
        read_content(file), reading.mapping, reading.stating.procedure or "", bad_rows
    )
    yield from bad_rows.remarks
