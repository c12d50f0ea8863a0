"""Charts of durations: how long runs take over time, and which phases take how much of it."""

from collections.abc import Sequence
from datetime import timedelta

from runcard.analytics.calendar import Period
from runcard.analytics.questions.activity.durations import DurationFigures, DurationRow
from runcard.analytics.questions.activity.phase_durations import PhaseDurations
from runcard.web.charts.chart import GRID, Cell, Chart, Figures, linked, name_axis, option_json, size_for_rows
from runcard.web.charts.time_axis import places_in_time, time_axis
from runcard.web.frame.formats import count_text, duration_text, percent_text
from runcard.web.lists.point_links import UrlOfPoint, nowhere


def duration_trend(rows: Sequence[DurationRow], step: Period, url_of: UrlOfPoint = nowhere) -> Chart:
    """The median and the 95 % quantile of durations over time. url_of: the address that each point leads to."""
    places = places_in_time([one.group for one in rows], step)
    lines = [("Median", "--series-1", "median_s"), ("95 % take at most", "--series-2", "p95_s")]
    option = {
        "grid": {**GRID, "top": 44},
        "legend": {"top": 0},
        "tooltip": {"trigger": "axis", "valueFormatter": "{value} s"},
        "xAxis": time_axis(list(places)),
        "yAxis": {"type": "value", "name": "s", "min": 0},
        "series": [
            {
                "type": "line",
                "name": name,
                "symbolSize": 7,
                "itemStyle": {"color": colour},
                "data": [
                    None
                    if place is None
                    else linked(
                        _rounded(getattr(rows[place].figures, figure)), url_of(rows[place].group, None)
                    )
                    for place in places.values()
                ],
            }
            for name, colour, figure in lines
        ],
    }
    table = [[Cell(one.group.name or "", url_of(one.group, None)), *_cells(one.figures)] for one in rows]
    return Chart(
        "durations",
        "Duration of runs",
        "Median and 95 % quantile of the duration of runs over time",
        option_json(option),
        Figures(["from", "runs", "median", "95 % take at most", "longest"], table),
    )


def phase_bars(phases: Sequence[PhaseDurations]) -> Chart:
    """The median and the 95 % quantile of each phase, the phase with the most time in total first."""
    bars = [("Median", "--series-1", "median_s"), ("95 % take at most", "--series-2", "p95_s")]
    option = {
        "grid": {**GRID, "top": 36},
        "legend": {"top": 0},
        "tooltip": {"trigger": "axis", "valueFormatter": "{value} s"},
        "xAxis": {"type": "value", "name": "s", "nameLocation": "end"},
        "yAxis": name_axis([one.phase for one in phases]),
        "series": [
            {
                "type": "bar",
                "name": name,
                "barMaxWidth": 14,
                "barGap": "10%",
                "itemStyle": {"color": colour},
                "data": [_rounded(getattr(one.figures, figure)) for one in phases],
            }
            for name, colour, figure in bars
        ],
    }
    table = [[Cell(one.phase), *_cells(one.figures), Cell(percent_text(one.time_share))] for one in phases]
    return Chart(
        "phases",
        "Phases by duration",
        "Median and 95 % quantile of the duration of each phase",
        option_json(option),
        Figures(["phase", "n", "median", "95 % take at most", "longest", "of all time"], table),
        size=size_for_rows(2 * len(phases)),
        note="those that take the most time first",
    )


def seconds_text(seconds: float | None) -> str:
    """A duration as people write it; – for None."""
    return "–" if seconds is None else duration_text(timedelta(seconds=seconds))


def _cells(figures: DurationFigures) -> Sequence[Cell]:
    return [
        Cell(count_text(figures.n)),
        *(Cell(seconds_text(one)) for one in (figures.median_s, figures.p95_s, figures.max_s)),
    ]


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 4)
