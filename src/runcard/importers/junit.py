"""JUnit XML: the reports of pytest, Maven Surefire, GoogleTest and many others.

There is no standard, so the parser reads the elements and attributes that these programs have in common.

- Each outermost `testsuite` becomes a run of the procedure that it names. If it has no case of its own, and only
  suites inside it name units, each of those becomes a run. Suites inside a run become sequences. So do the classes of
  its cases, unless they have the suite's name. Cases become phases; a case without a name is named by its position.
- JUnit has no units. A `property` or attribute `serial_number` (or `serial`) of the suite, else of `testsuites`, names
  the unit. `part_number`, `revision`, `batch`, `operator` and `procedure_version` work likewise. The other properties
  become metadata.
- Cases follow each other from the suite's `timestamp` on, unless they have their own; a timestamp without a time zone
  is taken as UTC. Without any timestamp, the run starts when the file is read. An unreadable timestamp is remarked on
  and ignored, but a suite with no other timestamp is refused. A run lasts as long as its suite says, else as long as
  its cases together.
- The outcome of a run is ERROR where a case has an error or the suite counts errors, else FAIL where anything failed.
- Properties of cases, as pytest's `record_property` writes them, become measurements. Failures are logged as errors,
  attempts that Surefire repeated and `system-err` as warnings, and `system-out` as information.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import BinaryIO, NamedTuple

from runcard.domain.errors import UnreadableReport
from runcard.domain.runs.measurement import Measurement, storable_number
from runcard.domain.runs.outcome import LogLevel, PhaseOutcome, RunOutcome
from runcard.domain.runs.phase import Phase
from runcard.domain.runs.report import RunReport
from runcard.importers.content.cells import moment_of, number_of, value_of
from runcard.importers.content.xml_stream import Element, children, name_of, read_records, root_of, text_of
from runcard.importers.report.recording import Recording, metadata_of, seconds_after
from runcard.importers.report.remarks import Remark
from runcard.importers.report.stated import Mend

ROOTS = ("testsuites", "testsuite")

# What to change in the test software where a file lacks a field.
MENDS = {
    "serial_number": Mend(
        'add <property name="serial_number" value="…"/> to the <properties> of the suite, or give the '
        '<testsuite> an attribute serial_number="…"'
    ),
    "procedure": Mend("give the <testsuite> a name"),
}
_SERIAL = ("serial_number", "serial")
_PART = ("part_number",)
_REVISION = ("revision",)
_BATCH = ("batch", "batch_number")
_OPERATOR = ("operator",)
_VERSION = ("procedure_version",)
_IDENTITY = frozenset((*_SERIAL, *_PART, *_REVISION, *_BATCH, *_OPERATOR, *_VERSION))
# Attributes with a meaning of their own; the other attributes of a suite become metadata.
_READ = frozenset(
    ("name", "time", "timestamp", "tests", "failures", "errors", "skipped", "disabled", "assertions")
)
_NOT_RUN = frozenset(("notrun", "skipped", "suppressed", "disabled"))
# The outcome of a case by the elements in it; the first that applies.
_ENDED: dict[str, PhaseOutcome] = {"error": "ERROR", "failure": "FAIL", "skipped": "SKIP"}
_LEVELS: dict[str, LogLevel] = {
    "error": "ERROR",
    "failure": "ERROR",
    "skipped": "INFO",
    **dict.fromkeys(("flakyError", "flakyFailure", "rerunError", "rerunFailure"), "WARNING"),
    "system-out": "INFO",
    "system-err": "WARNING",
}
_OUTPUT = ("system-out", "system-err")
# 1,234,567.8 as Java writes it. A comma in any other place is a decimal comma.
_THOUSANDS = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d*)?", re.ASCII)


def is_it(head: bytes) -> bool:
    """Whether a file with these first bytes has the root of a JUnit report."""
    return root_of(head) in [("", root) for root in ROOTS]


def parse(file: BinaryIO) -> Iterator[RunReport | Remark]:
    """The run of each unit and the remarks on it, parsed lazily. Unit and procedure are empty where none is named.

    Raises UnreadableReport where the content is no JUnit XML.
    """
    for outermost in read_records(file, ROOTS, ("testsuite",)):
        for suite in _suites_of_units(outermost):
            recording = Recording()
            yield _run(recording, suite)
            yield from recording.remarks


def _suites_of_units(suite: Element) -> Iterator[Element]:
    """The suite itself, or the suites inside it if only they name units and the suite has no case of its own."""
    inner = list(suite.iterchildren("{*}testsuite"))
    names_units = inner and any(
        _first(_entries(nested), _SERIAL) for part in inner for nested in part.iter("{*}testsuite")
    )
    if not names_units or _first(_entries(suite), _SERIAL) or any(True for _ in children(suite, "testcase")):
        yield suite
        return
    for part in inner:
        yield from _suites_of_units(part)


def _run(recording: Recording, suite: Element) -> RunReport:
    entries = _entries(suite)
    procedure = _attribute(suite, "name") or _attribute(suite, "package")
    started_at = _start(recording, suite, procedure)
    ended_at = _record_suite(recording, suite, None, started_at)
    outcomes = {phase.outcome for phase in recording.phases}
    return RunReport(
        procedure=procedure,
        procedure_is_name=True,
        serial_number=_first(entries, _SERIAL) or "",
        outcome=_outcome(suite, outcomes),
        started_at=started_at,
        duration=ended_at - started_at,
        part_number=_first(entries, _PART),
        revision_number=_first(entries, _REVISION),
        batch_number=_first(entries, _BATCH),
        operator=_first(entries, _OPERATOR),
        procedure_version=_first(entries, _VERSION),
        phases=tuple(recording.phases),
        logs=tuple(recording.logs),
        sequences=recording.sequences,
        metadata=metadata_of((name, value) for name, value in entries if _folded(name) not in _IDENTITY),
    )


def _entries(suite: Element) -> list[tuple[str, str]]:
    """Names and values of properties and attributes that describe the run: the suite's own before those of the file."""
    entries: list[tuple[str, str]] = []
    for element in (suite, *suite.iterancestors()):
        attributes = [(str(name), str(value)) for name, value in element.items() if name not in _READ]
        entries += [*_properties(element), *attributes]
    return entries


def _properties(element: Element) -> Iterator[tuple[str, str]]:
    for properties in children(element, "properties"):
        for part in children(properties, "property"):
            yield _attribute(part, "name"), _attribute(part, "value") or text_of(part)


def _folded(name: str) -> str:
    return name.strip().casefold().replace("-", "_").replace(" ", "_")


def _first(entries: list[tuple[str, str]], names: Iterable[str]) -> str | None:
    """The first value with one of these names, whatever their case and separators; None where there is none."""
    return next((value.strip() for name, value in entries if _folded(name) in names and value.strip()), None)


def _outcome(suite: Element, outcomes: set[PhaseOutcome]) -> RunOutcome:
    if "ERROR" in outcomes or _count(suite, "errors"):
        return "ERROR"
    return "FAIL" if "FAIL" in outcomes or _count(suite, "failures") else "PASS"


def _count(suite: Element, name: str) -> int:
    text = _attribute(suite, name)
    return int(text) if text.isdecimal() else 0


def _start(recording: Recording, suite: Element, procedure: str) -> datetime:
    """The start of a suite: its own timestamp, else that of its file, else of its first part, else now.

    Raises UnreadableReport where there are timestamps but none can be read: then the start is not now.
    """
    for element in (suite, *suite.iterancestors(), *suite.iter("{*}testsuite", "{*}testcase")):
        moment = _timestamp(recording, element)
        if moment is not None:
            return moment
    if recording.remarks:
        raise UnreadableReport(f"Suite {procedure!r} has no usable timestamp. {recording.remarks[0].text}")
    return datetime.now(UTC)


def _record_suite(recording: Recording, suite: Element, path: str | None, started_at: datetime) -> datetime:
    """Record everything inside a suite and return its end."""
    clock = started_at
    classes: dict[str, _Class] = {}
    for element in children(suite, "testsuite", "testcase", *_OUTPUT):
        match name_of(element):
            case "testsuite":
                clock = _record_inner(recording, element, path, clock)
            case "testcase":
                clock = _record_case(
                    recording, element, _class_of(recording, classes, suite, element, path), clock
                )
            case _:
                _log_output(recording, element, clock, _attribute(suite, "name"))
    for group in classes.values():
        _close(recording, group.path, group.name, group.first_phase)
    time = _seconds(suite)
    return clock if time is None else seconds_after(started_at, time, "time of the testsuite")


def _record_inner(recording: Recording, suite: Element, parent: str | None, clock: datetime) -> datetime:
    name = _attribute(suite, "name") or "testsuite"
    path = recording.open_sequence(parent, name)
    started_at = _timestamp(recording, suite) or clock
    first_phase = len(recording.phases)
    ended_at = _record_suite(recording, suite, path, started_at)
    outcome = _outcome(suite, {phase.outcome for phase in recording.phases[first_phase:]})
    recording.close_sequence(path, name, outcome, started_at, ended_at)
    return max(clock, ended_at)


class _Class(NamedTuple):
    """A class of cases, as a sequence. first_phase: the position of its first phase in the recording."""

    path: str
    name: str
    first_phase: int


def _class_of(
    recording: Recording, classes: dict[str, _Class], suite: Element, case: Element, path: str | None
) -> str | None:
    """The path of a case's sequence: that of its class, or of its suite where both have the same name."""
    name = _attribute(case, "classname")
    if not name or name in (_attribute(suite, "name"), _attribute(suite, "package")):
        return path
    if name not in classes:
        classes[name] = _Class(recording.open_sequence(path, name), name, len(recording.phases))
    return classes[name].path


def _close(recording: Recording, path: str, name: str, first_phase: int) -> None:
    """Close a sequence that takes its outcome and times from its phases."""
    phases = [phase for phase in recording.phases[first_phase:] if phase.sequence_path == path]
    outcomes = {phase.outcome for phase in phases}
    recording.close_sequence(
        path,
        name,
        next((outcome for outcome in ("ERROR", "FAIL", "PASS") if outcome in outcomes), "SKIP"),
        min(phase.started_at for phase in phases),
        max(phase.ended_at for phase in phases),
    )


def _record_case(recording: Recording, case: Element, path: str | None, clock: datetime) -> datetime:
    name = _attribute(case, "name")
    if not name:
        name = f"testcase {len(recording.phases) + 1}"
        recording.remark(f"The <testcase> in line {case.sourceline} has no name; it is called {name!r}.")
    started_at = _timestamp(recording, case) or clock
    ended_at = seconds_after(started_at, _seconds(case) or 0.0, f"time of testcase {name!r}")
    measured = tuple(_measurement(key, value) for key, value in _properties(case) if key)
    recording.add_phase(Phase(name, _case_outcome(case), started_at, ended_at, measured, sequence_path=path))
    source, line = _attribute(case, "file") or name, _count(case, "line")
    for element in children(case, *_LEVELS):
        if name_of(element) in _OUTPUT:
            _log_output(recording, element, ended_at, source)
        else:
            recording.add_log(
                _LEVELS[name_of(element)], ended_at, _failure_message(name, element), source, line
            )
    return max(clock, ended_at)


def _case_outcome(case: Element) -> PhaseOutcome:
    inside = {name_of(element) for element in case}
    for name, outcome in _ENDED.items():
        if name in inside:
            return outcome
    states = {_attribute(case, "status").lower(), _attribute(case, "result").lower()}
    return "SKIP" if states & _NOT_RUN else "PASS"


def _measurement(name: str, text: str) -> Measurement:
    value = value_of(text, decimal_comma=False) if text else None
    if isinstance(value, int) and not isinstance(value, bool):
        number, exact = storable_number(value)
        return Measurement(name, "UNSET", number, exact=exact)
    return Measurement(name, "UNSET", value)


def _failure_message(case: str, element: Element) -> str:
    """The message about a failed case: `rail_3v3: AssertionError: 3.1 < 3.2`, with the trace below it."""
    summary = [case, _attribute(element, "type"), _attribute(element, "message")]
    return "\n".join(part for part in (": ".join(filter(None, summary)), text_of(element)) if part)


def _log_output(recording: Recording, element: Element, at: datetime, source: str) -> None:
    recording.add_log(_LEVELS[name_of(element)], at, text_of(element), source)


def _attribute(element: Element, name: str) -> str:
    return (element.get(name) or "").strip()


def _timestamp(recording: Recording, element: Element) -> datetime | None:
    """The timestamp of an element; None where there is none, or none that can be read, which is remarked on."""
    text = _attribute(element, "timestamp")
    if not text:
        return None
    try:
        return moment_of(text)
    except ValueError as error:
        recording.remark(f"The timestamp {text!r} in line {element.sourceline} {error}.")
        return None


def _seconds(element: Element) -> float | None:
    """The `time` or `duration` of an element in seconds; None where it has neither."""
    text = _attribute(element, "time") or _attribute(element, "duration")
    if not text:
        return None
    number = text.replace(",", "") if _THOUSANDS.fullmatch(text) else text
    try:
        return max(float(number_of(number, decimal_comma=True)), 0.0)
    except (ValueError, OverflowError) as error:
        raise UnreadableReport(
            f"The time {text!r} in line {element.sourceline} is no number. Give seconds."
        ) from error
