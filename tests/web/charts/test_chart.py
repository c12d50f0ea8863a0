"""Charts say what happened and when, with one meaning for each colour."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from runcard.analytics.calendar import Period, name_of
from runcard.analytics.groups import Group
from runcard.analytics.statistics.ratios import Ratio
from runcard.web.charts.chart import (
    MOST_ROWS,
    OUTCOME_COLOURS,
    OUTCOME_PATTERNS,
    SERIES_COLOURS,
    Chart,
    RatioPoint,
    ratio_bars,
    ratio_trend,
)
from runcard.web.charts.group_colours import group_colours
from runcard.web.charts.time_axis import places_in_time


def option_of(chart: Chart) -> dict[str, Any]:
    option: dict[str, Any] = json.loads(chart.option)
    return option


def period(step: Period, start: str) -> Group:
    return Group(start, name_of(step, datetime.fromisoformat(start)))


def share(name: str, passed: int, of: int = 100) -> RatioPoint:
    ratio = Ratio(passed, of, passed / of, max(0.0, passed / of - 0.1), min(1.0, passed / of + 0.1))
    return RatioPoint(Group(name, name), ratio)


@pytest.mark.parametrize(
    ("step", "starts", "names"),
    [
        (
            "day",
            ["2026-10-23T00:00:00+02:00", "2026-10-26T00:00:00+01:00"],
            ["2026-10-23", "2026-10-24", "2026-10-25", "2026-10-26"],
        ),
        (
            "hour",
            ["2026-01-31T22:00:00+00:00", "2026-02-01T00:00:00+00:00"],
            ["2026-01-31 22:00", "2026-01-31 23:00", "2026-02-01 00:00"],
        ),
        (
            "week",
            ["2026-12-21T00:00:00+01:00", "2027-01-04T00:00:00+01:00"],
            ["2026-W52", "2026-W53", "2027-W01"],
        ),
        (
            "month",
            ["2026-01-01T00:00:00+01:00", "2026-03-01T00:00:00+01:00"],
            ["2026-01", "2026-02", "2026-03"],
        ),
    ],
)
def test_periods_in_which_nothing_happened_keep_their_place(
    step: Period, starts: list[str], names: list[str]
):
    places = places_in_time([period(step, start) for start in starts], step)
    assert list(places) == names
    assert [place for place in places.values() if place is not None] == [0, 1]
    assert places[names[0]] == 0
    assert places[names[-1]] == 1


def test_hours_that_the_clocks_repeat_or_cut_are_all_kept():
    groups = [period("hour", "2026-10-25T01:30:00+11:00"), period("hour", "2026-10-25T03:00:00+11:00")]
    assert list(places_in_time(groups, "hour").values()) == [0, 1]


def test_where_there_would_be_too_many_periods_only_those_with_runs_are_shown():
    groups = [period("hour", "2020-01-01T00:00:00+00:00"), period("hour", "2026-01-01T00:00:00+00:00")]
    assert list(places_in_time(groups, "hour").values()) == [0, 1]
    assert places_in_time([], "day") == {}


def test_a_trend_breaks_where_nothing_happened_and_tells_percents():
    start = datetime.fromisoformat("2026-01-02T00:00:00+00:00")
    days = [(start + timedelta(days=day)).isoformat() for day in (0, 3)]
    points = [share("", 93)._replace(group=period("day", day)) for day in days]
    option = option_of(ratio_trend("trend", "Yield", points, "day"))
    assert option["tooltip"] == {"trigger": "axis", "valueFormatter": "{value} %"}
    yields, low, high, width = (one["data"] for one in option["series"])
    assert yields == [93, None, None, 93]
    assert (low[0], high[0], width[0]) == (83, 100, 17)
    # The width of the band is drawn, but is nothing to be told.
    assert [one.get("tooltip") for one in option["series"]] == [None, None, None, {"show": False}]


def test_bars_stand_in_order_of_their_shares_and_grow_with_their_number():
    few = ratio_bars("by-station", "Yield", [share("A", 97), share("B", 80), share("C", 91)])
    assert option_of(few)["yAxis"]["data"] == ["B", "C", "A"]
    assert few.size == "usual"
    many = ratio_bars("by-station", "Yield", [share(f"{at}", at) for at in range(30)])
    assert many.size == "tallest"
    assert option_of(many)["yAxis"]["axisLabel"]["interval"] == 0
    too_many = ratio_bars("by-station", "Yield", [share(f"{at}", at) for at in range(90)], "all stations")
    assert len(option_of(too_many)["yAxis"]["data"]) == MOST_ROWS
    assert too_many.note == "all stations, the 40 lowest of 90"
    assert len(too_many.table.rows) == 90


def test_no_two_outcomes_look_alike():
    looks = [(colour, str(OUTCOME_PATTERNS.get(outcome))) for outcome, colour in OUTCOME_COLOURS.items()]
    assert len(set(looks)) == len(OUTCOME_COLOURS) == len(set(OUTCOME_COLOURS.values()))


def test_the_groups_with_the_most_values_have_colours_in_the_order_of_their_names():
    counted = [(Group(f"{at}", f"Batch {at}"), 100 if at % 2 else 1) for at in range(12)]
    colours = group_colours(counted)
    assert list(colours.by_key) == ["1", "3", "5", "7", "9", "11"]
    assert list(colours.by_key.values()) == list(SERIES_COLOURS[:6])
    assert colours.others_name == "others (6)"
