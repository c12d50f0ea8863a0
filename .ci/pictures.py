"""Draws docs/analytics/pictures: one picture for the page of each question, from its answers about a demo line."""

import sys
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from msgspec.structs import replace

from runcard.analytics.statistics.ratios import Ratio
from runcard.auth.api_keys import new_api_key
from runcard.cli.demo_line.fill import build_floor, record_history
from runcard.cli.demo_line.history import DemoRun, demo_runs
from runcard.domain.runs.measurement import Measurement
from runcard.notebook import Notebook
from runcard.settings import Settings
from runcard.store.commit.writer import Writer
from runcard.store.engine.database import Database
from runcard.store.engine.migrate import migrate
from runcard.store.files.blobs import Blobs

PICTURES = Path(__file__).parents[1] / "docs" / "analytics" / "pictures"
_STYLE = Path(__file__).with_suffix(".mplstyle")

# Eight whole weeks.
_SEED, _RUNS, _DAYS = 1, 3000, 54
_NOW = datetime(2026, 4, 18, tzinfo=UTC)
_MODULE, _FINAL = "Module functional test", "Final assembly test"
# It drifts, with the load of the bench.
_BIAS = (_MODULE, "bias_current")

# Colours that people who are colour-blind tell apart (Okabe and Ito).
_BLUE, _ORANGE, _GREEN, _RED, _GREY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#999999"


def yields(nb: Notebook, figure: Figure) -> None:
    rows = nb.first_pass_yield(group_by="week").rows
    axes, names = figure.subplots(), _weeks([row.group.name for row in rows])
    axes.plot(names, [row.final.ratio for row in rows], color=_GREEN, marker="s", label="final yield")
    _ratios(axes, names, [row.first_pass for row in rows], "first-pass yield, 95 %")
    axes.set_xlabel("units by week of their first run")
    axes.legend(loc="lower left", ncols=2)


def rolled_yield(nb: Notebook, figure: Figure) -> None:
    parts = nb.rolled_yield().parts
    axes, names = figure.subplots(), [one.part.name for one in parts]
    for name, one in zip(names, parts, strict=True):
        assert one.low is not None
        assert one.high is not None
        axes.plot([one.low, one.high], [name, name], color=_BLUE, linewidth=2)
        axes.plot(one.rolled_yield, name, "o", color=_BLUE)
    axes.xaxis.set_major_formatter("{x:.0%}")
    axes.margins(y=0.3)
    axes.set_xlabel("rolled throughput yield of each part, with its 95 % interval")


def throughput(nb: Notebook, figure: Figure) -> None:
    rows = nb.throughput(group_by="day").rows
    axes, bottom = figure.subplots(), np.zeros(len(rows))
    days = [datetime.fromisoformat(str(row.group.key)) for row in rows]
    colours = {"PASS": _GREEN, "FAIL": _RED, "ERROR": _ORANGE, "TIMEOUT": _BLUE, "ABORTED": _GREY}
    for outcome, colour in colours.items():
        runs = [next(one.runs for one in row.outcomes if one.outcome == outcome) for row in rows]
        axes.bar(
            [f"{day:%d %b}" for day in days], runs, bottom=bottom, color=colour, label=outcome, width=0.85
        )
        bottom += np.array(runs)
    axes.set_xticks(range(0, len(rows), 7))
    axes.set_ylabel("runs a day")
    axes.set_ylim(top=1.2 * max(row.runs for row in rows))
    axes.legend(loc="upper left", ncols=5)


def utilisation(nb: Notebook, figure: Figure) -> None:
    axes = figure.subplots()
    shares: dict[str, dict[str, float]] = {}
    for number in range(0, _DAYS, 5):
        start = _NOW - timedelta(days=_DAYS - number)
        found = nb.utilisation(started_after=start, started_before=start + timedelta(days=5))
        for one in found.stations:
            shares.setdefault(str(one.station.name), {})[f"{start:%d %b}"] = one.utilisation or 0.0
    for place, ((name, told), colour) in enumerate(zip(shares.items(), (_BLUE, _ORANGE), strict=True)):
        axes.bar(np.arange(len(told)) + 0.38 * place, list(told.values()), 0.36, color=colour, label=name)
        axes.set_xticks(np.arange(len(told)) + 0.19, list(told))
    axes.yaxis.set_major_formatter("{x:.1%}")
    axes.set_ylabel("share of the time with a run")
    axes.set_xlabel("five days from")
    axes.set_ylim(top=axes.get_ylim()[1] * 1.15)
    axes.legend(loc="upper left", ncols=2)


def retests(nb: Notebook, figure: Figure) -> None:
    answer = nb.retest(group_by="week")
    left, right = figure.subplots(1, 2, width_ratios=(2, 1))
    names = _weeks([row.group.name for row in answer.rows])
    _ratios(left, names, [row.retested for row in answer.rows], "")
    left.set_title("units that were run again, 95 %")
    left.set_xlabel("week of the first run")
    places = sorted({str(one.first_station.name) for one in answer.moves})
    units = np.zeros((len(places), len(places)), int)
    for one in answer.moves:
        units[places.index(str(one.first_station.name)), places.index(str(one.passing_station.name))] = (
            one.units
        )
    right.imshow(units, cmap="Blues", vmin=0, vmax=1.6 * units.max())
    right.grid(visible=False)
    for (row, column), count in np.ndenumerate(units):
        right.text(column, row, str(count), ha="center", va="center")
    right.set_xticks(range(len(places)), places)
    right.set_yticks(range(len(places)), places)
    right.set_title("units that passed later")
    right.set_xlabel("passed at")
    right.set_ylabel("first run at")


def pareto(nb: Notebook, figure: Figure) -> None:
    rows = nb.pareto("measurements", top=12).rows
    axes, names = figure.subplots(), [str(row.measurement) for row in rows]
    axes.bar(names, [row.failures for row in rows], color=_BLUE)
    axes.set_xticks(range(len(rows)), names, rotation=40, ha="right", rotation_mode="anchor")
    axes.set_ylabel("failures")
    shares = axes.twinx()
    shares.plot(names, [row.cumulated_share for row in rows], color=_RED, marker="o", markersize=3)
    shares.set_ylim(0, 1.02)
    shares.yaxis.set_major_formatter("{x:.0%}")
    shares.set_ylabel("cumulated share", color=_RED)
    shares.grid(visible=False)


def durations(nb: Notebook, figure: Figure) -> None:
    rows = nb.durations(procedures=[_MODULE], group_by="week").rows
    phases = nb.phase_durations(procedures=[_MODULE]).phases
    left, right = figure.subplots(1, 2)
    names = _weeks([row.group.name for row in rows])
    for label, colour, values in (
        ("95 % quantile", _ORANGE, [row.figures.p95_s for row in rows]),
        ("median", _BLUE, [row.figures.median_s for row in rows]),
    ):
        left.plot(names, values, marker="o", color=colour, label=label)
    left.set_ylim(0, 300)
    left.set_xticks(names[::2])
    left.set_ylabel("seconds a run")
    left.set_xlabel("week")
    left.legend(loc="lower left")
    right.barh([one.phase for one in phases], [one.time_share or 0.0 for one in phases], color=_BLUE)
    right.invert_yaxis()
    right.xaxis.set_major_formatter("{x:.0%}")
    right.set_xlabel("share of the time of all phases")


def capability(nb: Notebook, figure: Figure) -> None:
    rows = nb.capability(*_BIAS, group_by="week", outcomes=["PASS"]).rows
    axes, places = figure.subplots(), np.arange(len(rows))
    for shift, label, colour, indices in (
        (-0.1, "Cpk, of the scatter within", _BLUE, [row.cpk for row in rows]),
        (0.1, "Ppk, of all scatter", _ORANGE, [row.ppk for row in rows]),
    ):
        values = np.array([(one.low, one.value, one.high) for one in indices], float)
        axes.vlines(places + shift, values[:, 0], values[:, 2], color=colour, linewidth=2)
        axes.plot(places + shift, values[:, 1], "o", color=colour, label=label)
    axes.axhline(1.33, color=_GREY, linestyle="--", linewidth=1)
    axes.text(len(rows) - 0.6, 1.35, "1.33", color="#555555", ha="right")
    axes.set_ylim(0, 1.2 * axes.get_ylim()[1])
    axes.set_xticks(places, _weeks([row.group.name for row in rows]))
    axes.set_xlabel(f"{_BIAS[1]} of runs that passed, by week")
    axes.legend(loc="upper right", ncols=2)


def control_chart(nb: Notebook, figure: Figure) -> None:
    answer = nb.control_chart(*_BIAS, last=100, outcomes=["PASS"])
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(2, 1))
    values = np.array([one.value for one in answer.points], float)
    spreads = np.array([one.spread for one in answer.points], float)
    [segment], [limits] = answer.segments, answer.segments[0].control
    beyond = [place for rule in answer.rules if rule.rule == "nelson_1" for place in rule.points]
    spread_beyond = list(answer.spreads_beyond)
    for axes, numbers, centre, bounds in (
        (upper, values, segment.centre, (limits.lower, limits.upper)),
        (lower, spreads, limits.spread_centre, (limits.spread_lower, limits.spread_upper)),
    ):
        assert centre is not None
        axes.plot(numbers, color=_BLUE, linewidth=0.8, marker="o", markersize=2)
        axes.axhline(centre, color=_GREEN, linewidth=1)
        for bound in bounds:
            assert bound is not None
            axes.axhline(bound, color=_RED, linewidth=1, linestyle="--")
    upper.plot(beyond, values[beyond], "o", color=_RED, markersize=5)
    lower.plot(spread_beyond, spreads[spread_beyond], "o", color=_RED, markersize=5)
    upper.set_ylabel(f"{_BIAS[1]}, {segment.spec.uom}")
    lower.set_ylabel("moving range")
    lower.set_xlabel(f"the last {answer.n} values of runs that passed, in order of time")


def histogram(nb: Notebook, figure: Figure) -> None:
    answer = nb.histogram(_FINAL, "output_level", group_by="station", bins=60)
    axes, [limits] = figure.subplots(), answer.limits
    for row, colour in zip(answer.rows, (_BLUE, _ORANGE), strict=True):
        axes.stairs(row.counts, answer.edges, fill=True, color=colour, alpha=0.7, label=row.group.name)
    axes.plot(
        [one.x for one in answer.curve], [one.y for one in answer.curve], color=_GREEN, label="normal, of all"
    )
    top = 1.15 * axes.get_ylim()[1]
    for bound, name, side in (
        (limits.spec.lower, "lower limit ", "right"),
        (limits.spec.upper, " upper limit", "left"),
    ):
        assert bound is not None
        axes.axvline(bound, color=_RED, linestyle="--", linewidth=1)
        axes.text(bound, top, name, color=_RED, va="top", ha=side)
    axes.set_ylim(0, top)
    axes.set_xlim(-0.8, 0.8)
    axes.set_xlabel(f"output_level, {limits.spec.uom}")
    axes.set_ylabel("values")
    axes.legend(loc="center right")


def compare(nb: Notebook, figure: Figure) -> None:
    answer = nb.compare(*_BIAS, group_by="batch", outcomes=["PASS"])
    axes = figure.subplots()
    for place, one in enumerate(answer.groups):
        if one.difference is None:
            continue
        colour = _RED if one.difference.p < 0.01 else _BLUE
        axes.vlines(place, one.difference.low, one.difference.high, color=colour, linewidth=2)
        axes.plot(place, one.difference.difference, "o", color=colour)
    axes.axhline(0, color=_GREY, linewidth=1)
    names = [str(one.group.name) for one in answer.groups]
    axes.set_xticks(range(len(names)), names, rotation=40, ha="right", rotation_mode="anchor")
    axes.set_ylabel(f"difference of {_BIAS[1]}, {answer.uom}")
    axes.set_xlabel("batch, against all others; red: p < 0.01")


def correlation(nb: Notebook, figure: Figure) -> None:
    answer = nb.correlation(_BIAS, (_MODULE, "thd"), outcomes=["PASS"])
    axes, found = figure.subplots(), answer.correlation
    assert found is not None
    # One in three shows as much as all.
    points = answer.points[::3]
    axes.plot([one.x for one in points], [one.y for one in points], ".", color=_BLUE, markersize=3)
    ends = np.array(axes.get_xlim())
    axes.plot(ends, found.intercept + found.slope * ends, color=_RED)
    axes.set_title(f"r = {found.pearson:.2f} ({found.low:.2f} to {found.high:.2f}), n = {answer.n}")
    axes.set_xlabel(f"{_BIAS[1]}, {answer.x_uom}")
    axes.set_ylabel(f"thd, {answer.y_uom}")


def outcome_disagreement(nb: Notebook, figure: Figure) -> None:
    rows = nb.outcome_disagreement().rows
    axes, names = figure.subplots(), [f"{row.name}\n{row.n} values" for row in rows]
    passed = [row.passed_outside for row in rows]
    axes.barh(names, passed, 0.6, color=_RED, label="passed outside of its limits")
    inside = [row.failed_inside for row in rows]
    axes.barh(names, inside, 0.6, left=passed, color=_ORANGE, label="failed inside of them")
    axes.invert_yaxis()
    axes.set_xlabel("values whose outcome contradicts their limits")
    axes.legend(loc="lower right")


# By the name of the page.
DRAWN: Mapping[str, Callable[[Notebook, Figure], None]] = {
    "capability": capability,
    "compare": compare,
    "control-chart": control_chart,
    "correlation": correlation,
    "durations": durations,
    "histogram": histogram,
    "outcome-disagreement": outcome_disagreement,
    "pareto": pareto,
    "retest": retests,
    "rolled-yield": rolled_yield,
    "throughput": throughput,
    "utilisation": utilisation,
    "first-pass-yield": yields,
}


def _ratios(axes: Axes, names: list[str], ratios: list[Ratio], label: str) -> None:
    values = np.array([(one.low, one.ratio, one.high) for one in ratios], float)
    axes.vlines(names, values[:, 0], values[:, 2], color=_BLUE, linewidth=2)
    axes.plot(names, values[:, 1], "o-", color=_BLUE, linewidth=0.8, label=label)
    axes.yaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    axes.yaxis.set_major_formatter("{x:.0%}")


def _weeks(names: list[str | None]) -> list[str]:
    return [str(name).partition("-")[2] for name in names]


def _with_careless_stations() -> Iterator[DemoRun]:
    """The history of the demo, but in its second half the cells judge some values by limits of their own."""
    for number, run in enumerate(demo_runs(_SEED, _RUNS, _DAYS, _NOW)):
        phases = run.report.phases
        if number > _RUNS // 2:
            phases = tuple(
                replace(one, measurements=tuple(_claimed(run.station, m) for m in one.measurements))
                for one in phases
            )
        yield run._replace(report=replace(run.report, phases=phases))


def _claimed(station: str, measured: Measurement) -> Measurement:
    match station, measured:
        case "Cell 2", Measurement(name="output_level", outcome="FAIL", value=float(value)) if value > -0.4:
            return replace(measured, outcome="PASS")
        case "Cell 1", Measurement(name="heatsink_temperature", outcome="PASS", value=float(value)) if (
            value > 58
        ):
            return replace(measured, outcome="FAIL")
        case "Cell 1", Measurement(name="bandwidth", outcome="FAIL"):
            return replace(measured, outcome="PASS")
        case _:
            return measured


def _record(folder: Path) -> None:
    database = Database.open(None, Settings(data_dir=folder).sqlite_path)
    migrate(database)
    writer = Writer(database)
    floor = writer.write_shared(lambda shared: build_floor(shared, "no password", new_api_key(), {}))
    blobs = Blobs.open(None, None, folder / "attachments")
    record_history(writer, blobs, floor, _with_careless_stations(), lambda _: None)
    writer.close()
    database.close()


def main(folder: Path) -> None:
    """Draw every picture."""
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as data, mpl.rc_context(fname=_STYLE):
        _record(Path(data))
        with Notebook(data, cache_dir=Path(data) / "cache") as nb:
            for name, draw in DRAWN.items():
                figure = Figure(layout="constrained")
                draw(nb, figure)
                figure.savefig(folder / f"{name}.svg", metadata={"Date": None}, facecolor="white")
    print(f"{len(DRAWN)} pictures in {folder}", file=sys.stderr)


if __name__ == "__main__":
    main(PICTURES)
