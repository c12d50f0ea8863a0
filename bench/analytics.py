"""How fast the columnar copy answers questions, compared with their bare queries and with rows in PostgreSQL.

    python bench/analytics.py --runs 200000 --postgresql --json

See README.md in this folder for how to read the numbers.
"""

import contextlib
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Annotated, Any, Literal, NamedTuple

import msgspec
import psutil
import typer
from rich.console import Console
from rich.progress import Progress, TaskID
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parents[1]))  # so that this file can be run by its path

from bench import arriving
from bench.copied_runs import MEASUREMENTS, CopiedRuns, a_run, copied_runs
from bench.failure import BenchFailed
from bench.figures import difference
from bench.on_clickhouse import on_clickhouse
from bench.progress import progress_bar
from bench.rows import FilledRows, rows_of
from bench.typical_questions import QUESTIONS, Question
from runcard.analytics.copy.engines.duckdb import DuckDb, DuckDbCursor
from runcard.ingest.record_run import record_run
from runcard.store.commit.changes import last_seq
from runcard.worker import Worker

_SEEN_RUNS = 25


class Line(msgspec.Struct):
    """A question: medians of its answer, of the answer's bare queries in the engine, and of the same on rows.

    postgresql_with_our_columns_ms: on rows of runs that have the copy's columns; None if there is no such statement.
    clickhouse_ms: of its answer, by a copy in ClickHouse; None if that was not asked.
    """

    question: str
    p50_ms: float
    bare_ms: float
    own_ms: float
    n: int
    is_exact: bool
    postgresql_ms: float | None = None
    postgresql_with_our_columns_ms: float | None = None
    clickhouse_ms: float | None = None


class Summary(msgspec.Struct):
    """visible_p50_s, visible_p95_s: from the commit of a run until questions count it. memory_mb: of the process.

    postgresql_with_our_columns_sum_ms: with these times in place of the others, if there are any.
    """

    runs: int
    measurements: int
    sum_ms: float
    bare_sum_ms: float
    slowest_ms: float
    postgresql_sum_ms: float | None
    ratio_to_postgresql: float | None
    postgresql_with_our_columns_sum_ms: float | None
    clickhouse_sum_ms: float | None
    bytes_per_measurement: float
    memory_mb: int
    visible_p50_s: float
    visible_p95_s: float


class ListeningDuckDb(DuckDb):
    """Records the queries that it runs, in `heard`."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.heard: list[tuple[str, Any]] = []

    @contextlib.contextmanager
    def transaction(self) -> Iterator[DuckDbCursor]:
        with super().transaction() as cursor:
            yield _Ear(cursor, self.heard)


class _Ear(DuckDbCursor):
    def __init__(self, cursor: DuckDbCursor, heard: list[tuple[str, Any]]) -> None:
        super().__init__(cursor.connection)
        self._heard = heard

    def execute(self, sql: str, values: Any = None) -> DuckDbCursor:
        self._heard.append((sql, values))
        return super().execute(sql, values)


def measure(copied: CopiedRuns, question: Question, repeat: int, others: "Others") -> Line:
    """The times of a question. Raises BenchFailed if rows in PostgreSQL, or ClickHouse, give other figures."""
    engine = copied.copy.engine
    assert isinstance(engine, ListeningDuckDb)
    with copied.database.read() as connection:
        answer = question.answer(copied, connection)
        engine.heard.clear()
        question.answer(copied, connection)
        heard = list(engine.heard)
        whole, bare = [], []
        for _ in range(repeat):  # in turn, so that a disturbance hits both
            whole.append(_ms(partial(question.answer, copied, connection)))
            bare.append(_ms(partial(_ask_bare, engine, heard)))
    on_rows = with_columns = by_clickhouse = None
    rows = others.rows
    if others.clickhouse is not None:
        by_clickhouse = _on_clickhouse(others.clickhouse, question, answer, repeat)
    if rows is not None:
        on_rows = _on_rows(rows, question, answer, repeat)
        with_columns = _on_rows(rows, question, answer, repeat, "with_our_columns")
    own = median([one - other for one, other in zip(whole, bare, strict=True)])
    return Line(
        question.name,
        round(median(whole), 2),
        round(median(bare), 2),
        round(own, 2),
        answer.n,
        answer.is_exact,
        _rounded(on_rows),
        _rounded(with_columns),
        _rounded(by_clickhouse),
    )


class Others(NamedTuple):
    """What is asked beside DuckDB; None: it is not."""

    rows: FilledRows | None = None
    clickhouse: CopiedRuns | None = None


def _on_clickhouse(copied: CopiedRuns, question: Question, answer: Any, repeat: int) -> float:
    """The median time by a copy in ClickHouse, in ms. Raises BenchFailed for other figures."""
    with copied.database.read() as connection:
        found = question.answer(copied, connection)
        differs = difference(_figures(question, answer), _figures(question, found))
        if answer.is_exact and differs:
            raise BenchFailed(f"{question.name}: ClickHouse does not find what DuckDB does: {differs}")
        return median([_ms(partial(question.answer, copied, connection)) for _ in range(repeat)])


def _figures(question: Question, answer: Any) -> Any:
    return question.figures(answer, int)


def _on_rows(
    rows: FilledRows, question: Question, answer: Any, repeat: int, folder: str = ""
) -> float | None:
    """The median time on rows, in ms; None if there is no such statement. Raises BenchFailed for other figures."""
    statement = question.statement(folder)
    if statement is None:
        return None
    values = question.values(rows.procedure)
    found = rows.find(statement, values)
    differs = difference(question.figures(answer, rows.numbers.__getitem__), found)
    if answer.is_exact and differs:
        raise BenchFailed(
            f"{question.name}: {folder or 'PostgreSQL'} does not find what Runcard does: {differs}"
        )
    return median([_ms(partial(rows.find, statement, values)) for _ in range(repeat)])


def _ask_bare(engine: DuckDb, queries: list[tuple[str, Any]]) -> None:
    with DuckDb.transaction(engine) as cursor:
        for sql, values in queries:
            cursor.execute(sql, values).fetchnumpy()


def visible(copied: CopiedRuns) -> list[float]:
    """Seconds from the commit of a run until the copy has it, ascending, while a worker follows the change log."""
    times = []
    worker = Worker(copied.database, copied.copy)
    try:
        for number in range(_SEEN_RUNS):
            run, station = a_run(copied.floor, number)
            copied.writer.write(station, partial(record_run, actor=station, run=run))
            started = time.perf_counter()
            with copied.database.read() as connection:
                newest = last_seq(connection)
            while (copied.copy.seen or 0) < newest:
                time.sleep(0.005)  # without asking the copy, because a question hurries the worker
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
    total = sum(line.p50_ms for line in lines)
    on_rows = _sum([line.postgresql_ms for line in lines])
    with_columns = _sum([line.postgresql_with_our_columns_ms or line.postgresql_ms for line in lines])
    return Summary(
        runs,
        runs * MEASUREMENTS,
        round(total, 1),
        round(sum(line.bare_ms for line in lines), 1),
        max(line.p50_ms for line in lines),
        on_rows,
        None if on_rows is None else round(on_rows / total, 2),
        with_columns,
        _sum([line.clickhouse_ms for line in lines]),
        round(size / (runs * MEASUREMENTS), 2),
        psutil.Process().memory_info().rss >> 20,
        round(median(times), 3),
        round(times[int(len(times) * 0.95)], 3),
    )


def _sum(times_ms: list[float | None]) -> float | None:
    """The sum of the times; None if any time is unknown."""
    known = [time_ms for time_ms in times_ms if time_ms is not None]
    return round(sum(known), 1) if len(known) == len(times_ms) else None


def _measure_all(
    folder: Path, runs: int, repeat: int, bar: Progress, asked: "Asked"
) -> tuple[list[Line], Summary]:
    with _floor(folder, runs, bar) as copied:
        engine = copied.copy.engine
        assert isinstance(engine, DuckDb)
        with (
            rows_of(copied, folder) if asked.postgresql else contextlib.nullcontext() as rows,
            on_clickhouse(copied, engine) if asked.clickhouse else contextlib.nullcontext() as clickhouse,
        ):
            lines = []
            others = Others(rows, clickhouse)
            task = bar.add_task("asking", total=len(QUESTIONS))
            for question in QUESTIONS:
                bar.update(task, description=question.name, refresh=True)
                lines.append(measure(copied, question, repeat, others))
                bar.advance(task)
        return lines, _summary(lines, copied, runs, Path(copied.copy.engine.place).stat().st_size)


class Asked(NamedTuple):
    """What is to be asked beside DuckDB."""

    postgresql: bool
    clickhouse: bool


def _measure_arriving(
    folder: Path, runs: int, per_s: float, seconds: float, bar: Progress
) -> tuple[list[arriving.Line], arriving.Summary]:
    with _floor(folder, runs, bar) as copied:
        floor, keys = copied.floor, arriving.add_keys(copied)
    bar.add_task(f"asking while {per_s:g} runs/s arrive", total=None)
    bar.refresh()
    return arriving.ask_while_arriving(folder, floor, keys, per_s, seconds)


@contextlib.contextmanager
def _floor(folder: Path, runs: int, bar: Progress) -> Iterator[CopiedRuns]:
    task = bar.add_task("making runs", total=runs)
    engine = ListeningDuckDb(folder / "analytics.duckdb")
    with copied_runs(folder, engine, runs, partial(_tell, bar, task)) as copied:
        yield copied


def _table(lines: Sequence[Line | arriving.Line], title: str) -> Table:
    """A table with the fields of the lines as columns."""
    table = Table(title=title)
    for name in lines[0].__struct_fields__:
        is_name = name == "question"
        table.add_column(name.replace("_", " "), justify="left" if is_name else "right", no_wrap=is_name)
    for line in lines:
        table.add_row(*(_shown(getattr(line, name)) for name in line.__struct_fields__))
    return table


def _shown(value: str | float | None) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,}" if isinstance(value, int) else str(value)


def main(  # noqa: PLR0913 (the options of a command)
    *,
    runs: Annotated[int, typer.Option(min=2000, help="How many runs, of 50 measurements each.")] = 200_000,
    repeat: Annotated[int, typer.Option(min=1, help="Times each question is asked.")] = 9,
    on_postgresql: Annotated[bool, typer.Option("--postgresql", help="Ask rows in PostgreSQL too.")] = False,
    engine: Annotated[
        Literal["duckdb", "clickhouse"], typer.Option(help="clickhouse: ask a copy in ClickHouse too.")
    ] = "duckdb",
    per_s: Annotated[
        float | None,
        typer.Option("--arriving", min=1, help="Ask a server while so many runs a second arrive."),
    ] = None,
    seconds: Annotated[float, typer.Option(min=1, help="How long runs arrive.")] = 60,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON line for each question, and a summary.")
    ] = False,
) -> None:
    """Measure each question on a made-up floor."""
    bar = progress_bar(is_hidden=as_json)
    lines: Sequence[Line | arriving.Line]
    summary: Summary | arriving.Summary
    try:
        with TemporaryDirectory(prefix="runcard-bench-") as directory, bar:
            if per_s is None:
                lines, summary = _measure_all(
                    Path(directory), runs, repeat, bar, Asked(on_postgresql, engine == "clickhouse")
                )
            else:
                lines, summary = _measure_arriving(Path(directory), runs, per_s, seconds, bar)
    except BenchFailed as error:
        print(f"Failed. {error}", file=sys.stderr)
        raise typer.Exit(1) from error
    if as_json:
        for line in (*lines, summary):
            print(msgspec.json.encode(line).decode())
    else:
        Console().print(_table(lines, f"{runs:,} runs, {runs * MEASUREMENTS:,} measurements"))
        Console().print(msgspec.json.format(msgspec.json.encode(summary)).decode())


if __name__ == "__main__":
    typer.run(main)
