"""The links of the points of a chart over time: each leads to the runs of its hour, day, week or month."""

from collections.abc import Callable, Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from runcard.analytics.calendar import Period as Step
from runcard.analytics.groups import Group
from runcard.store.lists.run_filter import RunFilter
from runcard.web.lists.filters import FilterQuery
from runcard.web.lists.period import PeriodWindow, is_range, span_of
from runcard.web.lists.run_query import runs_url

# The address of the runs of a group, or of those with this outcome; empty: the point leads nowhere.
UrlOfPoint = Callable[[Group, str | None], str]


def nowhere(_group: Group, _outcome: str | None = None) -> str:
    """No address, for charts whose points lead nowhere."""
    return ""


class PointLinks:
    """Makes the address of the runs at a point of a chart.

    own: the conditions of the page itself, beside those of its filter bar.
    """

    def __init__(
        self, query: FilterQuery, runs: RunFilter, step: Step, zone: ZoneInfo, own: Mapping[str, object]
    ) -> None:
        self._query = query
        self._step = step
        self._zone = zone
        self._own = own
        # A period that ends now ends with today.
        self._within = PeriodWindow(runs.started_after, runs.started_before if is_range(query) else None)

    def __call__(self, group: Group, outcome: str | None = None) -> str:
        """The address of the runs of a group; empty for the group without a time."""
        if group.key is None:
            return ""
        since, until = span_of(self._step, datetime.fromisoformat(group.key), self._within, self._zone)
        days = {"period": "all", "since": since, "until": until}
        return runs_url(self._query, **self._own, **days, outcome=outcome)
