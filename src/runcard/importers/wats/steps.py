"""The steps of WATS reports as phases, with their sequences and logs.

- A sequence call becomes a sequence. Every other step becomes a phase of its sequence. A sequence call that measured
  something itself also becomes a phase within its own sequence.
- A loop is reported as a summary step, followed by a step for each iteration. The summary becomes a phase (or a
  sequence) as any other step. The iterations go into a sequence with the name of the loop: as attempts of one phase, or
  as sequences `Loop[0]`, `Loop[1]` if they are sequence calls. Iterations without a summary stay beside other steps.
- Steps of the same name in a sequence are attempts. Sequences of the same name in a sequence get `#2`, `#3`.
- A step begins at its start, or else at the end of the step before it. It lasts for its reported time, or else no time.
- Report texts, errors, answers to message boxes, exit codes and names of attachments become logs.
- The docstring of a phase is the type of its step, and the group of the step if it is not the main group.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta, tzinfo
from typing import NamedTuple

from msgspec.structs import replace

from runcard.domain.errors import UnreadableReport
from runcard.domain.runs.outcome import LogLevel, PhaseOutcome, SequenceOutcome
from runcard.domain.runs.phase import Log, Phase, RetryCounter, tidy_message, tidy_source_file
from runcard.domain.runs.sequence import PhaseSequence
from runcard.importers.wats.measurements import measurements_of
from runcard.importers.wats.report import Loop, ReportedFile, Step
from runcard.importers.wats.values import (
    Status,
    code_of,
    later,
    moment_of,
    name_of,
    number_of,
    seconds_of,
    status_of,
    text_of,
)

_MAX_LEVELS = 50
_MAX_KEY_LENGTH = 100

_PHASE_OUTCOMES: dict[Status, PhaseOutcome] = {
    "Passed": "PASS",
    "Done": "PASS",
    "Failed": "FAIL",
    "Skipped": "SKIP",
    "Error": "ERROR",
    "Terminated": "ERROR",
}
_SEQUENCE_OUTCOMES: dict[Status, SequenceOutcome] = {
    "Passed": "PASS",
    "Done": "PASS",
    "Failed": "FAIL",
    "Skipped": "SKIP",
    "Error": "ERROR",
    "Terminated": "ABORTED",
}
_GROUPS = {"s": "Setup", "setup": "Setup", "c": "Cleanup", "cleanup": "Cleanup"}


class Inside(NamedTuple):
    """What the steps of a report become. places: by the id of a step, its path with its name."""

    phases: tuple[Phase, ...]
    sequences: tuple[PhaseSequence, ...]
    logs: tuple[Log, ...]
    places: dict[int | str, str]


def inside_of(steps: Sequence[Step], started_at: datetime, zone: tzinfo | None) -> Inside:
    """The content of a run, from its steps. zone: of moments without an offset from UTC. Raises UnreadableReport."""
    walk = _Walk(zone)
    walk.through(steps, _At(None, started_at, 1))
    return Inside(tuple(walk.phases), tuple(walk.sequences), tuple(walk.logs), walk.places)


class _At(NamedTuple):
    """The place of the walk: the path of its sequence, the moment, and the level, from 1."""

    path: str | None
    moment: datetime
    level: int


class _Walk:
    """Goes through the steps in recorded order. Methods that return a datetime return the end of what they record."""

    def __init__(self, zone: tzinfo | None) -> None:
        self.phases: list[Phase] = []
        self.sequences: list[PhaseSequence] = []
        self.logs: list[Log] = []
        self.places: dict[int | str, str] = {}
        self._zone = zone
        self._retries = RetryCounter()
        self._paths: dict[str, int] = {}

    def through(self, steps: Sequence[Step], at: _At) -> datetime:
        if at.level > _MAX_LEVELS:
            raise UnreadableReport(f"Steps are nested deeper than {_MAX_LEVELS} levels. Report them flatter.")
        for step, iterations in _with_iterations(steps):
            at = at._replace(moment=self._step(step, iterations, at))
        return at.moment

    def _step(self, step: Step, iterations: Sequence[Step], at: _At) -> datetime:
        name = name_of(step.name, f"The name of step {step.id}")
        field = f"Step {step.id} ({name[:_MAX_KEY_LENGTH]})"
        start = moment_of(step.start, self._zone, f"{field}.start") or at.moment
        at = at._replace(moment=start)
        if _is_sequence(step):
            return self._sequence(step, iterations, at, name, field)
        end = self._phase(step, at, name, field)
        if iterations:
            loop = PhaseSequence(self._path(at.path, name), name, _SEQUENCE_OUTCOMES[_status(step, field)])
            end = max(end, self._within(loop, [iterations], at, at.moment))
        return end

    def _phase(self, step: Step, at: _At, name: str, field: str) -> datetime:
        end = _end(step, at.moment, field)
        self.phases.append(
            Phase(
                name=name,
                outcome=_PHASE_OUTCOMES[_status(step, field)],
                started_at=at.moment,
                ended_at=end,
                measurements=tuple(measurements_of(step, field)),
                docstring=_docstring(step),
                retry_count=self._retries.next(name, at.path),
                sequence_path=at.path,
            )
        )
        self._note(step, f"{at.path}/{name}" if at.path else name, at.moment, field)
        return end

    def _sequence(self, step: Step, iterations: Sequence[Step], at: _At, name: str, field: str) -> datetime:
        index = _iteration(step)
        path = self._path(at.path, name if index is None else f"{name}[{index}]")
        source = None if step.seq_call is None else text_of(step.seq_call.path)
        outcome = _SEQUENCE_OUTCOMES[_status(step, field)]
        if _has_measured(step):
            self._phase(step, at._replace(path=path), name, field)
        else:
            self._note(step, path, at.moment, field)
        sequence = PhaseSequence(path, name, outcome, source)
        return self._within(sequence, [step.steps or (), iterations], at, _end(step, at.moment, field))

    def _within(
        self, sequence: PhaseSequence, groups: Sequence[Sequence[Step]], at: _At, end: datetime
    ) -> datetime:
        """Record a sequence and the groups of steps inside it, which all begin with the sequence. Return its end, which
        is `end` or later.
        """
        position = len(self.sequences)
        self.sequences.append(sequence)
        inside = at._replace(path=sequence.path, level=at.level + 1)
        end = max(end, *(self.through(steps, inside) for steps in groups))
        if sequence.outcome != "SKIP":
            self.sequences[position] = replace(sequence, started_at=at.moment, ended_at=end)
        return end

    def _path(self, parent: str | None, name: str) -> str:
        """A path that no other sequence has. Slashes in the name become underscores, because slashes divide paths."""
        key = name.replace("/", "_")[:_MAX_KEY_LENGTH]
        first = path = f"{parent}/{key}" if parent else key
        while path in self._paths:
            self._paths[first] += 1
            path = f"{first}#{self._paths[first]}"
        self._paths[path] = 1
        return path

    def _note(self, step: Step, place: str, moment: datetime, field: str) -> None:
        step_id = code_of(step.id)
        if step_id is not None:
            self.places.setdefault(step_id, place)
        source = tidy_source_file(place)
        self.logs += (
            Log(level, moment, tidy_message(text), source, 0) for level, text in _lines(step, field)
        )


def _with_iterations(steps: Sequence[Step]) -> list[tuple[Step, list[Step]]]:
    """The steps, each with its iterations if it is the summary of a loop. These iterations are not listed as steps."""
    found: list[tuple[Step, list[Step]]] = []
    of_loop: dict[str, list[Step]] = {}
    for step in steps:
        if _iteration(step) is not None and step.name in of_loop:
            of_loop[step.name].append(step)
            continue
        found.append((step, []))
        if step.loop is not None and _iteration(step) is None:
            of_loop[step.name] = found[-1][1]
    return found


def _iteration(step: Step) -> int | str | None:
    """The index of a step among the iterations of its loop, from 0; None where the step is no iteration."""
    return None if step.loop is None else code_of(step.loop.idx if step.loop.i is None else step.loop.i)


def _is_sequence(step: Step) -> bool:
    return step.seq_call is not None or bool(step.steps) or text_of(step.step_type) == "SequenceCall"


def _has_measured(step: Step) -> bool:
    return bool(step.numeric_meas or step.boolean_meas or step.string_meas or step.chart)


def _status(step: Step, field: str) -> Status:
    """The status of a step. Raises UnreadableReport where it has none."""
    status = status_of(step.status, f"{field}.status")
    if status is None:
        raise UnreadableReport(f"{field} has no status. Give one, such as Passed.")
    return status


def _end(step: Step, start: datetime, field: str) -> datetime:
    return later(start, seconds_of(step.tot_time, f"{field}.totTime") or timedelta(), field)


def _docstring(step: Step) -> str | None:
    group = _GROUPS.get((text_of(step.group) or "").lower())
    return ", ".join(part for part in (text_of(step.step_type), group) if part) or None


def _lines(step: Step, field: str) -> Iterator[tuple[LogLevel, str]]:
    if report := text_of(step.report_text):
        yield "INFO", report
    code, message = code_of(step.error_code), text_of(step.error_message)
    if code or message:
        yield "ERROR", ": ".join(str(part) for part in (code, message) if part)
    if loop := _counted(step.loop):
        yield "INFO", f"Loop: {loop}"
    if step.message_popup is not None:
        answer, button = text_of(step.message_popup.response), code_of(step.message_popup.button)
        yield "INFO", f"Message box: button {button}" + (f", answer {answer}" if answer else "")
    if step.call_exe is not None:
        exit_code = number_of(step.call_exe.exit_code, f"{field}.callExe.exitCode")
        if exit_code is not None:
            yield "INFO", f"Exit code: {exit_code:.15g}"
    if step.attachment is not None:
        yield "WARNING", left_out(step.attachment)


def _counted(loop: Loop | None) -> str:
    """The counts of a loop's summary, as a text; empty where there are none."""
    if loop is None:
        return ""
    counts = {
        "iterations": loop.num if loop.n is None else loop.n,
        "passed": loop.passed,
        "failed": loop.failed,
        "ending index": loop.ending_index,
    }
    known = {name: code_of(count) for name, count in counts.items()}
    return ", ".join(f"{count} {name}" for name, count in known.items() if count is not None)


def left_out(attachment: ReportedFile) -> str:
    """The log line about a file inside a report, which is not read."""
    name = text_of(attachment.name) or "without a name"
    return f"Attachment {name} was not taken out of the report file."
