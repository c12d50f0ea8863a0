"""Robot Framework's output.xml, of Robot Framework 3 to 7.

- The outermost suite becomes a run of the procedure that it names. Where only suites inside it name units, each of
  those becomes a run. So does each suite that rebot combined with others, unless the suite around them names the unit.
  Suites inside a run become sequences, and the cases (tests or tasks) of all of them become phases.
- Robot Framework has no units. The suite's metadata `Serial Number` names the unit. Without it, the logged value of a
  variable `${SERIAL NUMBER}` or `${SERIAL}` does, as assignments and `Set Suite Variable` log it. `Part Number`,
  `Revision`, `Batch`, `Operator` and `Procedure Version` are read from the metadata likewise. All other metadata of the
  suite become metadata, and so do the tags of all cases together (`tags`).
- Times are local to the station and taken as UTC, because Robot Framework writes no time zone. A suite that rebot
  combined has no start: it begins when its first part begins, and lasts as long as its parts together.
- All messages of keywords become logs, and so does a case's own message, unless a keyword has logged the same. Keywords
  themselves, their arguments and times are left out, and so are the statistics and the warnings about loading files.
- A skipped suite counts as PASS, because nothing failed. Unknown states of later schemas are ERROR.
"""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import BinaryIO, NamedTuple

from runcard.domain.errors import InvalidInput, UnreadableReport
from runcard.domain.metadata import MetadataValue
from runcard.domain.runs.outcome import LogLevel, PhaseOutcome, RunOutcome
from runcard.domain.runs.phase import Phase
from runcard.domain.runs.report import RunReport
from runcard.importers.content.cells import moment_of, number_of
from runcard.importers.content.xml_stream import (
    Element,
    child,
    children,
    name_of,
    read_records,
    root_of,
    text_of,
)
from runcard.importers.report.recording import Recording, metadata_of, seconds_after
from runcard.importers.report.stated import Mend

ROOT = "robot"
_PARTS = ("suite", "test", "kw")

# What to change in the test software where a file lacks a field.
MENDS = {
    "serial_number": Mend(
        "give the suite the metadata `Serial Number`, as "
        'robot --metadata "Serial Number:…" does, or set a variable ${SERIAL NUMBER}'
    ),
}

_SERIAL = ("serialnumber", "serial")
_PART = ("partnumber",)
_REVISION = ("revision",)
_BATCH = ("batch", "batchnumber")
_OPERATOR = ("operator",)
_VERSION = ("procedureversion",)
_IDENTITY = frozenset((*_SERIAL, *_PART, *_REVISION, *_BATCH, *_OPERATOR, *_VERSION))
_ASSIGNED = re.compile(r"\$\{([^}]*)\} = (.*)")

_RUN_OUTCOMES: dict[str, RunOutcome] = {"PASS": "PASS", "FAIL": "FAIL", "SKIP": "PASS"}
_OUTCOMES: dict[str, PhaseOutcome] = {"PASS": "PASS", "FAIL": "FAIL", "SKIP": "SKIP", "NOT RUN": "SKIP"}
_LEVELS: dict[str, LogLevel] = {
    "TRACE": "DEBUG",
    "DEBUG": "DEBUG",
    "INFO": "INFO",
    "HTML": "INFO",
    "SKIP": "INFO",
    "WARN": "WARNING",
    "ERROR": "ERROR",
    "FAIL": "ERROR",
}


def is_it(head: bytes) -> bool:
    """Whether a file with these first bytes has the root of an output.xml."""
    return root_of(head) == ("", ROOT)


def parse(file: BinaryIO) -> Iterator[RunReport]:
    """The run of each unit; its serial number is empty where the file names none.

    Raises UnreadableReport where the content is no output.xml, and InvalidInput for several serial numbers in one run.
    """
    for suite in read_records(file, (ROOT,), ("suite",)):
        # The statistics at the end contain elements of that name too.
        if name_of(next(suite.iterancestors())) == ROOT:
            yield from map(_run, _suites_of_units(suite))


def _suites_of_units(suite: Element) -> Iterator[Element]:
    """The suite itself, or the suites inside it where only they name units or rebot combined them."""
    inner = [nested for nested in suite.iter("suite") if nested is not suite]
    is_combined = _is_combined(suite) and any(True for _ in children(suite, "suite"))
    names_units = any(_entry(nested, _SERIAL) for nested in inner)
    if _entry(suite, _SERIAL) or not (is_combined or names_units):
        yield suite
        return
    for part in children(suite, "suite"):
        yield from _suites_of_units(part)


def _is_combined(suite: Element) -> bool:
    """Whether rebot made the suite to combine the suites of several files: it never ran and comes from no file."""
    status = child(suite, "status")
    return status is not None and _started_at(status) is None and not suite.get("source")


def _run(suite: Element) -> RunReport:
    procedure, status = _named(suite), _status(suite)
    recording = Recording()
    _record_inside(recording, suite, None)
    return RunReport(
        procedure=procedure,
        procedure_is_name=True,
        serial_number=_serial_number(suite, procedure),
        outcome=_RUN_OUTCOMES.get(status.state, "ERROR"),
        started_at=status.started_at,
        duration=status.ended_at - status.started_at,
        part_number=_entry(suite, _PART),
        revision_number=_entry(suite, _REVISION),
        batch_number=_entry(suite, _BATCH),
        operator=_entry(suite, _OPERATOR),
        procedure_version=_entry(suite, _VERSION),
        docstring=text_of(child(suite, "doc")) or None,
        phases=tuple(recording.phases),
        logs=tuple(recording.logs),
        sequences=recording.sequences,
        metadata=metadata_of(_metadata(suite)),
    )


def _serial_number(suite: Element, procedure: str) -> str:
    if serial_number := _entry(suite, _SERIAL):
        return serial_number
    assigned = (_ASSIGNED.fullmatch(text_of(message)) for message in suite.iter("msg"))
    found = {match[2].strip() for match in assigned if match is not None and _folded(match[1]) in _SERIAL} - {
        ""
    }
    if len(found) == 1:
        return found.pop()
    if found:
        names = " and ".join(sorted(found)[:2])
        raise InvalidInput.at(
            "serial_number",
            f"suite {procedure!r} assigns {names} to the variable that names its unit; set `Serial Number` in the "
            "metadata of the suite instead",
        )
    return ""


def _metadata(suite: Element) -> Iterator[tuple[str, MetadataValue]]:
    for name, value in _entries(suite):
        if _folded(name) not in _IDENTITY:
            yield name, value
    # Since Robot Framework 4 the tags are directly in a case, before that in its <tags>. Keywords have their own tags.
    cases = list(suite.iter("test"))
    tags = {text_of(tag) for case in cases for tag in (*children(case, "tag"), *_inside(case, "tags", "tag"))}
    yield "tags", ", ".join(sorted(tags))


def _entries(suite: Element) -> Iterator[tuple[str, str]]:
    """Names and values of a suite's metadata: in `meta` since Robot Framework 4, before that in `metadata/item`."""
    for element in (*children(suite, "meta"), *_inside(suite, "metadata", "item")):
        yield element.get("name") or "", text_of(element)


def _entry(suite: Element, names: tuple[str, ...]) -> str | None:
    return next((value for name, value in _entries(suite) if _folded(name) in names and value), None)


def _inside(element: Element, container: str, name: str) -> Iterator[Element]:
    for outer in children(element, container):
        yield from children(outer, name)


def _folded(name: str) -> str:
    """The name as Robot Framework compares names of variables: without case, spaces and underscores."""
    return re.sub(r"[\s_-]", "", name).casefold()


def _record_inside(recording: Recording, suite: Element, path: str | None) -> None:
    for element in children(suite, *_PARTS):
        match name_of(element):
            case "suite":
                name, status = _named(element), _status(element)
                inner = recording.open_sequence(path, name)
                _record_inside(recording, element, inner)
                outcome = _OUTCOMES.get(status.state, "ERROR")
                recording.close_sequence(
                    inner, name, outcome, status.started_at, status.ended_at, element.get("source")
                )
            case "test":
                _record_case(recording, element, path)
            case _:
                _log_messages(recording, element, _keyword(element), _status(element).started_at)


def _record_case(recording: Recording, case: Element, path: str | None) -> None:
    name, status = _named(case), _status(case)
    outcome: PhaseOutcome = _OUTCOMES.get(status.state, "ERROR")
    documentation = text_of(child(case, "doc")) or None
    phase = Phase(
        name, outcome, status.started_at, status.ended_at, docstring=documentation, sequence_path=path
    )
    recording.add_phase(phase)
    logged = _log_messages(recording, case, name, status.started_at)
    if status.message and status.message not in logged:
        level: LogLevel = "ERROR" if status.state == "FAIL" else "INFO"
        recording.add_log(level, status.ended_at, status.message, name)


def _log_messages(recording: Recording, element: Element, source: str, started_at: datetime) -> set[str]:
    """Log the messages inside an element in order, each under the name of its keyword. Return their texts."""
    logged = set()
    for inner in element:
        if name_of(inner) == "msg":
            message = text_of(inner)
            at = _moment(inner, "time", "timestamp") or started_at
            recording.add_log(_LEVELS.get(inner.get("level") or "", "INFO"), at, message, source)
            logged.add(message)
        elif len(inner):
            keyword = _keyword(inner) if name_of(inner) == "kw" else source
            logged |= _log_messages(recording, inner, keyword, started_at)
    return logged


def _keyword(element: Element) -> str:
    """The full name of a keyword, such as `BuiltIn.Log`. A keyword of the suite itself has no owner."""
    owner = element.get("owner") or element.get("library")
    name = element.get("name") or "unknown"
    return f"{owner}.{name}" if owner else name


def _named(element: Element) -> str:
    name = (element.get("name") or "").strip()
    if not name:
        raise UnreadableReport(f"The <{name_of(element)}> in line {element.sourceline} has no name. Name it.")
    return name


class _Status(NamedTuple):
    """The result, times and message of a suite, case or keyword."""

    state: str
    started_at: datetime
    ended_at: datetime
    message: str


def _status(element: Element) -> _Status:
    found = child(element, "status")
    where = f"<{name_of(element)}> in line {element.sourceline}"
    if found is None:
        raise UnreadableReport(f"The {where} has no <status>. Upload the file that robot wrote, whole.")
    started_at = _started_at(found)
    inner = [] if started_at is not None else [_status(part) for part in children(element, *_PARTS)]
    if started_at is None and not inner:
        raise UnreadableReport(f"The status of the {where} has no start. Upload the file that robot wrote.")
    started_at = started_at or min(status.started_at for status in inner)
    elapsed = found.get("elapsed")
    if elapsed is None:
        took = sum((status.ended_at - status.started_at for status in inner), timedelta())
        ended_at = _moment(found, "end", "endtime") or started_at + took
    else:
        ended_at = seconds_after(started_at, _seconds(elapsed, where), f"elapsed of the {where}")
    return _Status(found.get("status") or "", started_at, max(started_at, ended_at), text_of(found))


def _started_at(status: Element) -> datetime | None:
    return _moment(status, "start", "starttime")


def _seconds(text: str, where: str) -> float:
    try:
        return float(number_of(text, decimal_comma=False))
    except (ValueError, OverflowError) as error:
        raise UnreadableReport(
            f"elapsed of the {where} is {text!r}, which is no number. Give seconds."
        ) from error


def _moment(element: Element, *names: str) -> datetime | None:
    """The moment in the first of these attributes that is set, such as 2026-01-31T12:00:00.5 or 20260131 12:00:00.500.

    None where none is set, or it is N/A.
    """
    text = next((value for name in names if (value := element.get(name))), None)
    if text is None or text == "N/A":
        return None
    try:
        return moment_of(text)
    except ValueError as error:
        raise UnreadableReport(f"The time {text!r} in line {element.sourceline} {error}.") from error
