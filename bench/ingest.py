"""How many runs a second the server records, compared with itself without a store and with hand-made ways.

    python bench/ingest.py --json

See README.md in this folder for the cases and for how to read the numbers.
"""

import gc
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Annotated, NamedTuple

import msgspec
import typer
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parents[1]))  # so that this file can be run by its path

from bench.bodies import make_templates
from bench.failure import BenchFailed
from bench.load import Load, drive
from bench.progress import progress_bar
from bench.targets import CASES, Case, Target, running

_DEFAULT_CASES = "no_store,sqlite,postgresql,hand_made,hand_made_copy"
# Before each measurement, so that connections, caches and statements are warm.
_WARM_UP_RATIO = 0.2


class Sample(NamedTuple):
    """A measurement. load: without the warm-up. answered, recorded, grown_bytes: of the load and its warm-up."""

    load: Load
    answered: int
    recorded: int
    grown_bytes: int


class Line(msgspec.Struct):
    """A case at a number of connections: medians of the repeats, and sums of answers and recorded runs."""

    case: str
    connections: int
    runs_per_s: float
    p50_ms: float
    p99_ms: float
    ratio_to_no_store: float | None
    bytes_per_run: int | None
    answered: int
    recorded: int


Samples = dict[tuple[str, int], list[Sample]]


def measure(target: Target, connections: int, seconds: float) -> Sample:
    """Load a server, then compare its answers with its database. Raises BenchFailed if they differ.

    Afterwards the server is at rest: its columnar copy has taken in what was recorded.
    """
    records = target.records
    runs, size_bytes = records.count(), records.settled_bytes()
    warm_up = drive(target.port, connections, seconds * _WARM_UP_RATIO, target.requests)
    load = drive(target.port, connections, seconds, target.requests)
    answered = warm_up.answered + load.answered
    refused = warm_up.refused + load.refused
    where = f"{target.case.name} at {connections} connections"
    if refused or not load.answered:
        raise BenchFailed(f"{where}: {refused} requests were not answered with 200\n{target.log_tail()}")
    target.serving.wait_until_it_rests()
    recorded = records.count() - runs
    if recorded != (answered if target.case.stores else 0):
        raise BenchFailed(f"{where}: {answered} answers, but {recorded} runs recorded\n{target.log_tail()}")
    return Sample(load, answered, recorded, records.settled_bytes() - size_bytes)


def measure_all(
    targets: Sequence[Target],
    connections: Sequence[int],
    seconds: float,
    repeats: int,
    tick: Callable[[str], None],
) -> Samples:
    """Samples by case and connections. The cases take turns, so that noise hits all alike."""
    samples: Samples = {}
    for _ in range(repeats):
        for count in connections:
            for target in targets:
                tick(f"{target.case.name}, {count} connections")
                samples.setdefault((target.case.name, count), []).append(measure(target, count, seconds))
    return samples


def summarize(samples: Samples) -> list[Line]:
    return [
        _line(CASES[name], connections, taken, samples.get(("no_store", connections)))
        for (name, connections), taken in sorted(samples.items(), key=lambda item: _rank(*item[0]))
    ]


def _rank(name: str, connections: int) -> tuple[int, int]:
    return list(CASES).index(name), connections


def _line(case: Case, connections: int, samples: list[Sample], no_store: list[Sample] | None) -> Line:
    ratio: float | None = None
    if no_store is not None:
        pairs = zip(samples, no_store, strict=True)
        ratio = round(median(mine.load.per_s / theirs.load.per_s for mine, theirs in pairs), 3)
    recorded = sum(sample.recorded for sample in samples)
    return Line(
        case=case.name,
        connections=connections,
        runs_per_s=round(median(sample.load.per_s for sample in samples), 1),
        p50_ms=round(median(sample.load.percentile_ms(0.50) for sample in samples), 2),
        p99_ms=round(median(sample.load.percentile_ms(0.99) for sample in samples), 2),
        ratio_to_no_store=ratio,
        bytes_per_run=round(sum(sample.grown_bytes for sample in samples) / recorded) if recorded else None,
        answered=sum(sample.answered for sample in samples),
        recorded=recorded,
    )


def _table(lines: list[Line]) -> Table:
    table = Table(title="10 phases, 50 measurements, 50 logs a run")
    table.add_column("case")
    for heading in ("connections", "runs/s", "p50 ms", "p99 ms", "to no_store", "bytes/run"):
        table.add_column(heading, justify="right")
    for line in lines:
        table.add_row(
            line.case,
            str(line.connections),
            f"{line.runs_per_s:,.0f}",
            f"{line.p50_ms:.1f}",
            f"{line.p99_ms:.1f}",
            "" if line.ratio_to_no_store is None else f"{line.ratio_to_no_store:.2f}",
            "" if line.bytes_per_run is None else f"{line.bytes_per_run:,}",
            end_section=line.connections == lines[-1].connections,
        )
    return table


def _cases(text: str) -> list[Case]:
    names = [name.strip() for name in text.split(",")]
    unknown = [name for name in names if name not in CASES]
    if unknown:
        raise typer.BadParameter(f"{', '.join(unknown)}: no such case; use one of {', '.join(CASES)}")
    return [CASES[name] for name in names]


def _connections(text: str) -> list[int]:
    try:
        counts = [int(number) for number in text.split(",")]
    except ValueError as error:
        raise typer.BadParameter(f"{text!r}: give whole numbers, such as 1,8,32,64") from error
    if min(counts) < 1:
        raise typer.BadParameter("give at least one connection")
    return counts


def main(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON line for each case and number.")] = False,
    seconds: Annotated[float, typer.Option(min=0.05, help="How long each measurement takes.")] = 3.0,
    connections: Annotated[str, typer.Option(help="Numbers of connections, by comma.")] = "1,8,32,64",
    cases: Annotated[str, typer.Option(help=f"Of {', '.join(CASES)}.")] = _DEFAULT_CASES,
    repeat: Annotated[int, typer.Option(min=1, help="Times around; the medians are printed.")] = 3,
    bodies: Annotated[int, typer.Option(min=1, help="Different bodies to go round.")] = 4000,
) -> None:
    """Measure how fast runs are recorded. Each must be answered with 200 and then be in the database."""
    chosen, counts = _cases(cases), _connections(connections)
    bar = progress_bar(is_hidden=as_json)
    try:
        with TemporaryDirectory(prefix="runcard-bench-") as directory, bar:
            task = bar.add_task("starting", total=repeat * len(counts) * len(chosen))
            bar.refresh()

            def tick(what: str) -> None:
                bar.update(task, description=what, refresh=True)
                bar.advance(task)

            templates = make_templates(bodies)
            with running(chosen, templates, Path(directory)) as targets:
                gc.freeze()  # otherwise the collector shows in the latencies
                lines = summarize(measure_all(targets, counts, seconds, repeat, tick))
            for target in targets:
                if log := target.log_tail():
                    print(f"The server of {target.case.name} wrote:\n{log}", file=sys.stderr)
    except BenchFailed as error:
        print(f"Failed. {error}", file=sys.stderr)
        raise typer.Exit(1) from error
    if as_json:
        for line in lines:
            print(msgspec.json.encode(line).decode())
    else:
        Console().print(_table(lines))


if __name__ == "__main__":
    typer.run(main)
