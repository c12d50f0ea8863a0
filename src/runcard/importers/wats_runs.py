"""Reports of units under test as runs.

- The procedure is the operation (process) by its name, or else by its code; its version is that of the main sequence.
- The run begins at the UTC time of the report, or else at its local time, which is UTC where it has no offset. It lasts
  as long as the report says, or else until its last step ended.
- The outcome is the one that the report claims: Passed and Done PASS, Failed FAIL, Error and Skipped ERROR, Terminated
  ABORTED.
- Metadata hold the id of the report, the station by name, and whatever else its header says, and then the misc infos
  under their descriptions, in which every character that no key may have becomes an underscore; a key that is taken
  gets `_2`, `_3`. Misc infos beyond the bounds of metadata are lines of the log. Texts are cut where metadata end.
- Sub-units that nobody has recorded are created with their part and revision; their part types and positions are left
  out. One without a serial number is a line of the log.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import datetime

from runcard.domain.errors import InvalidInput, Issue, UnreadableReport
from runcard.domain.metadata import MAX_KEY_LENGTH, MAX_KEYS, MAX_TEXT_LENGTH, MetadataValue
from runcard.domain.outcome import RunOutcome
from runcard.domain.phase import Log, phase_end, tidy_message
from runcard.domain.report import RunReport, SubUnitReport
from runcard.importers.wats_report import MiscInfo, Report, SubUnit, Uut
from runcard.importers.wats_steps import Inside, inside_of, left_out
from runcard.importers.wats_values import (
    Status,
    code_of,
    finite_number_of,
    later,
    moment_of,
    seconds_of,
    shown,
    status_of,
    text_of,
    zone_of,
)

_OUTCOMES: dict[Status, RunOutcome] = {
    "Passed": "PASS",
    "Done": "PASS",
    "Failed": "FAIL",
    "Error": "ERROR",
    "Skipped": "ERROR",
    "Terminated": "ABORTED",
}
_NO_KEY = re.compile(r"[^A-Za-z0-9_.:+-]")
_SOURCE = "report"


def run_of(report: Report) -> RunReport:
    """The run that a report tells of.

    Raises UnreadableReport for values that cannot be read and for reports of other types, InvalidInput where no
    procedure or no unit is named.
    """
    _check_type(report)
    uut = report.uut or Uut()
    procedure, serial_number = _procedure(report), text_of(report.sn)
    if procedure is None or serial_number is None:
        raise InvalidInput(_missing(procedure, serial_number))
    started_at = _started_at(report)
    steps = [*([] if report.root is None else [report.root]), *(report.steps or [])]
    inside = inside_of(steps, started_at, zone_of(report.start, "start"))
    said, rest = _within_bounds([*_header(report, uut, inside), *_misc(report.misc_infos or [])])
    duration = seconds_of(uut.exec_time, "uut.execTime")
    if duration is None:
        duration = (phase_end(inside.phases) or started_at) - started_at
    later(started_at, duration, "uut.execTime")
    named = [one for one in report.sub_units or [] if text_of(one.sn) is not None]
    return RunReport(
        procedure=procedure,
        procedure_is_name=True,
        procedure_version=_version(report),
        serial_number=serial_number,
        outcome=_outcome(report),
        started_at=started_at,
        duration=duration,
        part_number=text_of(report.pn),
        revision_number=text_of(report.rev),
        batch_number=text_of(uut.batch_sn),
        operator=text_of(uut.user),
        sub_units=tuple(text_of(one.sn) or "" for one in named),
        new_sub_units=tuple(_described(named)),
        docstring=text_of(uut.comment),
        phases=inside.phases,
        sequences=inside.sequences,
        logs=(*inside.logs, *_logs(report, rest, started_at)),
        metadata=said,
    )


def _check_type(report: Report) -> None:
    match (text_of(report.type) or "UUT").upper():
        case "T" | "UUT":
            return
        case "R" | "UUR":
            raise UnreadableReport("This is a repair report (UUR). Upload reports of units under test (UUT).")
        case other:
            raise UnreadableReport(
                f"type is {shown(other)}, which is no report of a unit under test (T, UUT)."
            )


def _procedure(report: Report) -> str | None:
    return text_of(report.process_name) or text_of(report.process_code)


def _missing(procedure: str | None, serial_number: str | None) -> list[Issue]:
    issues = []
    if procedure is None:
        issues.append(Issue(("processName",), "required: name the operation, or give its processCode"))
    if serial_number is None:
        issues.append(Issue(("sn",), "required: give the serial number of the unit"))
    return issues


def _started_at(report: Report) -> datetime:
    started_at = moment_of(report.start_utc, None, "startUTC") or moment_of(report.start, None, "start")
    if started_at is None:
        raise UnreadableReport("The report has neither startUTC nor start. Say when the run began.")
    return started_at


def _outcome(report: Report) -> RunOutcome:
    status = status_of(report.result, "result")
    if status is None:
        raise UnreadableReport("The report has no result. Give one, such as Passed.")
    return _OUTCOMES[status]


def _version(report: Report) -> str | None:
    main = report.root or next(iter(report.steps or ()), None)
    return None if main is None or main.seq_call is None else text_of(main.seq_call.version)


def _described(sub_units: Sequence[SubUnit]) -> Iterator[SubUnitReport]:
    for one in sub_units:
        part_number = text_of(one.pn)
        if part_number is not None:
            yield SubUnitReport(text_of(one.sn) or "", part_number, text_of(one.rev))


def _header(report: Report, uut: Uut, inside: Inside) -> Iterator[tuple[str, MetadataValue]]:
    failed_step = code_of(uut.failed_step_id)
    facts = {
        # WSXF writes ids in upper case, WSJF in lower case.
        "report_id": (text_of(report.id) or "").lower(),
        "station_name": text_of(report.machine_name),
        "location": text_of(report.location),
        "purpose": text_of(report.purpose),
        "origin": text_of(report.origin),
        "product_name": text_of(report.product_name),
        "process_code": code_of(report.process_code),
        "fixture_id": text_of(uut.fixture_id),
        "test_socket_index": code_of(uut.test_socket_index),
        "error_code": code_of(uut.error_code),
        "error_message": text_of(uut.error_message),
        "batch_fail_count": code_of(uut.batch_fail_count),
        "batch_loop_index": code_of(uut.batch_loop_index),
        "failed_step": None if failed_step is None else inside.places.get(failed_step, failed_step),
    }
    for key, value in facts.items():
        if value is not None and value != "":
            yield key, value


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


def _logs(report: Report, misc: Sequence[str], moment: datetime) -> Iterator[Log]:
    for text in misc:
        yield Log("INFO", moment, tidy_message(text), _SOURCE, 0)
    for one in report.sub_units or []:
        if text_of(one.sn) is None:
            about = ", ".join(text for text in map(text_of, (one.part_type, one.pn, one.rev)) if text)
            yield Log(
                "WARNING", moment, tidy_message(f"Sub-unit without a serial number: {about}"), _SOURCE, 0
            )
    for attachment in report.binary_data or []:
        yield Log("WARNING", moment, tidy_message(left_out(attachment)), _SOURCE, 0)
