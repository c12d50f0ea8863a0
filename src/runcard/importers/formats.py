"""The formats of report files. Which one a file is of is told from its content, never from its name."""

from collections.abc import Callable, Iterable, Sequence
from typing import BinaryIO, Literal, NamedTuple

from runcard.domain.report import RunReport
from runcard.importers import atdf, openhtf, stdf

# The formats that clients know by name; those without an entry below are refused in words.
FormatName = Literal["OPENHTF", "WATS", "WSXF", "ATML", "TESTSTAND", "STDF", "ATDF"]


class Format(NamedTuple):
    """parse: the runs that a file tells of, in its order, read as they are asked for; raises UnreadableReport and
    InvalidInput, which may come after some runs have been told.
    """

    name: FormatName
    parse: Callable[[BinaryIO], Iterable[RunReport]]


def _openhtf(file: BinaryIO) -> Iterable[RunReport]:
    return [openhtf.parse(file.read())]


FORMATS: Sequence[Format] = [
    Format("OPENHTF", _openhtf),
    Format("STDF", stdf.parse),
    Format("ATDF", atdf.parse),
]
