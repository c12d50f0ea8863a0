"""Sequences: groups of phases, nested by their paths."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from msgspec import Struct

from runcard.domain.errors import Issue
from runcard.domain.runs.outcome import SequenceOutcome
from runcard.domain.runs.phase import Phase


class PhaseSequence(Struct, frozen=True, array_like=True, gc=False):
    """A group of phases. Its path names its parents and itself: `main/calibration`.

    started_at, ended_at: None where the sequence was skipped.
    """

    path: str
    name: str
    outcome: SequenceOutcome
    source: str | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None

    @property
    def key(self) -> str:
        """The last step of the path."""
        return self.path.rpartition("/")[2]

    @property
    def parent_path(self) -> str | None:
        return self.path.rpartition("/")[0] or None


def sequence_issues(sequences: Sequence[PhaseSequence], phases: Sequence[Phase]) -> Iterator[Issue]:
    """An issue for each path that is empty or given twice, and for each parent or phase's sequence that is missing."""
    paths = {sequence.path for sequence in sequences}
    seen: set[str] = set()
    for position, sequence in enumerate(sequences):
        if not sequence.path or sequence.path in seen:
            yield Issue(("sequences", position, "path"), f"path {sequence.path!r} is empty or given twice")
        seen.add(sequence.path)
        if sequence.parent_path is not None and sequence.parent_path not in paths:
            message = (
                f"path {sequence.path!r} lies in {sequence.parent_path!r}, which is not among the sequences"
            )
            yield Issue(("sequences", position, "path"), message)
    for position, phase in enumerate(phases):
        if phase.sequence_path is not None and phase.sequence_path not in paths:
            message = f"sequence_path {phase.sequence_path!r} is not among the sequences"
            yield Issue(("phases", position, "sequence_path"), message)
