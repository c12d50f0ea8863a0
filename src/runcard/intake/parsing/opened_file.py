"""An open report file: its digest, its format, and its reports, each checked and packed."""

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
from runcard.ingest.import_groups import GROUP_LIMITS, GroupLimits, ReportGroup, in_groups
from runcard.ingest.record_run import RunClient

_PARSERS: dict[str, Parse] = {known.name: known.parse for known in FORMATS}
_PARSERS_OF_REST: dict[str, Parse] = {known.name: known.parse_rest or known.parse for known in FORMATS}


class Reading(Struct, frozen=True, array_like=True):
    """How a file is read. name: of its format; TABULAR: by the mapping. client: the program that sends the file.

    skips_bad_rows: leave out rows of tables that cannot be read.
    """

    name: str
    client: RunClient
    stating: Stating = Stating()
    mapping: TableMapping | None = None
    skips_bad_rows: bool = False


class OpenedFile(Protocol):
    """digest: of the unpacked content. importer: the format that the content shows; None if it is no known format."""

    @property
    def digest(self) -> bytes: ...

    @property
    def importer(self) -> FormatName | None: ...

    def head(self) -> TableHead:
        """The beginning of the file as a table. Raises UnreadableReport, InvalidInput and PayloadTooLarge."""

    def groups(self, reading: Reading, first: int = 0) -> Iterator[ReportGroup]:
        """The reports of the file without its `first` ones, in at least one group.

        A file that is larger than one group is read to its end before the first group is returned. So every fault that
        can be found without the record is found before any report is recorded. Raises UnreadableReport, InvalidInput
        and PayloadTooLarge.
        """


# Opens a file. Raises UnreadableReport if packed data are damaged or cut short, and PayloadTooLarge if they unpack to
# too many bytes.
OpenFile = Callable[[BinaryIO], AbstractContextManager[OpenedFile]]


@contextmanager
def open_here(file: BinaryIO) -> Iterator["FileReader"]:
    """A report file, opened in this process. The file must be able to seek."""
    with open_content(file) as content:
        yield FileReader(content)


class FileReader:
    """Reads a file. limits: of the groups, if the file is larger than one group. going: called now and then."""

    def __init__(
        self, content: Content, limits: GroupLimits = GROUP_LIMITS, going: Callable[[], None] = lambda: None
    ) -> None:
        self.digest = content.digest
        self._file = content.file
        self._limits = limits
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
        whole = self._groups(reading, first, GROUP_LIMITS)
        group = next(whole)
        for _ in whole:
            self._going()
        if group.is_last:
            yield group
        else:
            yield from self._groups(reading, first, self._limits)

    def _groups(self, reading: Reading, first: int, limits: GroupLimits) -> Iterator[ReportGroup]:
        return in_groups(self._reports(reading), reading.client, first, limits)

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
