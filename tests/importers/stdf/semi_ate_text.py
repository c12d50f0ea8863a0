"""STDF made ATDF by Semi-ATE's library, which knows nothing of the importer.

Three things it does otherwise than the two specifications, so that they are mended here or by whoever compares:

- Its bits come with the highest first where it reads them, and are taken with the lowest first where it writes text.
- It leaves out the field of PRR for retests where the part is none.
- It writes the values that stand for missing (65535 of MIR.BURN_TIM), and limits that OPT_FLAG says are none.
"""

import struct
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from typing import Any

_NAMES = {
    (0, 10): "FAR",
    (1, 10): "MIR",
    (1, 20): "MRR",
    (1, 30): "PCR",
    (1, 40): "HBR",
    (1, 50): "SBR",
    (1, 80): "SDR",
    (2, 10): "WIR",
    (2, 20): "WRR",
    (2, 30): "WCR",
    (5, 10): "PIR",
    (5, 20): "PRR",
    (10, 30): "TSR",
    (15, 10): "PTR",
    (20, 10): "BPS",
    (20, 20): "EPS",
    (50, 10): "GDR",
    (50, 30): "DTR",
}
_FLAGS = ("TEST_FLG", "PARM_FLG", "OPT_FLAG", "PART_FLG")
_IS_RETEST = slice(0, 2)


def as_text(content: bytes) -> bytes:
    """A big-endian STDF file as ATDF."""
    return "".join(f"{line}\n" for line in _lines(content)).encode()


def _lines(content: bytes) -> Iterator[str]:
    at = 0
    while at < len(content):
        length, kind, sub = struct.unpack_from(">HBB", content, at)
        after = at + 4 + length
        yield _line(_NAMES[kind, sub], content[at:after])
        at = after


def _line(name: str, packed: bytes) -> str:
    record = _class(name)("V4", ">", packed)
    fields: dict[str, dict[str, Any]] = record.fields
    for flags in _FLAGS:
        if flags in fields and fields[flags]["Value"] is not None:
            fields[flags]["Value"] = fields[flags]["Value"][::-1]
    # What it has no value for it writes as NUL.
    line: str = record.to_atdf().replace("\0", "")
    if name == "PRR" and "1" not in fields["PART_FLG"]["Value"][_IS_RETEST]:
        *before, abort, time, text, fix = line.split("|")
        return "|".join([*before, "", abort, time, text, fix])
    return line


@cache
def _class(name: str) -> Any:
    return getattr(import_module(f"Semi_ATE.STDF.{name}"), name)
