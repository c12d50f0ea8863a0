"""The formats of report files. Which one a file is of is told from its content, never from its name."""

from collections.abc import Callable, Iterable, Sequence
from typing import BinaryIO, Literal, NamedTuple

from runcard.domain.repair import RepairReport
from runcard.domain.report import RunReport
from runcard.importers import atml, junit, openhtf, robot, teststand, wsjf, wsxf
from runcard.importers.heads import unpacked_head

# The formats that clients know by name, and after them those that Runcard adds; those without an entry below are
# refused in words.
FormatName = Literal["OPENHTF", "WATS", "WSXF", "ATML", "TESTSTAND", "STDF", "ATDF", "JUNIT", "ROBOT"]


class Format(NamedTuple):
    """parse: the runs and repairs that a file tells of, in its order, read as they are asked for; raises
    UnreadableReport and InvalidInput, which may come after some have been told.
    is_it: whether the content of a file that begins so, with 64 kB or less, is of this format; for no content are two
    formats of that opinion.
    """

    name: FormatName
    parse: Callable[[BinaryIO], Iterable[RunReport | RepairReport]]
    is_it: Callable[[bytes], bool]


def detect(head: bytes) -> Format | None:
    """The format of a file that begins so, packed by gzip or bzip2 or not; None where it is of none that is read.

    HEAD_BYTES are enough, of a packed file PACKED_HEAD_BYTES; more does no harm.
    """
    content = unpacked_head(head)
    return next((one for one in FORMATS if one.is_it(content)), None)


def _openhtf(file: BinaryIO) -> Iterable[RunReport]:
    return [openhtf.parse(file.read())]


FORMATS: Sequence[Format] = [
    Format("OPENHTF", _openhtf, openhtf.is_it),
    Format("WATS", wsjf.parse, wsjf.is_it),
    Format("WSXF", wsxf.parse, wsxf.is_it),
    Format("ATML", atml.parse, atml.is_it),
    Format("TESTSTAND", teststand.parse, teststand.is_it),
    Format("JUNIT", junit.parse, junit.is_it),
    Format("ROBOT", robot.parse, robot.is_it),
]
