"""What the headers of WATS reports say, those of units under test and those of repairs.

- The operation (process) is known by its name, or else by its code.
- A report begins at its UTC time, or else at its local time, which is UTC where it has no offset.
- The outcome is the one that it claims: Passed and Done PASS, Failed FAIL, Error and Skipped ERROR, Terminated ABORTED.
- Metadata hold the id of the report, the station by name, and whatever else the header says, and then the misc infos
  under their descriptions, in which every character that no key may have becomes an underscore; a key that is taken
  gets `_2`, `_3`. Texts are cut where metadata end.
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

# How a report says what it does not.
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
    """Whether it tells of a repair rather than of a run.

    Raises UnreadableReport for reports of other types, and where type and content are not of one kind.
    """
    kind = (text_of(report.type) or ("UUT" if report.uur is None else "UUR")).upper()
    if kind not in ("T", "UUT", "R", "UUR"):
        raise UnreadableReport(
            f"type is {shown(kind)}, which is neither T (UUT), a unit under test, nor R (UUR), a repair."
        )
    repair = kind in ("R", "UUR")
    if repair == (report.uur is None):
        raise UnreadableReport(f"type is {shown(kind)}, but the report has {'no' if repair else 'a'} uur.")
    return repair


def names_of(report: Report) -> tuple[str, str]:
    """The operation and the serial number; what the report does not say is empty."""
    operation = text_of(report.process_name) or text_of(report.process_code)
    serial_number = text_of(report.sn)
    return operation or "", serial_number or ""


def started_at_of(report: Report) -> datetime:
    """Raises UnreadableReport where the report does not say."""
    started_at = moment_of(report.start_utc, None, "startUTC") or moment_of(report.start, None, "start")
    if started_at is None:
        raise UnreadableReport("The report has neither startUTC nor start. Say when it began.")
    return started_at


def outcome_of(report: Report) -> RunOutcome:
    """Raises UnreadableReport where the report claims none."""
    status = status_of(report.result, "result")
    if status is None:
        raise UnreadableReport("The report has no result. Give one, such as Passed.")
    return _OUTCOMES[status]


def metadata_of(
    report: Report, more: Mapping[str, MetadataValue | None]
) -> tuple[dict[str, MetadataValue], list[str]]:
    """What the header says, then `more`, then the misc infos; and those that metadata do not hold, as lines."""
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
    said = [(key, value) for key, value in facts.items() if value is not None]
    return _within_bounds([*said, *_misc(report.misc_infos or [])])


def _misc(infos: Sequence[MiscInfo]) -> Iterator[tuple[str, MetadataValue]]:
    """What misc infos say, by their descriptions; one that says a text and a number says two things."""
    for at, info in enumerate(infos):
        description = text_of(info.description) or "misc_info"
        text, number = text_of(info.text), finite_number_of(info.numeric, f"miscInfos[{at}].numeric")
        if text is not None:
            yield description, text
        if number is not None:
            yield description, int(number) if number.is_integer() and abs(number) < 2**53 else number


def _within_bounds(
    said: Sequence[tuple[str, MetadataValue]],
) -> tuple[dict[str, MetadataValue], list[str]]:
    """As many as metadata hold, under keys that they may have; and the others as lines."""
    kept: dict[str, MetadataValue] = {}
    for name, value in said[:MAX_KEYS]:
        kept[_free_key(name, kept)] = value[:MAX_TEXT_LENGTH] if isinstance(value, str) else value
    return kept, [f"{name}: {value}" for name, value in said[MAX_KEYS:]]


def _free_key(name: str, taken: dict[str, MetadataValue]) -> str:
    wanted = key = _NO_KEY.sub("_", name)[:MAX_KEY_LENGTH]
    count = 1
    while key in taken:
        count += 1
        suffix = f"_{count}"
        key = wanted[: MAX_KEY_LENGTH - len(suffix)] + suffix
    return key
