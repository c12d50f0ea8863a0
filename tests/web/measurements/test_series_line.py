"""Where the points of a series lie."""

import math

from runcard.domain.runs.limit import Interval
from runcard.domain.runs.measurement import Series
from runcard.web.measurements.series_line import SeriesPlot, series_plot

NO_LIMITS = Interval(None, None)


def plot(*columns: list[float | int], limits: Interval = NO_LIMITS) -> SeriesPlot:
    return series_plot("m", [Series(column) for column in columns], limits)


def points(shown: SeriesPlot) -> list[tuple[float, float]]:
    pairs = [pair.split(",") for line in shown.lines for pair in line.split()]
    return [(float(x), float(y)) for x, y in pairs]


def test_a_line_goes_from_corner_to_corner():
    assert points(plot([0, 5, 10], [1, 2, 3])) == [(8, 292), (500, 150), (992, 8)]


def test_a_flat_line_lies_in_the_middle():
    assert points(plot([0, 1], [7, 7])) == [(8, 150), (992, 150)]


def test_one_column_is_drawn_against_its_rows():
    shown = plot([4, 5, 6])
    assert (shown.x_name, shown.x_low, shown.x_high) == ("row", "1", "3")
    assert points(shown) == [(8, 292), (500, 150), (992, 8)]


def test_what_cannot_be_drawn_breaks_the_line():
    shown = plot([0, 1, 2, 3, 4], [1, math.nan, 2, math.inf, 3])
    assert len(shown.lines) == 3
    # A single point is a short dash around its place.
    assert [points(shown)[index] for index in (2, 3)] == [(496.1, 150), (503.9, 150)]


def test_nothing_to_draw_is_no_line():
    assert plot([0, 1], [math.nan, math.nan]).lines == []
    assert plot([], []).lines == []


def test_the_largest_floats_fit():
    assert points(plot([0, 1, 2], [-1.7e308, 0, 1.7e308])) == [(8, 292), (500, 150), (992, 8)]


def test_limits_are_drawn_where_they_do_not_press_the_line_flat():
    def heights(low: float | None, high: float | None) -> list[str]:
        return [limit.y for limit in plot([0, 1], [0, 10], limits=Interval(low, high)).limits]

    assert heights(0, 10) == ["292.0", "8.0"]
    assert heights(-10, None) == ["292.0"]
    assert heights(-1e9, 5) == ["150.0"]
    assert heights(None, math.inf) == []


def test_of_many_points_every_spike_stays():
    values: list[float | int] = [0] * 100_000
    values[54_321] = 1
    shown = plot(list(range(100_000)), values)
    assert len(points(shown)) <= 2000
    assert min(y for _, y in points(shown)) == 8


def test_columns_of_unequal_length_leave_cells_empty():
    shown = plot([1, 2, 3], [4])
    assert [list(row) for row in shown.rows] == [["1", "4"], ["2", ""], ["3", ""]]
    assert shown.shown_text == "All 3 rows"
