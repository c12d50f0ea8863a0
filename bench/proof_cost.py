"""What proof takes from stations: one server that hashes what they report and does not, in many short turns.

    python bench/proof_cost.py --json

See README.md in this folder for how to read the numbers.
"""

import gc
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import mean, median, quantiles
from tempfile import TemporaryDirectory
from typing import Annotated, NamedTuple

import msgspec
import typer
from rich.console import Console
from rich.progress import track

sys.path.insert(0, str(Path(__file__).parents[1]))  # so that this file can be run by its path

from bench.bodies import make_templates
from bench.failure import BenchFailed
from bench.load import drive
from bench.one_line import print_line
from bench.proof_switch import switch_of
from bench.targets import CASES, Target, running

_BODIES = 4000
# With, without, without, with: so that a machine that slows down slows both alike.
_ORDER = (True, False, False, True)


class Turn(NamedTuple):
    """server_us: processor time of the server, with all its processes, for a run."""

    per_s: float
    server_us: float


class Line(msgspec.Struct):
    """Medians of the rounds. ratio: of runs a second with hashing to those without. low, high: its quartiles.

    with_us, without_us: processor time of the server for a run. more_us, error_us: the median of the differences of
    rounds, and half of its interval of 95 %; surer than the ratio on a machine that does other things too.
    """

    rounds: int
    with_per_s: float
    without_per_s: float
    ratio: float
    low: float
    high: float
    with_us: float
    without_us: float
    more_us: float
    error_us: float
    recorded: int


def main(
    rounds: Annotated[int, typer.Option(help="Of four turns each.", min=2)] = 60,
    seconds: Annotated[float, typer.Option(help="How long a turn takes.", min=0.05)] = 0.5,
    connections: Annotated[int, typer.Option(help="How many stations report at once.", min=1)] = 32,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON line.")] = False,
) -> None:
    """Measure on SQLite how many runs a second are recorded with hashing and without it."""
    templates = make_templates(_BODIES)
    with (
        TemporaryDirectory(prefix="runcard-bench-") as folder,
        running([CASES["sqlite_proof_switch"]], templates, Path(folder)) as [target],
    ):
        gc.freeze()  # otherwise the collector shows
        turns = [
            _turns(target, connections, seconds)
            for _ in track(range(rounds), "measuring", console=Console(stderr=True), disable=as_json)
        ]
        line = _line(turns, target.records.count())
    print_line(line, as_json=as_json, digits=3)


def _turns(target: Target, connections: int, seconds: float) -> tuple[Turn, Turn]:
    """A round: the means with hashing, and those without. Raises BenchFailed if a run is refused."""
    switch = switch_of(target.data_dir)
    turns: dict[bool, list[Turn]] = {True: [], False: []}
    for is_on in _ORDER:
        switch.turn(on=is_on)
        used_s = target.serving.used_s()
        load = drive(target.port, connections, seconds, target.requests)
        if load.refused or not load.answered:
            raise BenchFailed(f"{load.refused} requests were not answered with 200\n{target.log_tail()}")
        turns[is_on].append(Turn(load.per_s, (target.serving.used_s() - used_s) / load.answered * 1e6))
    return _mean(turns[True]), _mean(turns[False])


def _mean(turns: Sequence[Turn]) -> Turn:
    return Turn(mean(turn.per_s for turn in turns), mean(turn.server_us for turn in turns))


def _line(rounds: Sequence[tuple[Turn, Turn]], recorded: int) -> Line:
    hashing, plain = zip(*rounds, strict=True)
    least_us, more_us, most_us = quantiles((one.server_us - other.server_us for one, other in rounds), n=4)
    low, middle, high = quantiles((one.per_s / other.per_s for one, other in rounds), n=4)
    return Line(
        rounds=len(rounds),
        with_per_s=round(median(turn.per_s for turn in hashing), 1),
        without_per_s=round(median(turn.per_s for turn in plain), 1),
        ratio=round(middle, 3),
        low=round(low, 3),
        high=round(high, 3),
        with_us=round(median(turn.server_us for turn in hashing), 1),
        without_us=round(median(turn.server_us for turn in plain), 1),
        more_us=round(more_us, 1),
        # McGill, Tukey and Larsen, Variations of box plots (1978).
        error_us=round(1.57 * (most_us - least_us) / len(rounds) ** 0.5, 1),
        recorded=recorded,
    )


if __name__ == "__main__":
    typer.run(main)
