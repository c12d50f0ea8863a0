"""How fast the list operations of v2 answer when there are many runs.

    python bench/api.py --json

See README.md in this folder for how to read the numbers.
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Annotated, Any, NamedTuple

import httpx
import msgspec
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parents[1]))  # so that this file can be run by its path

from bench.bodies import make_templates
from bench.failure import BenchFailed
from bench.load import drive
from bench.records import RuncardRecords
from bench.targets import CASES, Target, running
from runcard.edge.paging import PageQuery, page_of
from runcard.store.database import Connection, Database
from runcard.store.log_records import LOG_ORDERS
from runcard.store.measurement_records import MEASUREMENT_ORDERS
from runcard.store.pages import Page
from runcard.store.part_records import PartFilter, list_parts
from runcard.store.phase_records import PHASE_ORDERS
from runcard.store.run_filter import RunFilter
from runcard.store.run_records import RUN_ORDERS, list_runs

_LIMIT = 50
_PAGES = (1, 100)
_CONNECTIONS = 32
_FILL_S = 2.0
_COPIED_WITHIN_S = 3600.0
_AT_ONCE_S = 0.2

Ask = Callable[[Connection, Any, Page], object]


class Question(NamedTuple):
    """A list: its path and query, and the same asked of the store, past HTTP; ask: None where that takes too long."""

    name: str
    path: str
    query: dict[str, str]
    ask: Ask | None = None


class Line(msgspec.Struct):
    """A page of a list: medians of the answer over HTTP, and of the bare SQL of the truth that it stands on.

    sql_ms: None for what is found in the columnar copy.
    """

    operation: str
    page: int
    runs: int
    p50_ms: float
    p95_ms: float
    sql_ms: float | None


def questions(procedure_id: str) -> list[Question]:
    found = [
        Question(f"run-list by {order}", "/runs", {"sort_by": order}, _runs_by(order)) for order in RUN_ORDERS
    ]
    found.append(Question("run-list of failures", "/runs", {"outcomes": "FAIL"}, _failed_runs))
    found.append(Question("part-list", "/parts", {}, _parts))
    return found + inside_questions(procedure_id)


def inside_questions(procedure_id: str) -> list[Question]:
    """Lists of what lies inside runs: by procedure only, by name, by value, and in each order."""
    phases, measurements, logs = "phase-list", "measurement-list", "log-list"
    asked: list[tuple[str, str, dict[str, str]]] = [
        (phases, "by name", {"names": "self_test_1"}),
        (phases, "of failures", {"outcomes": "FAIL"}),
        (phases, "of a serial number", {"serial_numbers": "P00-000000007"}),
        *((phases, f"in order of {order}", {"sort_by": order}) for order in PHASE_ORDERS),
        (measurements, "by name", {"measurement_name": "supply_voltage"}),
        (measurements, "by value", {"value_min": "3.3", "value_max": "3.31"}),
        (measurements, "of failures", {"measurement_outcomes": "FAIL"}),
        *((measurements, f"in order of {order}", {"sort_by": order}) for order in MEASUREMENT_ORDERS),
        (logs, "by level", {"levels": "WARNING"}),
        (logs, "by text", {"search_query": "reg"}),
        (logs, "by rare text", {"search_query": "0x00ff"}),
        *((logs, f"in order of {order}", {"sort_by": order}) for order in LOG_ORDERS),
    ]
    paths = {
        phases: ("/phases", "procedure_id"),
        measurements: ("/measurements", "procedure_id"),
        logs: ("/logs", "procedure_ids"),
    }
    return [
        Question(f"{name} {how}", paths[name][0], {paths[name][1]: procedure_id, **query})
        for name, how, query in asked
    ]


def _runs_by(order: str) -> Ask:
    return lambda connection, home, page: list_runs(
        connection, home, RunFilter(), order, page, descending=True
    )


def _failed_runs(connection: Connection, home: Any, page: Page) -> object:
    return list_runs(connection, home, RunFilter(outcomes=["FAIL"]), "started_at", page, descending=True)


def _parts(connection: Connection, home: Any, page: Page) -> object:
    return list_parts(connection, home, PartFilter(), "created_at", page, descending=True)


def fill(target: Target, runs: int, tell: Callable[[int], None]) -> int:
    """Record runs through the server until there are so many, and return their number."""
    while (count := target.records.count()) < runs:
        tell(count)
        load = drive(target.port, _CONNECTIONS, _FILL_S, target.requests)
        if load.refused or not load.answered:
            raise BenchFailed(f"{load.refused} runs were not recorded\n{target.log_tail()}")
    return count


def wait_for_copy(client: httpx.Client, procedure_id: str, bar: Progress) -> None:
    """Until a list that the truth takes seconds for is answered at once. Raises BenchFailed where it never is."""
    task = bar.add_task("waiting for the columnar copy", total=None)
    until = time.monotonic() + _COPIED_WITHIN_S
    while time.monotonic() < until:
        started = time.monotonic()
        client.get("/phases", params={"procedure_id": procedure_id, "limit": 1, "names": "self_test_1"})
        elapsed = time.monotonic() - started
        if elapsed < _AT_ONCE_S:
            bar.remove_task(task)
            return
        time.sleep(4 * elapsed)  # the truth, which answered, keeps the copy from catching up
    raise BenchFailed("The columnar copy did not catch up.")


def measure(
    client: httpx.Client, database: Database, home: Any, question: Question, page: int, repeat: int
) -> Line:
    """Raises BenchFailed where an answer is no page."""
    skipped = str((page - 1) * _LIMIT)
    query = {**question.query, "limit": str(_LIMIT), "cursor": skipped}

    def over_http() -> None:
        answer = client.get(question.path, params=query)
        if answer.status_code != 200:
            raise BenchFailed(f"{question.name}: {answer.status_code} {answer.text[:200]}")

    def past_http() -> None:
        assert question.ask is not None
        with database.read() as connection:
            question.ask(connection, home, page_of(connection, PageQuery(limit=_LIMIT, cursor=int(skipped))))

    answered = _times_ms(over_http, repeat)
    return Line(
        question.name,
        page,
        0,
        round(median(answered), 2),
        round(answered[int(len(answered) * 0.95)], 2),
        None if question.ask is None else round(median(_times_ms(past_http, repeat)), 2),
    )


def _times_ms(call: Callable[[], None], repeat: int) -> list[float]:
    """Ascending, after three calls to warm up."""
    times = []
    for _ in range(repeat + 3):
        started = time.perf_counter()
        call()
        times.append((time.perf_counter() - started) * 1000)
    return sorted(times[3:])


def _table(lines: list[Line], runs: int) -> Table:
    table = Table(title=f"{runs:,} runs, {runs * 50:,} measurements; pages of {_LIMIT}")
    for name in ("operation", "page", "p50 ms", "p95 ms", "SQL ms"):
        table.add_column(name, justify="left" if name == "operation" else "right")
    for line in lines:
        table.add_row(
            line.operation,
            str(line.page),
            f"{line.p50_ms:.1f}",
            f"{line.p95_ms:.1f}",
            "" if line.sql_ms is None else f"{line.sql_ms:.1f}",
        )
    return table


def main(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON line for each page.")] = False,
    runs: Annotated[int, typer.Option(min=1, help="How many runs there are.")] = 100_000,
    repeat: Annotated[int, typer.Option(min=1, help="Times each page is asked for.")] = 30,
    case: Annotated[str, typer.Option(help="sqlite or postgresql.")] = "sqlite",
) -> None:
    """Measure pages of the lists of v2 over HTTP, beside the SQL that they stand on."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    bar = Progress(*columns, console=Console(stderr=True), auto_refresh=False, disable=as_json)
    try:
        with (
            TemporaryDirectory(prefix="runcard-bench-") as directory,
            bar,
            running([CASES[case]], make_templates(1000), Path(directory)) as (target,),
        ):
            task = bar.add_task("recording runs", total=runs)
            count = fill(target, runs, lambda done: bar.update(task, completed=done, refresh=True))
            lines = _measure_all(target, repeat, bar)
    except BenchFailed as error:
        print(f"Failed. {error}", file=sys.stderr)
        raise typer.Exit(1) from error
    for line in lines:
        line.runs = count
        if as_json:
            print(msgspec.json.encode(line).decode())
    if not as_json:
        Console().print(_table(lines, count))


def _measure_all(target: Target, repeat: int, bar: Progress) -> list[Line]:
    records = target.records
    assert isinstance(records, RuncardRecords)  # of the cases that can be chosen
    lines = []
    headers = {"Authorization": f"Bearer {records.api_key}"}
    with (
        httpx.Client(
            base_url=f"http://127.0.0.1:{target.port}/api/v2", headers=headers, timeout=60
        ) as client,
        records.opened() as (database, home),
    ):
        procedure_id = client.get("/procedures").json()["data"][0]["id"]
        wait_for_copy(client, procedure_id, bar)
        asked = [(question, page) for question in questions(procedure_id) for page in _PAGES]
        task = bar.add_task("asking", total=len(asked))
        for question, page in asked:
            bar.update(task, description=question.name, refresh=True)
            lines.append(measure(client, database, home, question, page, repeat))
            bar.advance(task)
    return lines


if __name__ == "__main__":
    typer.run(main)
