"""ATML test results: IEEE 1636.1, in its versions 2.02, 5.00 and 6.01, which NI TestStand and others write.

- Each `ResultSet` becomes a run. The procedure has the name of the set; from TestStand's
  `folder\\Board.seq#MainSequence` only `Board` is taken. A set without a name takes the name of the test program.
- `TestGroup` becomes a sequence, `Test` and `SessionAction` become phases, `TestResult` becomes a measurement.
  TestStand's results `Numeric` and `String` take the name of their test.
- The outcome `UserDefined` means what its qualifier says (Done, Skipped, Error, Terminated). `NotStarted` is SKIP.
  Other words are ERROR. Without an outcome, a set has the worst outcome inside it, and an action counts as done. A
  result with limits then has the outcome of its test, if the test passed or has no other result.
- A time without a time zone is taken as UTC.
- Events become logs, and so do the report texts that TestStand adds.
- The serial number of the station and the uuid of the results become metadata. Parameters, indictments, masks, and
  other extensions are left out.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import BinaryIO, NamedTuple

from runcard.domain.errors import UnreadableReport
from runcard.domain.runs.measurement import Measurement
from runcard.domain.runs.outcome import (
    LogLevel,
    MeasurementOutcome,
    PhaseOutcome,
    RunOutcome,
    SequenceOutcome,
)
from runcard.domain.runs.phase import Phase
from runcard.domain.runs.report import RunReport
from runcard.importers.atml.data import data_of, measurements_of
from runcard.importers.content.cells import moment_of
from runcard.importers.content.xml_stream import (
    Element,
    child,
    children,
    name_of,
    read_records,
    root_of,
    text_of,
)
from runcard.importers.report.recording import Recording, metadata_of
from runcard.importers.report.stated import Mend

ROOTS = ("TestResultsCollection", "TestResults")
# What to change in the test software where a file lacks a field.
MENDS = {
    "serial_number": Mend("report the SerialNumber of the UUT"),
    "procedure": Mend("give the ResultSet a name, or the Definition of the TestProgram"),
}
# urn:IEEE-1636.1:2013:TestResults, and in older files http://www.ieee.org/ATML/2007/TestResults.
_NAMESPACE = re.compile(r"IEEE-1636\.1|ieee\.org/ATML", re.IGNORECASE)

_SEQUENCE_OUTCOMES: dict[str, SequenceOutcome] = {
    "Passed": "PASS",
    "Done": "PASS",
    "Failed": "FAIL",
    "Aborted": "ABORTED",
    "Terminated": "ABORTED",
    "NotStarted": "SKIP",
    "Skipped": "SKIP",
    "Error": "ERROR",
}
_PHASE_OUTCOMES: dict[SequenceOutcome, PhaseOutcome] = {"PASS": "PASS", "FAIL": "FAIL", "SKIP": "SKIP"}
# A skipped run counts as passed, because nothing failed.
_RUN_OUTCOMES: dict[SequenceOutcome, RunOutcome] = {
    "PASS": "PASS",
    "SKIP": "PASS",
    "FAIL": "FAIL",
    "ABORTED": "ABORTED",
}
_MEASUREMENT_OUTCOMES: dict[str, MeasurementOutcome] = {"Passed": "PASS", "Failed": "FAIL"}
_LEVELS: dict[str, LogLevel] = {
    "debug": "DEBUG",
    "warning": "WARNING",
    "error": "ERROR",
    "critical": "CRITICAL",
    "fatal": "CRITICAL",
}
_NAMED_AFTER_THEIR_TEST = frozenset(("", "Numeric", "String"))


def is_it(head: bytes) -> bool:
    """Whether a file with these first bytes has the root of test results, in a namespace of IEEE 1636.1."""
    namespace, name = root_of(head) or ("", "")
    return name in ROOTS and _NAMESPACE.search(namespace) is not None


def parse(file: BinaryIO) -> Iterator[RunReport]:
    """The run of each result set, parsed lazily. Unit and procedure are empty where the file names none.

    Raises UnreadableReport where the content is no ATML.
    """
    for results in read_records(file, ROOTS, ("TestResults",)):
        sets = list(children(results, "ResultSet"))
        if not sets:
            raise UnreadableReport(
                f"The <TestResults> in line {results.sourceline} has no <ResultSet>. Upload the file whole."
            )
        yield from (_run(results, result_set) for result_set in sets)


def _run(results: Element, result_set: Element) -> RunReport:
    unit, program = child(results, "UUT"), child(results, "TestProgram")
    span = _span(result_set, None)
    recording = Recording()
    _record_inside(recording, result_set, None, span)
    _log_events(recording, result_set, "ResultSet", span.ended_at)
    return RunReport(
        procedure=_procedure(result_set, program),
        procedure_is_name=True,
        serial_number=text_of(child(unit, "SerialNumber")),
        outcome=_run_outcome(result_set, recording),
        started_at=span.started_at,
        duration=span.ended_at - span.started_at,
        part_number=_part_number(unit),
        revision_number=_attribute(child(unit, "Definition"), "version"),
        batch_number=next((text_of(batch) for batch in results.iter("{*}BatchSerialNumber")), "") or None,
        operator=_operator(results),
        procedure_version=_attribute(child(program, "Definition"), "version"),
        phases=tuple(recording.phases),
        logs=tuple(recording.logs),
        sequences=recording.sequences,
        metadata=metadata_of(
            (
                ("station", text_of(child(results, "TestStation", "SerialNumber"))),
                ("uuid", results.get("uuid")),
            )
        ),
    )


def _procedure(result_set: Element, program: Element | None) -> str:
    file = re.split(r"[\\/]", (result_set.get("name") or "").partition("#")[0])[-1]
    name = re.sub(r"\.seq$", "", file, flags=re.IGNORECASE).strip()
    return name or _attribute(child(program, "Definition"), "name") or ""


def _part_number(unit: Element | None) -> str | None:
    """The part number among the identification numbers of the unit's definition, else its model number."""
    numbers = child(unit, "Definition", "Identification", "IdentificationNumbers")
    identifications = [] if numbers is None else list(children(numbers, "IdentificationNumber"))
    for kind in ("Part", "Model"):
        for identification in identifications:
            if identification.get("type") == kind and (number := _attribute(identification, "number")):
                return number
    return None


def _operator(results: Element) -> str | None:
    operator = child(results, "Personnel", "SystemOperator")
    return _attribute(operator, "name") or _attribute(operator, "ID")


def _attribute(element: Element | None, name: str) -> str | None:
    return None if element is None else (element.get(name) or "").strip() or None


class _Span(NamedTuple):
    started_at: datetime
    ended_at: datetime


def _span(element: Element, around: _Span | None) -> _Span:
    """Start and end of an element. A missing start is that of the element around it, a missing end is its start.

    Raises UnreadableReport where the outermost element has no start.
    """
    started_at = _moment(element, "startDateTime")
    if started_at is None:
        if around is None:
            raise UnreadableReport(
                f"The <{name_of(element)}> in line {element.sourceline} has no startDateTime. Report when it started."
            )
        started_at = around.started_at
    return _Span(started_at, max(started_at, _moment(element, "endDateTime") or started_at))


def _moment(element: Element, name: str) -> datetime | None:
    text = _attribute(element, name)
    if text is None:
        return None
    try:
        return moment_of(text)
    except ValueError as error:
        raise UnreadableReport(f"The {name} {text!r} in line {element.sourceline} {error}.") from error


def _stated(element: Element) -> str:
    """The word of an element's outcome; empty where it has none."""
    outcome = next(children(element, "Outcome", "ActionOutcome"), None)
    if outcome is None:
        return "Done" if name_of(element) == "SessionAction" else ""
    value = _attribute(outcome, "value") or ""
    return (_attribute(outcome, "qualifier") or value) if value == "UserDefined" else value


def _run_outcome(result_set: Element, recording: Recording) -> RunOutcome:
    if stated := _stated(result_set):
        return _RUN_OUTCOMES.get(_SEQUENCE_OUTCOMES.get(stated, "ERROR"), "ERROR")
    outcomes: set[str] = {phase.outcome for phase in recording.phases}
    outcomes.update(sequence.outcome for sequence in recording.sequences)
    ranked: tuple[RunOutcome, ...] = ("ERROR", "ABORTED", "FAIL")
    return next((outcome for outcome in ranked if outcome in outcomes), "PASS")


def _record_inside(recording: Recording, element: Element, path: str | None, around: _Span) -> None:
    for part in children(element, "TestGroup", "Test", "SessionAction"):
        span = _span(part, around)
        outcome = _SEQUENCE_OUTCOMES.get(_stated(part), "ERROR")
        if name_of(part) == "TestGroup":
            source, _, inner = (part.get("name") or "").rpartition("#")
            name = _attribute(part, "callerName") or inner.strip() or "TestGroup"
            inner_path = recording.open_sequence(path, name)
            _record_inside(recording, part, inner_path, span)
            recording.close_sequence(inner_path, name, outcome, *span, source or None)
        else:
            name = _attribute(part, "name") or _attribute(part, "ID") or name_of(part)
            phase_outcome = _PHASE_OUTCOMES.get(outcome, "ERROR")
            measured = tuple(_measurements(part, name))
            recording.add_phase(Phase(name, phase_outcome, *span, measured, sequence_path=path))
        _log_events(recording, part, name, span.ended_at)


def _measurements(phase: Element, phase_name: str) -> Iterator[Measurement]:
    """The results of a test as measurements; the data of a session action become measurements without limits."""
    results = list(children(phase, "TestResult"))
    for result in results:
        data, limits = data_of(child(result, "TestData")), child(result, "TestLimits")
        if data is None:
            continue
        stated = _stated(result)
        if not stated and limits is not None and (len(results) == 1 or _stated(phase) == "Passed"):
            stated = _stated(phase)
        name = _attribute(result, "name") or ""
        yield from measurements_of(
            data,
            phase_name if name in _NAMED_AFTER_THEIR_TEST else name,
            _MEASUREMENT_OUTCOMES.get(stated, "UNSET"),
            limits,
        )
    noted = data_of(child(phase, "Data"))
    if noted is not None:
        yield from measurements_of(noted, "" if name_of(noted) == "Collection" else phase_name, "UNSET")


def _log_events(recording: Recording, element: Element, source: str, at: datetime) -> None:
    """Log the events of an element and the texts that TestStand adds to it, but not those of the elements inside."""
    for event in _events(element):
        level = _LEVELS.get((event.get("severity") or event.get("type") or "").lower(), "INFO")
        message = text_of(child(event, "Message")) or text_of(event)
        recording.add_log(level, _moment(event, "timestamp") or at, message, source)
    for extension in children(element, "Extension"):
        for text in extension.iter("{*}ReportText"):
            recording.add_log("INFO", at, text_of(text), source)


def _events(element: Element) -> Iterable[Element]:
    return (event for events in children(element, "Events") for event in children(events, "Event"))
