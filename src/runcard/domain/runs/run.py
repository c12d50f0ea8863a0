"""The document of a recorded run, which is always read whole. Lists use only the run's header row."""

from msgspec import Struct

from runcard.domain.runs.parameter import Parameter, Secret
from runcard.domain.runs.phase import Log, Phase
from runcard.domain.runs.sequence import PhaseSequence


class RunDocument(Struct, frozen=True, array_like=True, gc=False):
    """The immutable content of a run. Add new fields at the end, with defaults: old documents stay readable.

    steps: the deprecated v1 steps as they came.
    """

    phases: tuple[Phase, ...] = ()
    logs: tuple[Log, ...] = ()
    steps: list[object] | None = None
    sequences: tuple[PhaseSequence, ...] = ()
    config: tuple[Parameter, ...] = ()
    secrets: tuple[Secret, ...] = ()
