"""How fast questions are answered from the columnar copy, beside their bare queries and beside rows in PostgreSQL.

    python bench/analytics.py --runs 200000 --postgresql --json

See README.md in this folder for how to read the numbers.
"""

import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import msgspec
import psutil
import psycopg
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parents[1]))  # so that this file can be run by its path

from bench.copied_runs import MEASUREMENTS, CopiedRuns, a_run, copied_runs
from bench.rows import rows_of
from bench.typical_questions import QUESTIONS, Question
from runcard.analytics.copy.engines.duckdb import Cursor, DuckDb
from runcard.ingest.record_run import record_run
from runcard.store.changes import last_seq
from runcard.worker import Worker

_SEEN_RUNS = 25


class Line(msgspec.Struct):
    """A question: medians of its answer, of the bare queries of that in the engine, and of the same on rows."""

    question: str
    p50_ms: float
    bare_ms: float
    own_ms: float
    n: int
    is_exact: bool
    postgresql_ms: float | None = None


class Summary(msgspec.Struct):
    """visible_s: from the commit of a run until questions know it. memory_mb: the most that the process had."""

    runs: int
    measurements: int
    sum_ms: float
    bare_sum_ms: float
    slowest_ms: float
    postgresql_sum_ms: float | None
    ratio_to_postgresql: float | None
    bytes_per_measurement: float
    memory_mb: int
    visible_p50_s: float
    visible_p95_s: float


class ListeningDuckDb(DuckDb):
    """Tells what is asked of it."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.heard: list[tuple[str, Any]] = []

    @contextlib.contextmanager
    def transaction(self) -> Iterator[Cursor]:
        with super().transaction() as cursor:
            yield _Ear(cursor, self.heard)  # type: ignore[misc]  # a cursor in all that is used of one


class _Ear:
    def __init__(self, cursor: Cursor, heard: list[tuple[str, Any]]) -> None:
        self._cursor = cursor
        self._heard = heard

    def execute(self, sql: str, values: Any = None) -> Cursor:
        self._heard.append((sql, values))
        return self._cursor.execute(sql, values)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cursor, name)


def measure(copied: CopiedRuns, question: Question, repeat: int, rows: psycopg.Connection | None) -> Line:
    engine = copied.copy.engine
    assert isinstance(engine, ListeningDuckDb)
    with copied.database.read() as connection:
        answer = question.ask(copied, connection)
        engine.heard.clear()
        question.ask(copied, connection)
        heard = list(engine.heard)
        whole, bare = [], []
        for _ in range(repeat):  # in turn, so that what disturbs hits both
            whole.append(_ms(partial(question.ask, copied, connection)))
            bare.append(_ms(partial(_ask_bare, engine, heard)))
    on_rows = None
    if rows is not None and question.rows_sql is not None:
        query = question.rows_sql.encode()
        on_rows = median([_ms(lambda: rows.execute(query).fetchall()) for _ in range(repeat + 1)][1:])
    p50, bare_p50 = median(whole), median(bare)
    own = median([one - other for one, other in zip(whole, bare, strict=True)])
    return Line(
        question.name,
        round(p50, 2),
        round(bare_p50, 2),
        round(own, 2),
        answer.n,
        answer.is_exact,
        _rounded(on_rows),
    )


def _ask_bare(engine: DuckDb, queries: list[tuple[str, Any]]) -> None:
    with DuckDb.transaction(engine) as cursor:
        for sql, values in queries:
            cursor.execute(sql, values).fetchnumpy()


def visible(copied: CopiedRuns) -> list[float]:
    """Seconds from the commit of a run until the copy knows it, ascending, while a worker follows."""
    times = []
    worker = Worker(copied.database, copied.copy)
    try:
        for number in range(_SEEN_RUNS):
            run, station = a_run(copied.floor, number)
            copied.writer.run(partial(record_run, actor=station, run=run), changes_catalog=False)
            started = time.perf_counter()
            with copied.database.read() as connection:
                newest = last_seq(connection)
            while (copied.copy.seen or 0) < newest:
                time.sleep(0.005)  # as one who does not wait for it: whoever asks hurries the worker
            times.append(time.perf_counter() - started)
            time.sleep(0.05)
    finally:
        worker.close()
    return sorted(times)


def _tell(bar: Progress, task: TaskID, done: int) -> None:
    bar.update(task, completed=done, refresh=True)


def _ms(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return (time.perf_counter() - started) * 1000


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)


def _summary(lines: list[Line], copied: CopiedRuns, runs: int, size: int) -> Summary:
    times = visible(copied)
    on_rows = [one.postgresql_ms for one in lines if one.postgresql_ms is not None]
    total = sum(one.p50_ms for one in lines)
    return Summary(
        runs,
        runs * MEASUREMENTS,
        round(total, 1),
        round(sum(one.bare_ms for one in lines), 1),
        max(one.p50_ms for one in lines),
        round(sum(on_rows), 1) if on_rows else None,
        round(sum(on_rows) / sum(one.p50_ms for one in lines if one.postgresql_ms is not None), 2)
        if on_rows
        else None,
        round(size / (runs * MEASUREMENTS), 2),
        psutil.Process().memory_info().rss >> 20,
        round(median(times), 3),
        round(times[int(len(times) * 0.95)], 3),
    )


def _table(lines: list[Line], summary: Summary) -> Table:
    table = Table(title=f"{summary.runs:,} runs, {summary.measurements:,} measurements")
    for name in ("question", "n", "ms", "bare ms", "own ms", "PostgreSQL ms"):
        table.add_column(name, justify="left" if name == "question" else "right")
    for one in lines:
        rows = "" if one.postgresql_ms is None else f"{one.postgresql_ms:.1f}"
        table.add_row(
            one.question, f"{one.n:,}", f"{one.p50_ms:.1f}", f"{one.bare_ms:.1f}", f"{one.own_ms:.1f}", rows
        )
    return table


def main(
    *,
    runs: Annotated[int, typer.Option(min=2000, help="How many runs, of 50 measurements each.")] = 200_000,
    repeat: Annotated[int, typer.Option(min=1, help="Times each question is asked.")] = 9,
    on_postgresql: Annotated[bool, typer.Option("--postgresql", help="Ask rows in PostgreSQL too.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON line for each question, and a summary.")
    ] = False,
) -> None:
    """Measure each question on a made-up floor of so many runs."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    bar = Progress(*columns, console=Console(stderr=True), auto_refresh=False, disable=as_json)
    with TemporaryDirectory(prefix="runcard-bench-") as directory, bar:
        folder = Path(directory)
        path = folder / "analytics.duckdb"
        task = bar.add_task("making runs", total=runs)
        with copied_runs(folder, ListeningDuckDb(path), runs, partial(_tell, bar, task)) as copied:
            with rows_of(copied.copy, folder) if on_postgresql else contextlib.nullcontext() as rows:
                lines = []
                asking = bar.add_task("asking", total=len(QUESTIONS))
                for question in QUESTIONS:
                    bar.update(asking, description=question.name, refresh=True)
                    lines.append(measure(copied, question, repeat, rows))
                    bar.advance(asking)
            summary = _summary(lines, copied, runs, path.stat().st_size)
    if as_json:
        for line in (*lines, summary):
            print(msgspec.json.encode(line).decode())
    else:
        Console().print(_table(lines, summary))
        Console().print(msgspec.json.format(msgspec.json.encode(summary)).decode())


if __name__ == "__main__":
    typer.run(main)
