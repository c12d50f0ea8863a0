"""The table of a procedure's measurements: how often they fail, how they fit their limits, and a small histogram."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from runcard.analytics.questions.values.capabilities import SummaryRow
from runcard.analytics.questions.values.small_histograms import SmallHistogram
from runcard.exports.spreadsheets import Cell, SheetColumn
from runcard.web.frame.formats import count_text, figure_text, index_text, mean_text
from runcard.web.lists.headings import Direction, SortColumn
from runcard.web.measurements.rows import limits_text

Sort = Literal["name", "phase", "n", "failed", "mean", "s", "cp", "cpk", "pp", "ppk"]

COLUMNS = [
    SortColumn("Measurement", "name"),
    SortColumn("Phase", "phase"),
    SortColumn("n", "n", is_number=True),
    SortColumn("Failed", "failed", is_number=True),
    SortColumn("Mean", "mean", is_number=True),
    SortColumn("s", "s", is_number=True),
    SortColumn("Cp", "cp", is_number=True),
    SortColumn("Cpk", "cpk", is_number=True),
    SortColumn("Pp", "pp", is_number=True),
    SortColumn("Ppk", "ppk", is_number=True),
    SortColumn("Limits"),
    SortColumn("Values"),
]
CAPABILITY_SHEET = [
    SheetColumn("Measurement"),
    SheetColumn("Phase"),
    SheetColumn("n", "number"),
    SheetColumn("Failed", "number"),
    SheetColumn("Mean", "number"),
    SheetColumn("s", "number"),
    SheetColumn("Unit of measure"),
    SheetColumn("Cp", "number"),
    SheetColumn("Cpk", "number"),
    SheetColumn("Pp", "number"),
    SheetColumn("Ppk", "number"),
    SheetColumn("Limits"),
    SheetColumn("Lower limit", "number"),
    SheetColumn("Upper limit", "number"),
]
_WIDTH, _HEIGHT = 120, 28
# A process below this Ppk counts as incapable, whatever the line's own target.
_CAPABLE = 1.0


class HistogramBar(NamedTuple):
    x: float
    y: float
    width: float
    height: float


class Picture(NamedTuple):
    """limits: their places, from the left."""

    width: int
    height: int
    bars: Sequence[HistogramBar]
    limits: Sequence[float]
    label: str


class TableLine(NamedTuple):
    """is_poor: its Ppk is below 1."""

    url: str
    name: str
    phase: str
    limits: str
    n: str
    failed: str
    mean: str
    sigma: str
    cp: str
    cpk: str
    pp: str
    ppk: str
    is_poor: bool
    picture: Picture


def sorted_rows(rows: Sequence[SummaryRow], sort: Sort, order: Direction) -> Sequence[SummaryRow]:
    """The rows in the order of a column. Rows without a value there come last in both orders."""
    known = [(value, row) for row in rows if (value := _value(row, sort)) is not None]
    known.sort(key=lambda pair: pair[0], reverse=order == "desc")
    return [row for _, row in known] + [row for row in rows if _value(row, sort) is None]


def table_line(row: SummaryRow, histogram: SmallHistogram, url: str) -> TableLine:
    spec = row.spec
    return TableLine(
        url=url,
        name=spec.name,
        phase=spec.phase,
        limits=limits_text(spec.limits),
        n=count_text(row.n),
        failed=count_text(row.failed),
        mean=mean_text(row.mean, row.sigma_overall, spec.uom),
        sigma=figure_text(row.sigma_overall),
        cp=index_text(row.cp),
        cpk=index_text(row.cpk),
        pp=index_text(row.pp),
        ppk=index_text(row.ppk),
        is_poor=row.ppk is not None and row.ppk < _CAPABLE,
        picture=picture_of(histogram, spec.limits.bounds),
    )


def capability_cells(row: SummaryRow) -> Sequence[Cell]:
    """A row below `CAPABILITY_SHEET`, its figures with all their digits."""
    spec = row.spec
    return [
        spec.name,
        spec.phase,
        row.n,
        row.failed,
        row.mean,
        row.sigma_overall,
        spec.uom,
        row.cp,
        row.cpk,
        row.pp,
        row.ppk,
        limits_text(spec.limits),
        spec.lower,
        spec.upper,
    ]


def picture_of(histogram: SmallHistogram, limits: Sequence[float]) -> Picture:
    """Bars as high as their counts, and the limits that lie among them."""
    highest, count = max(histogram.counts, default=0), len(histogram.counts)
    width = _WIDTH / count
    bars = [
        HistogramBar(
            round(place * width, 2), round(_HEIGHT - height, 2), round(width * 0.9, 2), round(height, 2)
        )
        for place, some in enumerate(histogram.counts)
        if some
        # Every value can be seen, however rare it is.
        for height in [max(_HEIGHT * some / highest, 1.5)]
    ]
    span = histogram.high - histogram.low
    places = [(one - histogram.low) / span for one in limits] if span else []
    return Picture(
        _WIDTH,
        _HEIGHT,
        bars,
        [round(_WIDTH * one, 2) for one in places if 0 <= one <= 1],
        f"Values from {figure_text(histogram.low)} to {figure_text(histogram.high)}",
    )


def _value(row: SummaryRow, sort: Sort) -> float | str | None:
    match sort:
        case "name" | "phase":
            text: str = getattr(row.spec, sort)
            return text.casefold()
        case "s":
            return row.sigma_overall
        case _:
            figure: float | None = getattr(row, sort)
            return figure
