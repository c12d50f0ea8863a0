"""A part under test: its sections and its lines of text, which become the phases and logs of a run."""

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from msgspec import Struct, field

from runcard.domain.runs.measurement import Measurement
from runcard.domain.runs.outcome import LogLevel, PhaseOutcome
from runcard.domain.runs.phase import Log, Phase, RetryCounter, tidy_message
from runcard.importers.stdf.lot import Wafer

_NO_SECTION = "Measurements"
_MAX_DEPTH = 20


class Line(NamedTuple):
    source: str
    text: str


class Section(Struct):
    """A phase in the making. is_executed: whether any result in it was executed."""

    path: str
    measurements: list[Measurement] = field(default_factory=list)
    is_executed: bool = False


class Part(Struct):
    """A part under test. path: names of the open sections. section: the innermost open section, once it has a result.
    around: the sections that it lies in.
    """

    started_at: datetime
    position: int
    wafer: Wafer | None
    path: list[str] = field(default_factory=list)
    section: Section | None = None
    around: list[Section | None] = field(default_factory=list)
    sections: list[Section] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)

    def enter(self, name: str) -> None:
        """Begin a section. Testers forget to end some: an open one of the same name ends, and the innermost if there
        are too many levels.
        """
        while name in self.path or len(self.path) >= _MAX_DEPTH:
            self.leave()
        self.path.append(name)
        self.around.append(self.section)
        self.section = None

    def leave(self) -> None:
        """End the innermost section; later results go to the section around it."""
        if self.path:
            self.path.pop()
            self.section = self.around.pop()

    def current(self) -> Section:
        if self.section is None:
            self.section = Section("/".join(self.path) or _NO_SECTION)
            self.sections.append(self.section)
        return self.section

    def phases(self, ended_at: datetime) -> Iterator[Phase]:
        """The sections as phases, in the order of their first results."""
        retries = RetryCounter()
        for section in self.sections:
            outcomes = {measurement.outcome for measurement in section.measurements}
            outcome: PhaseOutcome = (
                "FAIL" if "FAIL" in outcomes else "PASS" if section.is_executed else "SKIP"
            )
            yield Phase(
                section.path,
                outcome,
                self.started_at,
                ended_at,
                tuple(section.measurements),
                retry_count=retries.next(section.path),
            )

    def logs(self) -> Iterator[Log]:
        for line in self.lines:
            if line.text:
                level: LogLevel = "INFO" if line.source in ("DTR", "GDR") else "WARNING"
                yield Log(level, self.started_at, tidy_message(line.text), line.source, 0)
