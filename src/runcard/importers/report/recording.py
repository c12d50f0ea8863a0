"""Collect the content of a run as an importer finds it: phases, sequences and logs in order, and metadata."""

import math
import re
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from msgspec.structs import replace

from runcard.domain.errors import UnreadableReport
from runcard.domain.metadata import MAX_KEY_LENGTH, MAX_KEYS, MAX_TEXT_LENGTH, Metadata, MetadataValue
from runcard.domain.runs.outcome import LogLevel, SequenceOutcome
from runcard.domain.runs.phase import MAX_LOG_MESSAGE_LENGTH, Log, Phase, RetryCounter, tidy_source_file
from runcard.domain.runs.sequence import PhaseSequence
from runcard.importers.report.remarks import Remark

_NO_KEY = re.compile(r"[^A-Za-z0-9_.:+-]+")
# Separates the levels of a sequence's path.
_SEPARATOR = "/"


class Recording:
    """Collects what happened inside a run, in the order in which it is added."""

    def __init__(self) -> None:
        self.phases: list[Phase] = []
        self.logs: list[Log] = []
        self._remarks: dict[str, Remark] = {}
        self._sequences: dict[str, PhaseSequence | None] = {}
        self._retries = RetryCounter()

    @property
    def sequences(self) -> tuple[PhaseSequence, ...]:
        """The closed sequences in the order in which they were opened, so outer ones come first."""
        return tuple(sequence for sequence in self._sequences.values() if sequence is not None)

    @property
    def remarks(self) -> Sequence[Remark]:
        return list(self._remarks.values())

    def remark(self, text: str) -> None:
        """Add a remark on the report, unless the same remark is there already."""
        self._remarks.setdefault(text, Remark(text))

    def open_sequence(self, parent: str | None, name: str) -> str:
        """Begin a sequence and return its path, which its phases name. The caller has to close it.

        A `/` in the name becomes `-`. The second sequence of the same name and parent ends in ` (2)`.
        """
        step = name.replace(_SEPARATOR, "-") or "-"
        path = first = step if parent is None else f"{parent}{_SEPARATOR}{step}"
        number = 1
        while path in self._sequences:
            number += 1
            path = f"{first} ({number})"
        self._sequences[path] = None
        return path

    def close_sequence(
        self,
        path: str,
        name: str,
        outcome: SequenceOutcome,
        started_at: datetime | None,
        ended_at: datetime | None,
        source: str | None = None,
    ) -> None:
        self._sequences[path] = PhaseSequence(path, name, outcome, source, started_at, ended_at)

    def add_phase(self, phase: Phase) -> None:
        """Add a phase; a name that was used in the same sequence makes it another attempt."""
        attempt = self._retries.next(f"{phase.sequence_path or ''}{_SEPARATOR}{phase.name}")
        ended_at = max(phase.started_at, phase.ended_at)
        self.phases.append(replace(phase, ended_at=ended_at, retry_count=attempt))

    def add_log(self, level: LogLevel, at: datetime, message: str, source: str, line_number: int = 0) -> None:
        """Add a log, or several for a message that is too long for one. A blank message is left out."""
        for start in range(0, len(message) if message.strip() else 0, MAX_LOG_MESSAGE_LENGTH):
            piece = message[start : start + MAX_LOG_MESSAGE_LENGTH]
            self.logs.append(Log(level, at, piece, tidy_source_file(source), line_number))


def metadata_of(entries: Iterable[tuple[str, MetadataValue | None]]) -> Metadata | None:
    """The names and values of a file as metadata, as far as metadata can hold them; None where nothing is left.

    Characters that a key cannot have become `_`, and long keys and texts are cut. Of two equal keys the first counts.
    Blank texts, numbers that are not finite, and everything after 50 keys are left out.
    """
    metadata: dict[str, MetadataValue] = {}
    for name, value in entries:
        key = _NO_KEY.sub("_", name.strip())[:MAX_KEY_LENGTH]
        kept = value.strip()[:MAX_TEXT_LENGTH] if isinstance(value, str) else value
        if not key or key in metadata or kept in ("", None) or len(metadata) == MAX_KEYS:
            continue
        if isinstance(kept, float) and not math.isfinite(kept):
            continue
        metadata[key] = kept
    return metadata or None


def seconds_after(moment: datetime, seconds: float, field: str) -> datetime:
    """The moment that many seconds later. Raises UnreadableReport, which names `field`, outside the years 1 to 9999."""
    try:
        return moment + timedelta(seconds=seconds)
    except (OverflowError, ValueError) as error:
        raise UnreadableReport(
            f"{field} is {seconds} s, which is no length of time. Give seconds."
        ) from error
