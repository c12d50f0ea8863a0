"""The formats of report files. A format is detected from the content of a file, never from its name."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import BinaryIO, Literal, NamedTuple

from runcard.domain.floor.repair import REPORT_ID, RepairReport
from runcard.domain.runs.report import RunReport
from runcard.importers import junit, openhtf, robot
from runcard.importers.atml import reports as atml
from runcard.importers.content.heads import unpacked_head
from runcard.importers.content.unpacking import unpacked
from runcard.importers.report.remarks import Remark
from runcard.importers.report.stated import Rules
from runcard.importers.stdf import atdf
from runcard.importers.stdf import binary as stdf
from runcard.importers.stdf import lot as stdf_lot
from runcard.importers.tables import unit_rows
from runcard.importers.teststand import reports as teststand
from runcard.importers.wats import header as wats_header
from runcard.importers.wats import wsjf, wsxf

# The formats that clients know by name, then those that Runcard adds.
FormatName = Literal[
    "OPENHTF", "WATS", "WSXF", "ATML", "TESTSTAND", "STDF", "ATDF", "JUNIT", "ROBOT", "TABLE"
]

# The format that is noted for a file which is read through a mapping of its columns.
TABULAR = "TABULAR"

Parse = Callable[[BinaryIO], Iterable[RunReport | RepairReport | Remark]]


class Format(NamedTuple):
    """parse: yields the runs and repairs of a file and remarks on it, in the order of the file, parsed lazily. The
        file must be able to seek, and may be packed by gzip or bzip2. Raises UnreadableReport, InvalidInput and
        PayloadTooLarge, perhaps after it has yielded some.
    is_it: whether the content of a file is of this format, by its first 64 kB or less. No content is claimed by two
        formats.
    id_key: the metadata key under which its runs have the id of their report; None where its reports have no id.
    parse_rest: like `parse`, but leaves out rows that cannot be read; None where the format has no rows.
    rules: how statements of the sender apply to its files.
    """

    name: FormatName
    parse: Parse
    is_it: Callable[[bytes], bool]
    id_key: str | None = None
    parse_rest: Parse | None = None
    rules: Rules = Rules()


def rules_of(name: str) -> Rules:
    """How statements of the sender apply to files of a format, or to tables that a mapping reads."""
    return next((candidate.rules for candidate in FORMATS if candidate.name == name), Rules())


def detect(head: bytes) -> Format | None:
    """The format of a file with these first bytes, packed by gzip or bzip2 or not; None for an unknown format.

    HEAD_BYTES are enough, for a packed file PACKED_HEAD_BYTES; more bytes do no harm.
    """
    content = unpacked_head(head)
    return next((candidate for candidate in FORMATS if candidate.is_it(content)), None)


def _openhtf(file: BinaryIO) -> Iterable[RunReport]:
    return [openhtf.parse(file.read())]


def _unpacking(parse: Parse) -> Parse:
    """A parser for files that may be packed by gzip or bzip2, from one for unpacked files."""
    return lambda file: parse(unpacked(file))


_WATS_RULES = Rules(mends=wats_header.MENDS)
_LOT_RULES = Rules(composes=True, is_retest=stdf_lot.is_retest)

FORMATS: Sequence[Format] = [
    Format("OPENHTF", _unpacking(_openhtf), openhtf.is_it, rules=Rules(mends=openhtf.MENDS)),
    Format("WATS", _unpacking(wsjf.parse), wsjf.is_it, REPORT_ID, rules=_WATS_RULES),
    Format("WSXF", _unpacking(wsxf.parse), wsxf.is_it, REPORT_ID, rules=_WATS_RULES),
    # The parsers of these read a file twice and unpack it themselves.
    Format("STDF", stdf.parse, stdf.is_it, rules=_LOT_RULES),
    Format("ATDF", atdf.parse, atdf.is_it, rules=_LOT_RULES),
    Format("ATML", _unpacking(atml.parse), atml.is_it, "uuid", rules=Rules(mends=atml.MENDS)),
    Format(
        "TESTSTAND",
        _unpacking(teststand.parse),
        teststand.is_it,
        REPORT_ID,
        rules=Rules(mends=teststand.MENDS),
    ),
    Format("JUNIT", _unpacking(junit.parse), junit.is_it, rules=Rules(mends=junit.MENDS)),
    Format("ROBOT", _unpacking(robot.parse), robot.is_it, rules=Rules(mends=robot.MENDS)),
    Format(
        "TABLE",
        _unpacking(unit_rows.parse),
        unit_rows.is_it,
        parse_rest=_unpacking(partial(unit_rows.parse, skips_bad_rows=True)),
    ),
]
