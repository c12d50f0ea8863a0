"""A run as it was recorded: a header that lists are made of, and a document that is read whole."""

from msgspec import Struct

from runcard.domain.runs.parameter import Parameter, Secret
from runcard.domain.runs.phase import Log, Phase
from runcard.domain.runs.sequence import PhaseSequence


class RunDocument(Struct, frozen=True, array_like=True, gc=False):
    """The inside of a run, immutable. New fields go to the end, with defaults, so that old documents stay readable.

    steps: the deprecated v1 steps as they came.
    """

    phases: tuple[Phase, ...] = ()
    logs: tuple[Log, ...] = ()
    steps: list[object] | None = None
    sequences: tuple[PhaseSequence, ...] = ()
    config: tuple[Parameter, ...] = ()
    secrets: tuple[Secret, ...] = ()
