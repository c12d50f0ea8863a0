"""The formats of report files. Which one a file is of is told from its content, never from its name."""

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

# The formats that clients know by name, and after them those that Runcard adds.
FormatName = Literal[
    "OPENHTF", "WATS", "WSXF", "ATML", "TESTSTAND", "STDF", "ATDF", "JUNIT", "ROBOT", "TABLE"
]

# What files are noted as that are read through a mapping of their columns, which none has by itself.
TABULAR = "TABULAR"

Parse = Callable[[BinaryIO], Iterable[RunReport | RepairReport | Remark]]


class Format(NamedTuple):
    """parse: the runs and repairs that a file tells of and remarks on it, in its order, read as they are asked for; the
    file must be able to seek, and may be packed by gzip or bzip2. Raises UnreadableReport, InvalidInput and
    PayloadTooLarge, which may come after some have been told.
    parse_rest: as `parse`, without the rows that cannot be read; None where the format has no rows.
    id_key: the metadata under which its runs carry the id of their report; None where reports have none.
    is_it: whether the content of a file that begins so, with 64 kB or less, is of this format; for no content are two
    formats of that opinion. rules: how it goes with what is stated of its files.
    """

    name: FormatName
    parse: Parse
    is_it: Callable[[bytes], bool]
    id_key: str | None = None
    parse_rest: Parse | None = None
    rules: Rules = Rules()


def rules_of(name: str) -> Rules:
    """How it goes with what is stated of files of a format, or of tables that a mapping reads."""
    return next((one.rules for one in FORMATS if one.name == name), Rules())


def detect(head: bytes) -> Format | None:
    """The format of a file that begins so, packed by gzip or bzip2 or not; None where it is of none that is read.

    HEAD_BYTES are enough, of a packed file PACKED_HEAD_BYTES; more does no harm.
    """
    content = unpacked_head(head)
    return next((one for one in FORMATS if one.is_it(content)), None)


def _openhtf(file: BinaryIO) -> Iterable[RunReport]:
    return [openhtf.parse(file.read())]


def _unpacking(parse: Parse) -> Parse:
    """The same of a file that may be packed by gzip or bzip2."""
    return lambda file: parse(unpacked(file))


_WATS_RULES = Rules(mends=wats_header.MENDS)
_LOT_RULES = Rules(composes=True, is_retest=stdf_lot.is_retest)

FORMATS: Sequence[Format] = [
    Format("OPENHTF", _unpacking(_openhtf), openhtf.is_it, rules=Rules(mends=openhtf.MENDS)),
    Format("WATS", _unpacking(wsjf.parse), wsjf.is_it, REPORT_ID, rules=_WATS_RULES),
    Format("WSXF", _unpacking(wsxf.parse), wsxf.is_it, REPORT_ID, rules=_WATS_RULES),
    # These are read twice, and unpack for themselves.
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
