"""WSJF: reports of Virinco WATS in JSON, one or a list of them.

`runs` and `repairs` say how they are read.
"""

from collections.abc import Iterator
from typing import BinaryIO

import msgspec

from runcard.domain.errors import UnreadableReport
from runcard.domain.floor.repair import RepairReport
from runcard.domain.runs.report import RunReport
from runcard.importers.content.heads import json_members
from runcard.importers.wats.header import is_repair
from runcard.importers.wats.repairs import repair_of
from runcard.importers.wats.report import Report
from runcard.importers.wats.runs import run_of

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_MEND = "Upload a report that WATS exported as WSJF, in UTF-8."
_DECODER = msgspec.json.Decoder(Report | list[Report])


def is_it(head: bytes) -> bool:
    """Whether a file with these first bytes is a JSON object, or a list of them, with members that only WSJF has."""
    members = json_members(head.lstrip(_BYTE_ORDER_MARK + b" \t\r\n").removeprefix(b"["))
    return {"type", "pn", "sn"} <= members


def parse(file: BinaryIO) -> Iterator[RunReport | RepairReport]:
    """The runs and repairs of a file, in the order of the file. Raises UnreadableReport or InvalidInput."""
    try:
        found = _DECODER.decode(file.read().removeprefix(_BYTE_ORDER_MARK))
    except RecursionError as error:
        raise UnreadableReport(f"The file is nested too deeply for a WATS report. {_MEND}") from error
    except ValueError as error:
        raise UnreadableReport(f"The file is not a WATS report in JSON: {error}. {_MEND}") from error
    for report in [found] if isinstance(found, Report) else found:
        yield repair_of(report) if is_repair(report) else run_of(report)
