"""What a run costs with more server processes, and with more runs in the record.

    python bench/scale.py --json

See README.md in this folder for how to read the numbers.
"""

import gc
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Annotated, NamedTuple

import msgspec
import psutil
import typer
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parents[1]))  # so that this file can be run by its path

from bench.bodies import make_templates
from bench.failure import BenchFailed
from bench.load import drive
from bench.progress import progress_bar
from bench.records import RuncardRecords
from bench.targets import Case, Place, Target, postmaster, prepared, running, serving

_BODIES = 4000
_WARM_UP_RATIO = 0.2
_SIZES = "10000,1000000"


class Line(msgspec.Struct):
    """Medians of the repeats. records: runs in the record when the measurement began; None: few.

    *_us: processor time for a run, of the servers, the processes that record, PostgreSQL, and the load generator.
    """

    case: str
    hosts: int
    records: int | None
    runs_per_s: float
    p50_ms: float
    p99_ms: float
    servers_us: float
    recording_us: float
    postgresql_us: float
    stations_us: float


class _Sample(NamedTuple):
    """us: processor time for a run, by part."""

    per_s: float
    p50_ms: float
    p99_ms: float
    us: Mapping[str, float]


def _processor_s(target: Target) -> Mapping[str, float]:
    """The processor time that each part has used so far."""
    servers = target.serving.processes
    recording = [child for server in servers for child in server.children()]
    found = {"servers": servers, "recording": recording, "stations": [psutil.Process()], "postgresql": []}
    if target.case.on_postgresql:
        head = postmaster(target.data_dir.parent)
        # Of a backend that has ended, the postmaster has the time.
        found["postgresql"] = [head, *head.children()]
    used = {part: sum(_used_s(process) for process in processes) for part, processes in found.items()}
    if target.case.on_postgresql:
        ended = found["postgresql"][0].cpu_times()
        used["postgresql"] += ended.children_user + ended.children_system
    return used


def _used_s(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system)


def _measure(target: Target, connections: int, seconds: float) -> _Sample:
    """Load a server. Raises BenchFailed if a run is refused or is not in the record afterwards."""
    before = target.records.count()
    warm_up = drive(target.port, connections, seconds * _WARM_UP_RATIO, target.requests)
    used = _processor_s(target)
    load = drive(target.port, connections, seconds, target.requests)
    us = {part: (now - used[part]) / load.answered * 1e6 for part, now in _processor_s(target).items()}
    answered = warm_up.answered + load.answered
    recorded = target.records.count() - before
    if warm_up.refused or load.refused or recorded != answered:
        raise BenchFailed(f"{answered} answers, but {recorded} runs recorded\n{target.log_tail()}")
    return _Sample(load.per_s, load.percentile_ms(0.50), load.percentile_ms(0.99), us)


def _line(target: Target, records: int | None, samples: Sequence[_Sample]) -> Line:
    us = {part: round(median(sample.us[part] for sample in samples), 1) for part in samples[0].us}
    return Line(
        case=target.case.name,
        hosts=target.case.processes,
        records=records,
        runs_per_s=round(median(sample.per_s for sample in samples), 1),
        p50_ms=round(median(sample.p50_ms for sample in samples), 2),
        p99_ms=round(median(sample.p99_ms for sample in samples), 2),
        servers_us=us["servers"],
        recording_us=us["recording"],
        postgresql_us=us["postgresql"],
        stations_us=us["stations"],
    )


class _Load(NamedTuple):
    """How each measurement is made."""

    connections: int
    seconds: float
    repeat: int


def with_hosts(load: _Load, hosts: Sequence[int], tell: Callable[[str], None]) -> list[Line]:
    """SQLite with one server, and PostgreSQL with each of these numbers, in turn."""
    cases = [Case("sqlite", "runcard", on_postgresql=False)]
    cases += [Case(f"postgresql_{n}", "runcard", on_postgresql=True, processes=n) for n in hosts]
    with (
        TemporaryDirectory(prefix="runcard-bench-") as folder,
        running(cases, make_templates(_BODIES), Path(folder)) as targets,
    ):
        samples: dict[str, list[_Sample]] = {case.name: [] for case in cases}
        gc.freeze()  # otherwise the collector shows in the latencies
        for _ in range(load.repeat):
            for target in targets:
                tell(f"{target.case.name}")
                samples[target.case.name].append(_measure(target, load.connections, load.seconds))
                target.serving.wait_until_it_rests()
        return [_line(target, None, samples[target.case.name]) for target in targets]


def with_records(load: _Load, sizes: Sequence[int], tell: Callable[[str], None]) -> Iterator[Line]:
    """Each engine with this many runs in the record. Without the columnar copy, which would follow for hours."""
    cases = [
        Case("sqlite", "no_copy", on_postgresql=False),
        Case("postgresql", "no_copy", on_postgresql=True),
    ]
    with (
        TemporaryDirectory(prefix="runcard-bench-") as folder,
        prepared(cases, make_templates(_BODIES), Path(folder)) as places,
    ):
        for size in sizes:
            for place in places:
                tell(f"{place.case.name}, {size:,} runs")
                yield _with_size(place, size, load)


def _with_size(place: Place, size: int, load: _Load) -> Line:
    records = place.records
    assert isinstance(records, RuncardRecords)
    records.fill(size - records.count())
    records.settled_bytes()
    with serving(place) as target:
        target.serving.wait_until_it_rests()
        samples = [_measure(target, load.connections, load.seconds) for _ in range(load.repeat)]
        return _line(target, size, samples)


@contextmanager
def _progress(total: int, *, is_hidden: bool) -> Iterator[Callable[[str], None]]:
    with progress_bar(is_hidden=is_hidden) as bar:
        task = bar.add_task("starting", total=total)

        def tell(what: str) -> None:
            bar.update(task, description=what, advance=1, refresh=True)

        yield tell


def _numbers(text: str) -> list[int]:
    try:
        return sorted(int(number) for number in text.split(",") if number)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r}: give whole numbers, such as 10000,1000000") from error


def main(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON line for each case.")] = False,
    seconds: Annotated[float, typer.Option(min=0.05, help="How long each measurement takes.")] = 3.0,
    connections: Annotated[int, typer.Option(min=1, help="How many stations report at once.")] = 32,
    repeat: Annotated[int, typer.Option(min=1, help="Times around; the medians are printed.")] = 5,
    hosts: Annotated[str, typer.Option(help="Numbers of servers, by comma.")] = "1,2,4",
    sizes: Annotated[str, typer.Option(help="Runs in the record, by comma; empty: none.")] = _SIZES,
) -> None:
    """Measure what a run costs. Each must be answered with 200 and then be in the record."""
    load, numbers, counts = _Load(connections, seconds, repeat), _numbers(hosts), _numbers(sizes)
    total = repeat * (1 + len(numbers)) * bool(numbers) + 2 * len(counts)
    try:
        with _progress(total, is_hidden=as_json) as tell:
            lines = with_hosts(load, numbers, tell) if numbers else []
            lines += with_records(load, counts, tell)
    except BenchFailed as error:
        print(f"Failed. {error}", file=sys.stderr)
        raise typer.Exit(1) from error
    if as_json:
        for line in lines:
            print(msgspec.json.encode(line).decode())
        return
    table = Table(*Line.__struct_fields__, title="10 phases, 50 measurements, 50 logs a run")
    for line in lines:
        table.add_row(*(_shown(getattr(line, name)) for name in line.__struct_fields__))
    Console().print(table)


def _shown(value: object) -> str:
    return f"{value:,}" if isinstance(value, int | float) else str(value or "")


if __name__ == "__main__":
    typer.run(main)
