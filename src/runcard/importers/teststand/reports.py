"""NI TestStand's XML reports: each report of a unit becomes a run; reports of a whole batch are left out.

- The root is `Reports`, `Report`, or `TSReport`. The WATS client writes a `TSReport`: one report, and besides what the
  client knew about it (`ReportInfo`: id, process code, revision, and the start with its time zone).
- The procedure has the name of the sequence file, without folder and `.seq`, and the version of that file.
- Sequence calls become sequences with the name of their step, and all other steps become phases. A step that only
  controls the flow (If, Else, For, End and the like) becomes a phase only if it ended in an error. A step without a
  name is named after its type. A status that TestStand does not define is ERROR, and is logged.
- The start is local to the station, and is taken as UTC unless the report has a time zone. TestStand's clock says how
  much later each step starts. Without such times, a step starts with its sequence and takes no time.
- Errors become logs, and so do the texts that steps add to the report.
- Metadata are the station, the socket, the number of the unit in its loop, the failure that ended the run, and the
  additional data of unit and station. Report options and the numbers of steps and threads are left out.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import BinaryIO, NamedTuple

from runcard.domain.errors import UnreadableReport
from runcard.domain.floor.repair import REPORT_ID
from runcard.domain.metadata import MetadataValue
from runcard.domain.runs.outcome import PhaseOutcome, RunOutcome, SequenceOutcome
from runcard.domain.runs.phase import Phase
from runcard.domain.runs.report import RunReport
from runcard.importers.content.cells import moment_of
from runcard.importers.content.xml_stream import Element, children, read_records, root_of
from runcard.importers.report.recording import Recording, metadata_of, seconds_after
from runcard.importers.report.stated import Mend
from runcard.importers.teststand.props import array_elements, is_true, number, prop, props, text
from runcard.importers.teststand.steps import measurements_of

_REPORTS = ("Report", "TSReport")
ROOTS = ("Reports", *_REPORTS)

# The types of steps that only control the flow begin with this.
_FLOW = "NI_Flow_"

# What to change in TestStand where a report lacks a field.
MENDS = {
    "serial_number": Mend("enter it when TestStand asks for the UUT (UUT.SerialNumber)"),
    "procedure": Mend("let TestStand include the step results in the report, which name the sequence file"),
}

# A skipped run counts as passed, because nothing failed.
_RUN_OUTCOMES: dict[str, RunOutcome] = {
    "Passed": "PASS",
    "Done": "PASS",
    "Skipped": "PASS",
    "Failed": "FAIL",
    "Error": "ERROR",
    "Terminated": "ABORTED",
    "Aborted": "ABORTED",
}
_SEQUENCE_OUTCOMES: dict[str, SequenceOutcome] = {**_RUN_OUTCOMES, "Skipped": "SKIP"}
_PHASE_OUTCOMES: dict[str, PhaseOutcome] = {
    "Passed": "PASS",
    "Done": "PASS",
    "Skipped": "SKIP",
    "Failed": "FAIL",
    "Error": "ERROR",
    "Terminated": "ERROR",
    "Aborted": "ERROR",
    "Running": "ERROR",
}


def is_it(head: bytes) -> bool:
    """Whether a file with these first bytes has the root of TestStand's reports, which has no namespace."""
    return root_of(head) in [("", root) for root in ROOTS]


def parse(file: BinaryIO) -> Iterator[RunReport]:
    """The run of each report of a unit, parsed lazily. Unit and procedure are empty where the report names none.

    Raises UnreadableReport where the content is no TestStand report.
    """
    for report in read_records(file, ROOTS, _REPORTS):
        if report.get("Type") != "Batch":
            yield _run(report)


def _run(report: Element) -> RunReport:
    main = next((result for result in children(report, "Prop") if result.get("Type") == "TEResult"), None)
    if main is None:
        raise UnreadableReport(
            f"The report in line {report.sourceline} has no result. Upload the XML report that TestStand wrote."
        )
    call = prop(main, "TS", "SequenceCall")
    clock = _Clock(_start(report), number(main, "TS", "StartTime"))
    started_at, ended_at = clock.span(main, clock.started_at)
    recording = Recording()
    _record_steps(recording, call, None, clock, started_at)
    _log_step(recording, main, "TestStand", ended_at)
    return RunReport(
        procedure=_procedure(call),
        procedure_is_name=True,
        serial_number=text(report, "UUT", "SerialNumber"),
        outcome=_RUN_OUTCOMES.get(report.get("UUTResult") or text(main, "Status"), "ERROR"),
        started_at=started_at,
        duration=ended_at - started_at,
        part_number=text(report, "UUT", "PartNumber") or None,
        revision_number=_report_info(report, "Rev") or None,
        batch_number=text(report, "UUT", "BatchSerialNumber") or None,
        operator=text(report, "StationInfo", "LoginName") or None,
        procedure_version=text(call, "SequenceFileVersion") or None,
        phases=tuple(recording.phases),
        logs=tuple(recording.logs),
        sequences=recording.sequences,
        metadata=metadata_of(_metadata(report)),
    )


def _procedure(call: Element | None) -> str:
    """The name of the sequence file, or of the sequence where it was never saved to a file."""
    file = re.split(r"[\\/]", text(call, "SequenceFile"))[-1]
    return re.sub(r"\.seq$", "", file, flags=re.IGNORECASE).strip() or text(call, "Sequence")


def _report_info(report: Element, key: str) -> str:
    """The value of a key in ReportInfo; empty where it has none."""
    found = (info for info in children(report, "ReportInfo") if info.get("key") == key)
    return next((info.get("value") or "" for info in found), "").strip()


def _metadata(report: Element) -> Iterator[tuple[str, MetadataValue]]:
    # In lower case, as WATS writes the id of the same report.
    yield REPORT_ID, _report_info(report, "ID").lower()
    yield "process_code", _report_info(report, "PCode")
    yield "station", text(report, "StationInfo", "StationID")
    for name in ("TestSocketIndex", "UUTLoopIndex"):
        position = number(report, "UUT", name)
        # TestStand writes -1 where there are no sockets.
        if position is not None and position >= 0:
            yield name, position
    stack = [
        "/".join(filter(None, (text(prop(entry, "SequenceName")), text(prop(entry, "StepName")))))
        for _, value in array_elements(prop(report, "UUT", "CriticalFailureStack"))
        for entry in props(value)
    ]
    yield "critical_failure", " > ".join(filter(None, stack))
    for place in ("UUT", "StationInfo"):
        for entry in props(prop(report, place, "AdditionalData")):
            yield entry.get("Name") or "", text(entry)


class _Clock(NamedTuple):
    """started_at: the start of the run. tick: TestStand's clock at that moment, in seconds; None: not in the report."""

    started_at: datetime
    tick: float | None

    def span(self, step: Element, otherwise: datetime) -> tuple[datetime, datetime]:
        """Start and end of a step. otherwise: the start of a step without a time."""
        tick, duration = number(step, "TS", "StartTime"), number(step, "TS", "TotalTime") or 0
        started_at = otherwise
        if tick is not None and self.tick is not None:
            started_at = seconds_after(self.started_at, tick - self.tick, "TS.StartTime")
        return started_at, max(started_at, seconds_after(started_at, duration, "TS.TotalTime"))


def _start(report: Element) -> datetime:
    """The start in ReportInfo, else in StartDate and StartTime, to the millisecond. Raises UnreadableReport."""
    if written := _report_info(report, "Start"):
        try:
            return moment_of(written)
        except ValueError as error:
            raise UnreadableReport(f"Start of the report's ReportInfo, {written!r}, {error}.") from error
    parts = {
        name: number(report, *path)
        for name, path in {
            "year": ("StartDate", "Year"),
            "month": ("StartDate", "Month"),
            "day": ("StartDate", "MonthDay"),
            "hour": ("StartTime", "Hours"),
            "minute": ("StartTime", "Minutes"),
            "second": ("StartTime", "Seconds"),
            "millisecond": ("StartTime", "Milliseconds"),
        }.items()
    }
    try:
        year, month, day, hour, minute, second, millisecond = (int(part or 0) for part in parts.values())
        start = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
        return start + timedelta(milliseconds=millisecond)
    except (ValueError, OverflowError) as error:
        listed = ", ".join(f"{name} {value}" for name, value in parts.items())
        raise UnreadableReport(
            f"StartDate and StartTime of the report are no moment: {listed}. Upload the report that TestStand wrote."
        ) from error


class _Step(NamedTuple):
    """The result of a step. span: when it started and ended."""

    element: Element
    name: str
    span: tuple[datetime, datetime]


def _record_steps(
    recording: Recording, call: Element | None, path: str | None, clock: _Clock, started_at: datetime
) -> None:
    """Record the steps of a sequence call, including the calls inside it."""
    for _, value in array_elements(prop(call, "ResultList")):
        for step in props(value):
            details = prop(step, "TS")
            kind = text(details, "StepType")
            name = text(details, "StepName") or kind or "Step"
            inner = prop(details, "SequenceCall")
            named = _Step(step, name, clock.span(step, started_at))
            if inner is None:
                if not kind.startswith(_FLOW) or _phase_outcome(step) == "ERROR":
                    _record_phase(recording, named, path)
            else:
                _record_call(recording, named, inner, path, clock)
            _log_step(recording, step, name, named.span[1])


def _phase_outcome(step: Element) -> PhaseOutcome:
    return _PHASE_OUTCOMES.get(text(step, "Status"), "ERROR")


def _record_phase(recording: Recording, step: _Step, path: str | None) -> None:
    measured = tuple(measurements_of(step.element, step.name))
    outcome = _phase_outcome(step.element)
    recording.add_phase(Phase(step.name, outcome, *step.span, measured, sequence_path=path))


def _record_call(recording: Recording, step: _Step, call: Element, parent: str | None, clock: _Clock) -> None:
    """Record a sequence. What the call itself measured becomes a phase of the same name inside the sequence."""
    path = recording.open_sequence(parent, step.name)
    _record_steps(recording, call, path, clock, step.span[0])
    if any(True for _ in measurements_of(step.element, step.name)):
        _record_phase(recording, step, path)
    outcome = _SEQUENCE_OUTCOMES.get(text(step.element, "Status") or text(call, "Status"), "ERROR")
    recording.close_sequence(path, step.name, outcome, *step.span, text(call, "SequenceFile") or None)


def _log_step(recording: Recording, step: Element, name: str, at: datetime) -> None:
    status = text(step, "Status")
    if status not in _PHASE_OUTCOMES:
        recording.add_log("WARNING", at, f"{name} has the unknown status {status!r}", name)
    if is_true(step, "Error", "Occurred"):
        code, message = text(step, "Error", "Code"), text(step, "Error", "Msg")
        recording.add_log("ERROR", at, f"{name}: error {code}: {message}".rstrip(": "), name)
    recording.add_log("INFO", at, text(step, "ReportText"), name)
