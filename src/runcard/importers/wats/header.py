"""The headers of WATS reports, both of units under test and of repairs.

- The operation (process) is identified by its name, or else by its code.
- A report begins at its UTC time, or else at its local time, which is taken as UTC where it has no offset.
- The outcome is the reported one: Passed and Done PASS, Failed FAIL, Error and Skipped ERROR, Terminated ABORTED.
- Metadata are the id of the report, the name of the station, the other values of the header, and then the misc infos
  under their descriptions. Characters that a key cannot have become underscores, and a key that is taken gets `_2`,
  `_3`. Texts that are too long for metadata are cut.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from runcard.domain.errors import UnreadableReport
from runcard.domain.floor.repair import REPORT_ID
from runcard.domain.metadata import MAX_KEY_LENGTH, MAX_KEYS, MAX_TEXT_LENGTH, MetadataValue
from runcard.domain.runs.outcome import RunOutcome
from runcard.importers.report.stated import Mend
from runcard.importers.wats.report import MiscInfo, Report
from runcard.importers.wats.values import (
    Status,
    code_of,
    finite_number_of,
    moment_of,
    shown,
    status_of,
    text_of,
)

# What to add where a report lacks a field.
MENDS = {
    "serial_number": Mend("give the serial number of the unit", ("sn",)),
    "procedure": Mend("name the operation, or give its processCode", ("processName",)),
}
_OUTCOMES: dict[Status, RunOutcome] = {
    "Passed": "PASS",
    "Done": "PASS",
    "Failed": "FAIL",
    "Error": "ERROR",
    "Skipped": "ERROR",
    "Terminated": "ABORTED",
}
_NO_KEY = re.compile(r"[^A-Za-z0-9_.:+-]")


def is_repair(report: Report) -> bool:
    """Whether a report describes a repair and not a run.

    Raises UnreadableReport for reports of other types, and where type and content do not match.
    """
    kind = (text_of(report.type) or ("UUT" if report.uur is None else "UUR")).upper()
    if kind not in ("T", "UUT", "R", "UUR"):
        raise UnreadableReport(
            f"type is {shown(kind)}, which is neither T (UUT), a unit under test, nor R (UUR), a repair."
        )
    repair = kind in ("R", "UUR")
    if repair == (report.uur is None):
        raise UnreadableReport(
            f"type is {shown(kind)}, but the report has {'no' if repair else 'a'} uur. Mend the type or the content."
        )
    return repair


def names_of(report: Report) -> tuple[str, str]:
    """The operation and the serial number; an empty text where the report names none."""
    operation = text_of(report.process_name) or text_of(report.process_code)
    serial_number = text_of(report.sn)
    return operation or "", serial_number or ""


def started_at_of(report: Report) -> datetime:
    """The start of the report in UTC. Raises UnreadableReport where it has none."""
    started_at = moment_of(report.start_utc, None, "startUTC") or moment_of(report.start, None, "start")
    if started_at is None:
        raise UnreadableReport("The report has neither startUTC nor start. Give one of them.")
    return started_at


def outcome_of(report: Report) -> RunOutcome:
    """The outcome that the report claims. Raises UnreadableReport where it claims none."""
    status = status_of(report.result, "result")
    if status is None:
        raise UnreadableReport("The report has no result. Give one, such as Passed.")
    return _OUTCOMES[status]


def metadata_of(
    report: Report, more: Mapping[str, MetadataValue | None]
) -> tuple[dict[str, MetadataValue], list[str]]:
    """Metadata from the header, then `more`, then the misc infos; and as lines those that do not fit into metadata."""
    facts: dict[str, MetadataValue | None] = {
        # WSXF writes ids in upper case, WSJF in lower case.
        REPORT_ID: (text_of(report.id) or "").lower() or None,
        "station_name": text_of(report.machine_name),
        "location": text_of(report.location),
        "purpose": text_of(report.purpose),
        "origin": text_of(report.origin),
        "product_name": text_of(report.product_name),
        "process_code": code_of(report.process_code),
        **more,
    }
    entries = [(key, value) for key, value in facts.items() if value is not None]
    return _within_bounds([*entries, *_misc(report.misc_infos or [])])


def _misc(infos: Sequence[MiscInfo]) -> Iterator[tuple[str, MetadataValue]]:
    """The values of misc infos with their descriptions. A misc info with a text and a number gives two values."""
    for at, info in enumerate(infos):
        description = text_of(info.description) or "misc_info"
        text, number = text_of(info.text), finite_number_of(info.numeric, f"miscInfos[{at}].numeric")
        if text is not None:
            yield description, text
        if number is not None:
            yield description, int(number) if number.is_integer() and abs(number) < 2**53 else number


def _within_bounds(
    entries: Sequence[tuple[str, MetadataValue]],
) -> tuple[dict[str, MetadataValue], list[str]]:
    """The first MAX_KEYS entries, under valid and unique keys; and the other entries as lines."""
    kept: dict[str, MetadataValue] = {}
    for name, value in entries[:MAX_KEYS]:
        kept[_free_key(name, kept)] = value[:MAX_TEXT_LENGTH] if isinstance(value, str) else value
    return kept, [f"{name}: {value}" for name, value in entries[MAX_KEYS:]]


def _free_key(name: str, taken: dict[str, MetadataValue]) -> str:
    first = key = _NO_KEY.sub("_", name)[:MAX_KEY_LENGTH]
    count = 1
    while key in taken:
        count += 1
        suffix = f"_{count}"
        key = first[: MAX_KEY_LENGTH - len(suffix)] + suffix
    return key
