"""The overview for a screen on the wall: slides of the floor and of its procedures, one after another."""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import NamedTuple
from uuid import UUID

from runcard.store.procedures.rows import get_procedure
from runcard.web.charts.chart import Chart, RatioPoint, ratio_bars, ratio_trend
from runcard.web.charts.counts import outcome_stack
from runcard.web.charts.first_pass_yield import yield_tiles
from runcard.web.charts.tiles import Tile
from runcard.web.floor.glance import SHOWN_STATIONS, Floor, LatestFailure, StationGlance, Stations, WorstLine
from runcard.web.frame.formats import Moment, count_text, moment_of
from runcard.web.lists.filters import FigureQuery, url_of
from runcard.web.lists.period import step_of

SECONDS = 20
# Slides of procedures, for those with the most runs: a round should take minutes, not hours.
_MOST_PROCEDURES = 8
# As many names below each other as can be read from afar.
_MOST_BARS = 16
_STATIONS_A_LIST = 12
_STATIONS = 3 * _STATIONS_A_LIST


class KioskPage(NamedTuple):
    """One slide. next_url: the slide to show after `seconds`. place: its number and how many there are, as "2 of 5".

    stations: for the slide of what needs a look. silent: for a slide of silent stations alone, in lists side by side.
    """

    organization: str
    title: str
    place: str
    next_url: str
    seconds: int
    at: Moment
    tiles: Sequence[Tile] = ()
    charts: Sequence[Chart] = ()
    failures: Sequence[LatestFailure] = ()
    stations: Stations | None = None
    silent: Sequence[Sequence[StationGlance]] = ()
    worst: Sequence[WorstLine] = ()
    voided: int = 0


def kiosk_page(floor: Floor, query: FigureQuery, number: int, now: datetime) -> KioskPage:
    """The slide with this number, counted from 1. A number beyond the last slide gives the first."""
    procedures, stations = list(floor.procedures())[:_MOST_PROCEDURES], floor.stations(now)
    parts = _in_parts(stations.silent, _STATIONS) if len(stations.silent) > SHOWN_STATIONS else []
    slides: list[Callable[[KioskPage], KioskPage]] = [
        lambda page: _floor_slide(page, floor, query, now),
        lambda page: page._replace(
            title="What needs a look",
            failures=floor.failures(),
            stations=stations,
            worst=floor.worst(query),
        ),
        *(partial(_stations_slide, silent=one) for one in parts),
    ]
    if len(procedures) > 1:
        slides += [
            partial(_procedure_slide, floor=floor, query=query, procedure_id=one) for one in procedures
        ]
    at = number if number <= len(slides) else 1
    page = KioskPage(
        organization=floor.visit.organization_name,
        title="",
        place=f"{at} of {len(slides)}",
        next_url=url_of("/", query, kiosk=at % len(slides) + 1),
        seconds=SECONDS,
        at=moment_of(now, floor.visit.zone),
    )
    return slides[at - 1](page)._replace(voided=floor.snapshot.voided)


def _in_parts(lines: Sequence[StationGlance], size: int) -> Sequence[Sequence[StationGlance]]:
    return [lines[start : start + size] for start in range(0, len(lines), size)]


def _stations_slide(page: KioskPage, silent: Sequence[StationGlance]) -> KioskPage:
    return page._replace(title="Silent stations", silent=_in_parts(silent, _STATIONS_A_LIST))


def _floor_slide(page: KioskPage, floor: Floor, query: FigureQuery, now: datetime) -> KioskPage:
    step = step_of(query)
    over_time, by_procedure, runs = floor.yields(step), floor.yields("procedure"), floor.throughput(step)
    return page._replace(
        title="The floor",
        tiles=[
            *yield_tiles(over_time.total),
            Tile("Runs today", count_text(floor.runs_today(now))),
            Tile("Runs in the period", count_text(runs.total.runs)),
        ],
        charts=[
            ratio_trend(
                "trend",
                "First-pass yield",
                [RatioPoint(row.group, row.first_pass) for row in over_time.rows],
                step,
            ),
            outcome_stack(runs.rows, step),
            ratio_bars(
                "procedures",
                "First-pass yield by procedure",
                [RatioPoint(row.group, row.first_pass) for row in by_procedure.rows],
                most=_MOST_BARS,
            ),
        ],
    )


def _procedure_slide(page: KioskPage, floor: Floor, query: FigureQuery, procedure_id: UUID) -> KioskPage:
    here, step = floor.of_procedure(procedure_id), step_of(query)
    over_time, runs = here.yields(step), here.throughput(step)
    return page._replace(
        title=get_procedure(floor.snapshot.scope, str(procedure_id)).name,
        tiles=[
            *yield_tiles(over_time.total),
            Tile("Runs", count_text(runs.total.runs)),
        ],
        charts=[
            ratio_trend(
                "trend",
                "First-pass yield",
                [RatioPoint(row.group, row.first_pass) for row in over_time.rows],
                step,
            ),
            outcome_stack(runs.rows, step),
        ],
        worst=here.worst(query),
    )
