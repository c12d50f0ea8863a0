"""What the recorder counts while it works."""

from runcard.counted_values import CountedValues
from runcard.store.commit.group_commit import GROUP_SIZES

_WRITE_S = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30)


class RecordingCounts:
    """groups: the sizes of the groups of runs that were committed. write_s: how long runs took from their hand-over
    until they were durable. restarts: how many recording processes ended and had to be replaced.
    """

    def __init__(self) -> None:
        self.groups = CountedValues(GROUP_SIZES)
        self.write_s = CountedValues(_WRITE_S)
        self.restarts = 0
