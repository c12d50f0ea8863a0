"""The yields on the pages of parts, revisions and batches: a row of figures, and bars side by side."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from runcard.analytics.groups import Group, GroupBy
from runcard.analytics.questions.yields.first_pass_yield import YieldRow, first_pass_yield
from runcard.analytics.snapshot import Selection, Snapshot
from runcard.domain.errors import FiguresUnavailable, InvalidInput
from runcard.store.lists.run_filter import RunFilter
from runcard.web.charts.chart import CONFIDENCE, MOST_ROWS, Chart, RatioPoint, ratio_bars
from runcard.web.charts.tiles import Tile
from runcard.web.frame.formats import count_text, percent_text
from runcard.web.frame.urls import batch_url, part_url, procedure_url
from runcard.web.frame.visit import Visit
from runcard.web.lists.page_runs import PageRuns


class Yields(NamedTuple):
    """total: None if the yields cannot be told; `problem` then says why."""

    total: YieldRow | None
    rows: Sequence[YieldRow]
    problem: str = ""


class YieldCell(NamedTuple):
    """A yield in a list: 97.4 %, of 1 200. The share is empty if nothing was tested."""

    share: str
    units: str


class YieldQuestions(PageRuns):
    """The yields of a selection of runs. If this server has no figures, a page shows the reason instead of failing."""

    def yields(self, group_by: GroupBy | None) -> Yields:
        try:
            answer = first_pass_yield(self.snapshot, self.selection, self.visit.zone, group_by)
        except FiguresUnavailable as error:
            return Yields(None, (), str(error))
        except InvalidInput as error:
            return Yields(None, (), "; ".join(issue.message for issue in error.issues))
        return Yields(answer.total, answer.rows)

    def bars(
        self, chart_id: str, title: str, group_by: GroupBy, url_of_group: Callable[[Group], str]
    ) -> Chart:
        """A chart of yields by group; if there are very many groups, those with the most units."""
        yields = self.yields(group_by)
        return _bars(chart_id, title, yields, url_of_group)

    def tiles(self) -> Sequence[Tile]:
        """The yields of all these runs."""
        total, _, problem = self.yields(None)
        return [Tile("First-pass yield", "–", problem)] if total is None else yield_tiles(total)


def yield_tiles(total: YieldRow) -> Sequence[Tile]:
    first = total.first_pass
    interval = f"{CONFIDENCE}: {percent_text(first.low)} – {percent_text(first.high)}" if total.units else ""
    return [
        Tile(
            "First-pass yield", percent_text(first.ratio) or "–", f"first run passed; {interval}".rstrip("; ")
        ),
        Tile("Final yield", percent_text(total.final.ratio) or "–", "last run passed"),
        Tile("First runs", count_text(total.units), "of each unit on each procedure"),
    ]


def yield_cells(
    snapshot: Snapshot, visit: Visit, runs: RunFilter, group_by: GroupBy
) -> Mapping[UUID, YieldCell]:
    """The first-pass yields of a list of records over all time, by their ids."""
    return {
        key: YieldCell(percent_text(row.first_pass.ratio), count_text(row.units))
        for key, row in yield_rows(snapshot, visit, runs, group_by).items()
    }


def yield_rows(
    snapshot: Snapshot, visit: Visit, runs: RunFilter, group_by: GroupBy
) -> Mapping[UUID, YieldRow]:
    """The yields that `yield_cells` writes, by the ids of their records; empty if this server has no figures."""
    yields = YieldQuestions(snapshot, visit, Selection(runs)).yields(group_by)
    return {UUID(row.group.key): row for row in yields.rows if row.group.key is not None}


def url_of_part(group: Group) -> str:
    """The address of the part that a group is about; empty for the group without a part."""
    return part_url(group.name) if group.name else ""


def url_of_batch(group: Group) -> str:
    """The address of the batch that a group is about; empty for the group without a batch."""
    return batch_url(group.name) if group.name else ""


def url_of_procedure(group: Group) -> str:
    """The address of the procedure that a group is about; empty for the group without a procedure."""
    return procedure_url(UUID(group.key)) if group.key else ""


def _bars(chart_id: str, title: str, yields: Yields, url_of_group: Callable[[Group], str]) -> Chart:
    rows = yields.rows
    if len(rows) > MOST_ROWS:
        enough = sorted((row.units for row in rows), reverse=True)[MOST_ROWS - 1]
        rows = [row for row in rows if row.units >= enough][:MOST_ROWS]
    note = (
        ""
        if len(rows) == len(yields.rows)
        else f"{MOST_ROWS} of {count_text(len(yields.rows))}, with the most units"
    )
    points = [RatioPoint(row.group, row.first_pass, url_of_group(row.group)) for row in rows]
    chart = ratio_bars(chart_id, title, points, note)
    return chart._replace(empty=yields.problem) if yields.problem else chart
