"""A multi-dimensional measurement as a line: its last series against its first."""

import math
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import NamedTuple

from runcard.domain.runs.limit import Interval
from runcard.domain.runs.measurement import Series
from runcard.web.frame.formats import number_text, rounded_text

# The box that points lie in; a page stretches it to the available room.
_WIDTH, _HEIGHT = 1000, 300
_MARGIN = 8
_DASH = 0.004
_SHOWN_ROWS = 20
# More points than this on a line cannot be told apart.
_MAX_POINTS = 2000


class LimitLine(NamedTuple):
    """y: from the top of the box."""

    y: str
    text: str


class SeriesPlot(NamedTuple):
    """lines: the points of each unbroken piece, as SVG writes them; NaN and infinities break a line.

    rows: the first few. shown_text: how many rows are shown, and of how many.
    """

    title: str
    width: int
    height: int
    lines: Sequence[str]
    limits: Sequence[LimitLine]
    x_name: str
    x_low: str
    x_high: str
    y_name: str
    y_low: str
    y_high: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    shown_text: str


class _Axis(NamedTuple):
    low: float
    high: float

    @classmethod
    def around(cls, values: Sequence[float]) -> "_Axis":
        finite = [value for value in values if math.isfinite(value)]
        return cls(min(finite, default=0.0), max(finite, default=0.0))

    def place(self, value: float) -> float:
        """Where a value lies between low (0) and high (1). Halves avoid an infinite span of two very large floats."""
        span = self.high / 2 - self.low / 2
        if not span:
            return 0.5 if math.isfinite(value) else math.nan
        return (value / 2 - self.low / 2) / span


def series_plot(name: str, series: Sequence[Series], limits: Interval) -> SeriesPlot:
    """The line of the last series against the first; of a single series, against the numbers of its rows."""
    columns = column_names(series)
    y = [float(value) for value in series[-1].data]
    x = [float(value) for value in series[0].data] if len(series) > 1 else _row_numbers(y)
    x_name = columns[0] if len(series) > 1 else "row"
    bounds = _near(limits, _Axis.around(y))
    x_axis, y_axis = _Axis.around(x), _Axis.around([*y, *bounds])
    points = [(x_axis.place(one), y_axis.place(other)) for one, other in zip(x, y, strict=False)]
    rows = list(zip_longest(*(one.data for one in series), fillvalue=None))
    return SeriesPlot(
        title=f"{name}: {columns[-1]} against {x_name}",
        width=_WIDTH,
        height=_HEIGHT,
        lines=[_points_text(piece) for piece in _pieces(thinned(points))],
        limits=[LimitLine(f"{_down(y_axis.place(bound)):.1f}", number_text(bound)) for bound in bounds],
        x_name=x_name,
        x_low=rounded_text(x_axis.low),
        x_high=rounded_text(x_axis.high),
        y_name=columns[-1],
        y_low=rounded_text(y_axis.low),
        y_high=rounded_text(y_axis.high),
        columns=columns,
        rows=[_cells(row) for row in rows[:_SHOWN_ROWS]],
        shown_text=_shown_text(len(rows)),
    )


def _row_numbers(values: Sequence[float]) -> list[float]:
    return [float(number) for number in range(1, len(values) + 1)]


def _cells(row: Sequence[float | None]) -> list[str]:
    return ["" if cell is None else number_text(cell) for cell in row]


def _shown_text(row_count: int) -> str:
    return f"First {_SHOWN_ROWS} of {row_count} rows" if row_count > _SHOWN_ROWS else f"All {row_count} rows"


_Point = tuple[float, float]


def column_names(series: Sequence[Series]) -> list[str]:
    """The name of each series, with its unit of measure."""
    return [_column_name(one, position) for position, one in enumerate(series, start=1)]


def _column_name(series: Series, position: int) -> str:
    name = series.name or f"column {position}"
    return f"{name} ({series.uom})" if series.uom else name


def _near(limits: Interval, data: _Axis) -> list[float]:
    """The limits that fit into the plot without flattening the line: no further away than the height of the data."""
    height = data.high / 2 - data.low / 2 or abs(data.high) / 2
    given = [float(limit) for limit in limits.bounds]
    return [limit for limit in given if data.low / 2 - height <= limit / 2 <= data.high / 2 + height]


def thinned(points: Sequence[_Point]) -> Sequence[_Point]:
    """At most 2000 points: the lowest and the highest of each stretch, so that every spike stays."""
    if len(points) <= _MAX_POINTS:
        return points
    stretch = math.ceil(len(points) * 2 / _MAX_POINTS)
    kept: list[_Point] = []
    for start in range(0, len(points), stretch):
        part = points[start : start + stretch]
        known = [position for position, point in enumerate(part) if math.isfinite(point[1])] or [0]
        ends = {min(known, key=lambda at: part[at][1]), max(known, key=lambda at: part[at][1])}
        kept += [part[position] for position in sorted(ends)]
    return kept


def _pieces(points: Sequence[_Point]) -> Iterator[list[_Point]]:
    """The unbroken stretches of points that can be drawn."""
    piece: list[_Point] = []
    for point in points:
        if math.isfinite(point[0]) and math.isfinite(point[1]):
            piece.append(point)
        elif piece:
            yield piece
            piece = []
    if piece:
        yield piece


def _points_text(piece: Sequence[_Point]) -> str:
    if len(piece) == 1:  # a browser draws no line of one point, so draw a short dash
        [(x, y)] = piece
        piece = [(x - _DASH, y), (x + _DASH, y)]
    return " ".join(f"{_across(x):.1f},{_down(y):.1f}" for x, y in piece)


def _across(place: float) -> float:
    return _MARGIN + place * (_WIDTH - 2 * _MARGIN)


def _down(place: float) -> float:
    return _HEIGHT - _MARGIN - place * (_HEIGHT - 2 * _MARGIN)
