"""JUnit XML: the reports of pytest, Maven Surefire, GoogleTest and many others.

There is no standard; what is read are the elements and attributes that these have in common.

- Each outermost `testsuite` is a run of the procedure that it names; where only suites inside of it name units, and it
  has no case of its own, each of those is a run. Suites inside of a run, and the classes of its cases where they are
  named otherwise than the suite, are sequences; cases are phases. A case without a name is called by its position.
- JUnit knows no unit. It is named by a `property` or an attribute `serial_number` (or `serial`) of the suite, else of
  `testsuites`; `part_number`, `revision`, `batch`, `operator` and `procedure_version` likewise. The other properties
  are metadata.
- Cases follow each other from the suite's `timestamp` on, unless they have one of their own; one without a time zone is
  taken for UTC. Where there is none, the run started when the file is read. A timestamp that is no date is remarked on
  and counts as none, but a suite of which nothing else says when it was is refused. A run lasts as long as its suite
  says, else as its cases together.
- The run's outcome is ERROR where a case or the suite's count has errors, else FAIL where one has failures.
- Properties of cases, as pytest's `record_property` writes them, are measurements. What failed is logged as an error,
  attempts that Surefire ran again and `system-err` as warnings, and `system-out` as information.
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

# How a file says what it does not.
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
# Attributes that are read as what they are; others of a suite are metadata.
_READ = frozenset(
    ("name", "time", "timestamp", "tests", "failures", "errors", "skipped", "disabled", "assertions")
)
_NOT_RUN = frozenset(("notrun", "skipped", "suppressed", "disabled"))
# What a case ended as, the first that applies.
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
# 1,234,567.8 as Java writes it; with any other comma it is a decimal one.
_THOUSANDS = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d*)?", re.ASCII)


def is_it(head: bytes) -> bool:
    """Whether a file that begins so has the root of a JUnit report."""
    return root_of(head) in [("", root) for root in ROOTS]


def parse(file: BinaryIO) -> Iterator[RunReport | Remark]:
    """A run for each unit, read as it is asked for, and remarks on it. Unit and procedure are empty where the suite
    names none.

    Raises UnreadableReport where the content is no such file.
    """
    for outermost in read_records(file, ROOTS, ("testsuite",)):
        for suite in _suites_of_units(outermost):
            recording = Recording()
            yield _run(recording, suite)
            yield from recording.remarks


def _suites_of_units(suite: Element) -> Iterator[Element]:
    """The suite itself, unless only suites inside of it name units and it has no case of its own."""
    inner = list(suite.iterchildren("{*}testsuite"))
    names_units = inner and any(
        _first(_said(one), _SERIAL) for part in inner for one in part.iter("{*}testsuite")
    )
    if not names_units or _first(_said(suite), _SERIAL) or any(True for _ in children(suite, "testcase")):
        yield suite
        return
    for one in inner:
        yield from _suites_of_units(one)


def _run(recording: Recording, suite: Element) -> RunReport:
    said = _said(suite)
    procedure = _attribute(suite, "name") or _attribute(suite, "package")
    started_at = _start(recording, suite, procedure)
    ended_at = _record_suite(recording, suite, None, started_at)
    outcomes = {phase.outcome for phase in recording.phases}
    return RunReport(
        procedure=procedure,
        procedure_is_name=True,
        serial_number=_first(said, _SERIAL) or "",
        outcome=_outcome(suite, outcomes),
        started_at=started_at,
        duration=ended_at - started_at,
        part_number=_first(said, _PART),
        revision_number=_first(said, _REVISION),
        batch_number=_first(said, _BATCH),
        operator=_first(said, _OPERATOR),
        procedure_version=_first(said, _VERSION),
        phases=tuple(recording.phases),
        logs=tuple(recording.logs),
        sequences=recording.sequences,
        metadata=metadata_of((name, value) for name, value in said if _folded(name) not in _IDENTITY),
    )


def _said(suite: Element) -> list[tuple[str, str]]:
    """Names and values that say something of the run: the suite's own before those of the file."""
    said: list[tuple[str, str]] = []
    for element in (suite, *suite.iterancestors()):
        attributes = [(str(name), str(value)) for name, value in element.items() if name not in _READ]
        said += [*_properties(element), *attributes]
    return said


def _properties(element: Element) -> Iterator[tuple[str, str]]:
    for properties in children(element, "properties"):
        for one in children(properties, "property"):
            yield _attribute(one, "name"), _attribute(one, "value") or text_of(one)


def _folded(name: str) -> str:
    return name.strip().casefold().replace("-", "_").replace(" ", "_")


def _first(said: list[tuple[str, str]], names: Iterable[str]) -> str | None:
    """The first thing said under one of these names, however they are written."""
    return next((value.strip() for name, value in said if _folded(name) in names and value.strip()), None)


def _outcome(suite: Element, outcomes: set[PhaseOutcome]) -> RunOutcome:
    if "ERROR" in outcomes or _count(suite, "errors"):
        return "ERROR"
    return "FAIL" if "FAIL" in outcomes or _count(suite, "failures") else "PASS"


def _count(suite: Element, name: str) -> int:
    text = _attribute(suite, name)
    return int(text) if text.isdecimal() else 0


def _start(recording: Recording, suite: Element, procedure: str) -> datetime:
    """When the suite began: as it says, else as its file or the first of its parts says, else now.

    Raises UnreadableReport where all that is said of it is no date: it did not begin now.
    """
    for element in (suite, *suite.iterancestors(), *suite.iter("{*}testsuite", "{*}testcase")):
        moment = _timestamp(recording, element)
        if moment is not None:
            return moment
    if recording.remarks:
        raise UnreadableReport(f"Nothing says when suite {procedure!r} was. {recording.remarks[0].text}")
    return datetime.now(UTC)


def _record_suite(recording: Recording, suite: Element, path: str | None, started_at: datetime) -> datetime:
    """The end of a suite, and in the recording what is inside of it."""
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
    for one in classes.values():
        _close(recording, one.path, one.name, one.first_phase)
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
    """A class of cases: the sequence that it is, and the number of its first phase in the recording."""

    path: str
    name: str
    first_phase: int


def _class_of(
    recording: Recording, classes: dict[str, _Class], suite: Element, case: Element, path: str | None
) -> str | None:
    """The sequence of a case: that of its class, or that of its suite where they are the same."""
    name = _attribute(case, "classname")
    if not name or name in (_attribute(suite, "name"), _attribute(suite, "package")):
        return path
    if name not in classes:
        classes[name] = _Class(recording.open_sequence(path, name), name, len(recording.phases))
    return classes[name].path


def _close(recording: Recording, path: str, name: str, first_phase: int) -> None:
    """Close a sequence whose outcome and times are those of its phases."""
    phases = [phase for phase in recording.phases[first_phase:] if phase.sequence_path == path]
    outcomes = {phase.outcome for phase in phases}
    recording.close_sequence(
        path,
        name,
        next((one for one in ("ERROR", "FAIL", "PASS") if one in outcomes), "SKIP"),
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
    measured = tuple(_measurement(said, value) for said, value in _properties(case) if said)
    recording.add_phase(Phase(name, _case_outcome(case), started_at, ended_at, measured, sequence_path=path))
    source, line = _attribute(case, "file") or name, _count(case, "line")
    for element in children(case, *_LEVELS):
        if name_of(element) in _OUTPUT:
            _log_output(recording, element, ended_at, source)
        else:
            recording.add_log(_LEVELS[name_of(element)], ended_at, _told(name, element), source, line)
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


def _told(case: str, element: Element) -> str:
    """`rail_3v3: AssertionError: 3.1 < 3.2`, and the trace below."""
    summary = [case, _attribute(element, "type"), _attribute(element, "message")]
    return "\n".join(part for part in (": ".join(filter(None, summary)), text_of(element)) if part)


def _log_output(recording: Recording, element: Element, at: datetime, source: str) -> None:
    recording.add_log(_LEVELS[name_of(element)], at, text_of(element), source)


def _attribute(element: Element, name: str) -> str:
    return (element.get(name) or "").strip()


def _timestamp(recording: Recording, element: Element) -> datetime | None:
    """None where there is none, and where it is no date, which is remarked on."""
    text = _attribute(element, "timestamp")
    if not text:
        return None
    try:
        return moment_of(text)
    except ValueError as error:
        recording.remark(f"The timestamp {text!r} in line {element.sourceline} {error}.")
        return None


def _seconds(element: Element) -> float | None:
    """The `time` of an element; None where it says none."""
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
