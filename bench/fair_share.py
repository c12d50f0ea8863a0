"""How many runs a second stations record while one key reads as much as it can.

    python bench/fair_share.py --json

See README.md in this folder for the cases and for how to read the numbers.
"""

import multiprocessing
import sys
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import httpx
import msgspec
import psutil
import typer
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parents[1]))  # so that this file can be run by its path

from bench.bodies import make_templates
from bench.failure import BenchFailed
from bench.load import Load, drive
from bench.readers import Readers, Reads, nothing, read
from bench.records import RuncardRecords
from bench.targets import CASES, Place, Target, prepared, serving

_TEMPLATES = 2000
_ROUND_S = 1.0
_MIB = 1024 * 1024


class Line(msgspec.Struct):
    """A kind of readers: what stations reach beside them, and what they reach alone just before.

    reads, refused: answers to the readers, with status 200 or with another. peak_mib: the most memory so far of the
    server and the process that records for it, together.
    """

    case: str
    alone_runs_per_s: float
    runs_per_s: float
    kept_ratio: float
    alone_p99_ms: float
    p99_ms: float
    failed: int
    reads: int
    refused: int
    peak_mib: int


def readers_of(procedure_id: str) -> Mapping[str, Readers]:
    """The cases by name."""
    measured = f"procedure_id={procedure_id}&measurement_name=supply_voltage"
    questions = (
        "first-pass-yield",
        "throughput",
        "pareto",
        "retest",
        f"histogram?{measured}",
        f"capability?{measured}",
    )
    lists = (
        "runs?limit=1000",
        f"measurements?procedure_id={procedure_id}&limit=1000&sort_by=value",
        "units?limit=1000",
        f"phases?procedure_id={procedure_id}&limit=1000",
    )
    exports = ("measurements", "runs")
    return {
        "questions": Readers(16, [f"/api/analytics/{question}" for question in questions]),
        "lists": Readers(16, [f"/api/v2/{path}" for path in lists]),
        "exports": Readers(6, [f"/api/export/{path}" for path in exports]),
        "unread": Readers(30, [f"/api/export/{path}" for path in exports], takes=False),
    }


def measure(target: Target, name: str, readers: Readers, connections: int, seconds: float) -> Line:
    """The line of a case. Raises BenchFailed if stations had other answers than 200 while nobody read."""
    alone = drive(target.port, connections, seconds, target.requests)
    if alone.refused or not alone.answered:
        raise BenchFailed(f"{alone.refused} of the reports were refused\n{target.log_tail()}")
    load, reads = _beside(target, readers, connections, seconds)
    target.serving.wait_until_it_rests()
    return Line(
        name,
        round(alone.per_s, 1),
        round(load.per_s, 1),
        round(load.per_s / alone.per_s, 3),
        round(alone.percentile_ms(0.99), 1),
        round(load.percentile_ms(0.99), 1) if load.answered else 0.0,
        load.refused,
        reads.answered,
        reads.refused,
        _peak_mib(target),
    )


def _beside(target: Target, readers: Readers, connections: int, seconds: float) -> tuple[Load, Reads]:
    assert isinstance(target.records, RuncardRecords)
    # The readers have their own process: this one plays the stations.
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        pool.submit(nothing).result()
        reading = pool.submit(read, target.port, target.records.member_key, readers, seconds)
        load = drive(target.port, connections, seconds, target.requests)
        return load, reading.result()


def _peak_mib(target: Target) -> int:
    family = [
        member
        for process in target.serving.processes
        for member in (process, *process.children(recursive=True))
    ]
    return round(sum(_peak_bytes(process) for process in family) / _MIB)


def _peak_bytes(process: psutil.Process) -> int:
    for line in Path(f"/proc/{process.pid}/status").read_text("ascii", "replace").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise BenchFailed(f"/proc/{process.pid}/status has no VmHWM, the peak of the process's memory.")


def _with_memory(place: Place, memory_mb: int) -> Place:
    return place._replace(arguments=[*place.arguments, "--memory-mb", str(memory_mb)]) if memory_mb else place


def _fill(target: Target, runs: int, connections: int, seconds: float) -> None:
    done = 0
    while done < runs:
        done += drive(target.port, connections, min(_ROUND_S, seconds), target.requests).answered
    target.serving.wait_until_it_rests()


def _procedure_id(target: Target) -> str:
    assert isinstance(target.records, RuncardRecords)
    answer = httpx.get(
        f"http://127.0.0.1:{target.port}/api/v2/procedures",
        headers={"Authorization": f"Bearer {target.records.member_key}"},
        timeout=60,
    )
    found: str = answer.raise_for_status().json()["data"][0]["id"]
    return found


def _table(lines: list[Line]) -> Table:
    table = Table(title="Stations beside the readers of one key")
    table.add_column("readers")
    for heading in (
        "runs/s alone",
        "beside",
        "kept",
        "p99 ms alone",
        "beside",
        "reads",
        "refused",
        "peak MiB",
    ):
        table.add_column(heading, justify="right")
    for line in lines:
        table.add_row(
            line.case,
            f"{line.alone_runs_per_s:,.0f}",
            f"{line.runs_per_s:,.0f}",
            f"{line.kept_ratio:.2f}",
            f"{line.alone_p99_ms:.1f}",
            f"{line.p99_ms:.1f}",
            f"{line.reads:,}",
            f"{line.refused:,}",
            f"{line.peak_mib:,}",
        )
    return table


def main(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON line for each kind of readers.")] = False,
    runs: Annotated[int, typer.Option(min=1, help="How many are recorded before.")] = 20_000,
    seconds: Annotated[float, typer.Option(min=0.05, help="How long each measurement takes.")] = 8.0,
    connections: Annotated[int, typer.Option(min=1, help="Of stations.")] = 32,
    memory_mb: Annotated[int, typer.Option(help="What the server may take, in MiB; 0: all there is.")] = 0,
    only: Annotated[str, typer.Option(help="Kinds of readers whose name holds this.")] = "",
) -> None:
    """Measure what stations keep while one key asks, lists and exports as fast as it is answered."""
    try:
        with (
            TemporaryDirectory(prefix="runcard-bench-") as directory,
            prepared([CASES["sqlite"]], make_templates(min(_TEMPLATES, runs)), Path(directory)) as [place],
            serving(_with_memory(place, memory_mb)) as target,
        ):
            _fill(target, runs, connections, seconds)
            cases = readers_of(_procedure_id(target))
            chosen = {name: readers for name, readers in cases.items() if only in name}
            lines = [measure(target, name, readers, connections, seconds) for name, readers in chosen.items()]
            log = target.log_tail()
    except BenchFailed as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    if as_json:
        for line in lines:
            print(msgspec.json.encode(line).decode())
    else:
        Console().print(_table(lines))
    if log:
        typer.echo(log, err=True)


if __name__ == "__main__":
    typer.run(main)
