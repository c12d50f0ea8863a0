"""The runs that a page of figures is about."""

from typing import Any, NamedTuple, Self

from msgspec.structs import replace

from runcard.analytics.snapshot import Selection, Snapshot
from runcard.web.frame.visit import Visit


class PageRuns(NamedTuple):
    """A selection of runs, in one state of the columnar copy, for one reader."""

    snapshot: Snapshot
    visit: Visit
    selection: Selection

    def narrowed(self, **conditions: Any) -> Self:
        """The same runs, narrowed by these conditions. A condition replaces the one of the same name."""
        runs = replace(self.selection.runs, **conditions)
        return self._replace(selection=self.selection._replace(runs=runs))
