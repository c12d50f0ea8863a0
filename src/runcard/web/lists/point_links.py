"""Where the points of a chart over time lead: to the runs of their hour, day, week or month."""

from collections.abc import Callable, Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from runcard.analytics.calendar import Period as Step
from runcard.analytics.groups import Group
from runcard.store.lists.run_filter import RunFilter
from runcard.web.lists.filters import FilterQuery
from runcard.web.lists.period import PeriodWindow, is_range, span_of
from runcard.web.lists.run_query import runs_url

# The address that a group, or what ended in this way of it, leads to; empty: nowhere.
UrlOfPoint = Callable[[Group, str | None], str]


def nowhere(_group: Group, _outcome: str | None = None) -> str:
    """Of charts whose points lead nowhere."""
    return ""


class PointLinks:
    """Leads to the runs that a page is about, of the time of a point. own: what the page is about beside its filter."""

    def __init__(
        self, query: FilterQuery, runs: RunFilter, step: Step, zone: ZoneInfo, own: Mapping[str, object]
    ) -> None:
        self._asked = query
        self._step = step
        self._zone = zone
        self._own = own
        # A period that ends now ends with today.
        self._within = PeriodWindow(runs.started_after, runs.started_before if is_range(query) else None)

    def __call__(self, group: Group, outcome: str | None = None) -> str:
        """The address; empty for runs of no time."""
        if group.key is None:
            return ""
        since, until = span_of(self._step, datetime.fromisoformat(group.key), self._within, self._zone)
        days = {"period": "all", "since": since, "until": until}
        return runs_url(self._asked, **self._own, **days, outcome=outcome)
