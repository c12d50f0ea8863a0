"""An axis of periods, with a place even for those in which nothing happened."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from runcard.analytics.calendar import Period, name_of
from runcard.analytics.groups import Group

# If there are more periods, such as the hours of years, only those in which something happened are shown.
_MOST = 1000
_STEPS = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(days=7)}


def places_in_time(groups: Sequence[Group], step: Period) -> Mapping[str, int | None]:
    """The names of the periods from the first group to the last, each with the place of its group.

    None: nothing happened in this period, so it has no group. The groups are in order of time, as questions answer.
    """
    there = {one.name or "": place for place, one in enumerate(groups)}
    starts = [datetime.fromisoformat(one.key).replace(tzinfo=None) for one in groups if one.key]
    if not starts:
        return there
    found: dict[str, int | None] = {}
    at = starts[0]
    while at <= starts[-1] and len(found) < _MOST:
        found[name_of(step, at)] = None
        at = _next(step, at)
    is_whole = at > starts[-1] and found.keys() >= there.keys()
    return {**found, **there} if is_whole else there


def time_axis(names: Sequence[str]) -> Mapping[str, Any]:
    """An axis of periods from left to right; the first and the last name stay inside the chart."""
    label = {"alignMinLabel": "left", "alignMaxLabel": "right"}
    return {"type": "category", "data": names, "axisLabel": label}


def _next(step: Period, start: datetime) -> datetime:
    if step == "month":
        return (start.replace(day=1) + timedelta(days=32)).replace(day=1)
    return start + _STEPS[step]
