"""Charts of counts: runs by outcome over time, and what fails most."""

from collections.abc import Callable, Sequence

from runcard.analytics.calendar import Period
from runcard.analytics.questions.activity.throughput import ThroughputRow
from runcard.analytics.questions.yields.pareto import ParetoAnswer, ParetoRow
from runcard.web.charts.chart import (
    GRID,
    OUTCOME_COLOURS,
    OUTCOME_PATTERNS,
    PERCENT,
    Cell,
    Chart,
    Figures,
    linked,
    option_json,
)
from runcard.web.charts.time_axis import places_in_time, time_axis
from runcard.web.frame.definitions import WHICH_RUNS
from runcard.web.frame.formats import count_text, percent_text
from runcard.web.lists.point_links import UrlOfPoint, nowhere


def outcome_stack(rows: Sequence[ThroughputRow], step: Period, url_of: UrlOfPoint = nowhere) -> Chart:
    """Runs of each hour, day, week or month, stacked by outcome; outcomes that did not occur are left out.

    url_of: the address that each bar leads to.
    """
    outcomes = list(OUTCOME_COLOURS)
    counts: list[dict[str, int]] = [{one.outcome: one.runs for one in row.outcomes} for row in rows]
    places = places_in_time([row.group for row in rows], step)
    shown = [outcome for outcome in outcomes if any(row[outcome] for row in counts)]
    option = {
        "grid": {**GRID, "top": 36},
        "legend": {"type": "scroll", "top": 0},
        "tooltip": {"trigger": "axis"},
        "xAxis": time_axis(list(places)),
        "yAxis": {"type": "value", "minInterval": 1},
        "series": [
            {
                "type": "bar",
                "stack": "runs",
                "name": outcome,
                "barMaxWidth": 40,
                "itemStyle": {"color": OUTCOME_COLOURS[outcome], "decal": OUTCOME_PATTERNS.get(outcome)},
                "data": [
                    0 if place is None else linked(counts[place][outcome], url_of(rows[place].group, outcome))
                    for place in places.values()
                ],
            }
            for outcome in shown
        ],
    }
    table = [
        [
            Cell(row.group.name or "", url_of(row.group, None)),
            Cell(count_text(row.runs)),
            *(Cell(count_text(some[one]), url_of(row.group, one) if some[one] else "") for one in shown),
        ]
        for row, some in zip(rows, counts, strict=True)
    ]
    return Chart(
        "runs",
        f"Runs by {step}",
        f"Runs of each {step} by outcome",
        option_json(option),
        Figures(["from", "runs", *shown], table),
    )


def pareto_plot(answer: ParetoAnswer, title: str, url_of_row: Callable[[ParetoRow], str]) -> Chart:
    """What failed most, with the cumulated share of all failures."""
    names = [one.measurement or one.phase for one in answer.rows]
    option = {
        "grid": {**GRID, "top": 36},
        "legend": {"top": 0},
        "tooltip": {"trigger": "axis"},
        "xAxis": {
            "type": "category",
            "data": names,
            "axisLabel": {"rotate": 40, "width": 110, "overflow": "truncate", "interval": 0},
        },
        "yAxis": [
            {"type": "value", "minInterval": 1},
            {
                "type": "value",
                "min": 0,
                "max": 100,
                "axisLabel": {"formatter": PERCENT},
                "splitLine": {"show": False},
            },
        ],
        "series": [
            {
                "type": "bar",
                "name": "Failures",
                "barMaxWidth": 40,
                "itemStyle": {"color": "--fail-fill"},
                "data": [{"value": one.failures, "url": url_of_row(one)} for one in answer.rows],
            },
            {
                "type": "line",
                "name": "Share of all so far",
                "yAxisIndex": 1,
                "itemStyle": {"color": "--series-7"},
                "data": [round(100 * one.cumulated_share, 1) for one in answer.rows],
                "tooltip": {"valueFormatter": PERCENT},
            },
        ],
    }
    others = answer.others
    more = f"and {count_text(others.failures)} failures of {others.names} others" if others.failures else ""
    note = ", ".join(filter(None, (WHICH_RUNS[answer.window.attempts].lower(), more)))
    return Chart(
        f"pareto-{answer.kind}",
        title,
        f"{title}: failures by name",
        option_json(option),
        _pareto_table(answer, url_of_row),
        note=note,
        empty="Nothing failed in this period.",
    )


def _pareto_table(answer: ParetoAnswer, url_of_row: Callable[[ParetoRow], str]) -> Figures:
    rows = [
        [
            Cell(one.measurement or one.phase, url_of_row(one)),
            Cell(one.phase),
            Cell(count_text(one.failures)),
            Cell(count_text(one.runs)),
            Cell(percent_text(one.share)),
            Cell(percent_text(one.cumulated_share)),
        ]
        for one in answer.rows
    ]
    return Figures(["name", "phase", "failures", "runs", "share", "so far"], rows)
