"""The formats of report files. Which one a file is of is told from its content, never from its name."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import BinaryIO, Literal, NamedTuple

from runcard.domain.repair import REPORT_ID, RepairReport
from runcard.domain.report import RunReport
from runcard.importers import atdf, atml, junit, openhtf, robot, stdf, teststand, unit_table, wsjf, wsxf
from runcard.importers.heads import unpacked_head
from runcard.importers.remarks import Remark
from runcard.importers.unpacking import unpacked

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
    formats of that opinion.
    """

    name: FormatName
    parse: Parse
    is_it: Callable[[bytes], bool]
    id_key: str | None = None
    parse_rest: Parse | None = None


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


FORMATS: Sequence[Format] = [
    Format("OPENHTF", _unpacking(_openhtf), openhtf.is_it),
    Format("WATS", _unpacking(wsjf.parse), wsjf.is_it, REPORT_ID),
    Format("WSXF", _unpacking(wsxf.parse), wsxf.is_it, REPORT_ID),
    # These are read twice, and unpack for themselves.
    Format("STDF", stdf.parse, stdf.is_it),
    Format("ATDF", atdf.parse, atdf.is_it),
    Format("ATML", _unpacking(atml.parse), atml.is_it, "uuid"),
    Format("TESTSTAND", _unpacking(teststand.parse), teststand.is_it, REPORT_ID),
    Format("JUNIT", _unpacking(junit.parse), junit.is_it),
    Format("ROBOT", _unpacking(robot.parse), robot.is_it),
    Format(
        "TABLE",
        _unpacking(unit_table.parse),
        unit_table.is_it,
        parse_rest=_unpacking(partial(unit_table.parse, skips_bad_rows=True)),
    ),
]
