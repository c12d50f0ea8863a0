"""How fast the list operations of v2 answer with many runs.

    python bench/api.py --json

See README.md in this folder for how to read the numbers.
"""

import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Annotated, NamedTuple
from uuid import UUID

import httpx
import msgspec
import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parents[1]))  # so that this file can be run by its path

from bench.bodies import PROCEDURE, make_templates
from bench.failure import BenchFailed
from bench.load import drive
from bench.progress import progress_bar
from bench.questions import Data, Question, questions
from bench.records import RuncardRecords
from bench.targets import CASES, Place, Target, prepared, serving
from runcard.edge.requests.paging import PageQuery, page_of
from runcard.store.engine.scope import Scope
from runcard.store.procedures.rows import get_procedure

_PAGES = 100
_CONNECTIONS = 32
# A round of recording takes as long as the rest does at this rate, within these bounds.
_FILL_PER_S = 1000
_FILL_S = (0.5, 2.0)
_COPIED_WITHIN_S = 300.0
_AT_ONCE_S = 0.2


class ListPage(NamedTuple):
    """A page of a list. cursor: leads to the page; None: the first page."""

    question: Question
    page: int
    cursor: int | None


class Line(msgspec.Struct):
    """A page of a list: times of the answer over HTTP, and the median of its bare SQL.

    sql_ms: in the database, or in the columnar copy if that finds the list.
    """

    operation: str
    page: int
    runs: int
    p50_ms: float
    p95_ms: float
    sql_ms: float


def fill(target: Target, runs: int, tell: Callable[[int], None]) -> int:
    """Record runs through the server until there are this many, and return their number."""
    while (count := target.records.count()) < runs:
        tell(count)
        least_s, most_s = _FILL_S
        seconds = min(max((runs - count) / _FILL_PER_S, least_s), most_s)
        load = drive(target.port, _CONNECTIONS, seconds, target.requests)
        if load.refused or not load.answered:
            raise BenchFailed(f"{load.refused} runs were not recorded\n{target.log_tail()}")
    return count


def wait_for_copy(client: httpx.Client, procedure_id: UUID) -> None:
    """Wait until a list that takes the database seconds is answered at once. Raises BenchFailed if it never is."""
    until = time.monotonic() + _COPIED_WITHIN_S
    while time.monotonic() < until:
        started = time.monotonic()
        client.get("/phases", params={"procedure_id": str(procedure_id), "limit": 1, "names": "self_test_1"})
        elapsed = time.monotonic() - started
        if elapsed < _AT_ONCE_S:
            return
        time.sleep(4 * elapsed)  # the database answered, and that kept the copy from catching up
    raise BenchFailed("The columnar copy did not catch up.")


def pages_of(client: httpx.Client, question: Question, limit: int) -> list[ListPage]:
    """The pages of a list to time, all of the state in which the first page was read, as a reader gets them."""
    found = [ListPage(question, 1, None)]
    following = _get(client, question, limit, None).get("meta", {}).get("next_cursor")
    if following is not None:
        found += [
            ListPage(question, page, following + (page - 2) * limit) for page in question.pages if page > 1
        ]
    return found


def time_over_http(client: httpx.Client, page: ListPage, limit: int, repeat: int) -> list[float]:
    """The times of a page over HTTP, in ms, ascending. Raises BenchFailed if an answer is not a page."""
    return times_ms(lambda: _get(client, page.question, limit, page.cursor), repeat)


def time_past_http(
    records: RuncardRecords, pages: Sequence[ListPage], limit: int, repeat: int
) -> list[float]:
    """The median time of each page without HTTP, in ms, in this process, which owns the columnar copy meanwhile."""
    medians = []
    with records.opened_copy() as copy, records.opened() as (database, organization_id):
        for question, _, cursor in pages:

            def ask(question: Question = question, cursor: int | None = cursor) -> None:
                with database.read() as connection:
                    page = page_of(connection, PageQuery(limit=limit, cursor=cursor))
                    question.ask(Data(copy, Scope(connection, organization_id)), page)

            medians.append(median(times_ms(ask, repeat)))
    return medians


def record_runs(place: Place, runs: int, bar: Progress) -> int:
    """Record runs through a server until there are this many, and return their number."""
    task = bar.add_task("recording runs", total=runs)
    with serving(place) as target:
        count = fill(target, runs, lambda done: bar.update(task, completed=done, refresh=True))
    bar.update(task, completed=count, refresh=True)
    return count


def _get(
    client: httpx.Client, question: Question, limit: int, cursor: int | None
) -> dict[str, dict[str, int | None]]:
    query: dict[str, str | int] = {**question.query}
    if len(question.pages) > 1:
        query["limit"] = limit
    if cursor is not None:
        query["cursor"] = cursor
    answer = client.get(question.path, params=query)
    if answer.status_code != 200:
        raise BenchFailed(f"{question.name}: {answer.status_code} {answer.text[:200]}")
    found = answer.json()
    return found if isinstance(found, dict) else {}


def times_ms(call: Callable[[], object], repeat: int) -> list[float]:
    """The times of the calls in ms, ascending, after three calls to warm up, or as many as are timed if fewer."""
    times = []
    warm_ups = min(3, repeat)
    for _ in range(warm_ups + repeat):
        started = time.perf_counter()
        call()
        times.append((time.perf_counter() - started) * 1000)
    return sorted(times[warm_ups:])


def _table(lines: list[Line], runs: int, limit: int) -> Table:
    table = Table(title=f"{runs:,} runs, {runs * 50:,} measurements; pages of {limit}")
    for name in ("operation", "page", "p50 ms", "p95 ms", "SQL ms"):
        table.add_column(name, justify="left" if name == "operation" else "right")
    for line in lines:
        times = (line.p50_ms, line.p95_ms, line.sql_ms)
        table.add_row(line.operation, str(line.page), *(f"{time_ms:.1f}" for time_ms in times))
    return table


def main(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON line for each page.")] = False,
    runs: Annotated[int, typer.Option(min=1, help="How many runs there are.")] = 100_000,
    repeat: Annotated[int, typer.Option(min=1, help="Times each page is asked for.")] = 30,
    case: Annotated[str, typer.Option(help="sqlite or postgresql.")] = "sqlite",
    only: Annotated[str, typer.Option(help="Ask for lists with this in their name only.")] = "",
    limit: Annotated[int, typer.Option(min=1, help="How much a page holds.")] = 50,
) -> None:
    """Measure pages of the lists of v2 over HTTP, and their bare SQL."""
    bar = progress_bar(is_hidden=as_json)
    try:
        with (
            TemporaryDirectory(prefix="runcard-bench-") as directory,
            bar,
            prepared([CASES[case]], make_templates(min(1000, runs)), Path(directory)) as (place,),
        ):
            count = record_runs(place, runs, bar)
            _furnish(place, count, limit, bar)
            lines = _measure_all(place, only, limit, repeat, bar)
    except BenchFailed as error:
        print(f"Failed. {error}", file=sys.stderr)
        raise typer.Exit(1) from error
    for line in lines:
        line.runs = count
        if as_json:
            print(msgspec.json.encode(line).decode())
    if not as_json:
        Console().print(_table(lines, count, limit))


def _furnish(place: Place, runs: int, limit: int, bar: Progress) -> None:
    """Add parts, stations and so on, and as many units that never ran as there are new units: half of the runs."""
    task = bar.add_task("adding units, parts and so on", total=None)
    records = records_of(place)
    records.furnish(runs // 2, _PAGES * limit)
    bar.update(task, description="bringing the columnar copy up to date", refresh=True)
    records.follow()


def _measure_all(place: Place, only: str, limit: int, repeat: int, bar: Progress) -> list[Line]:
    records = records_of(place)
    with records.opened() as (database, organization_id), database.read() as connection:
        procedure_id = get_procedure(Scope(connection, organization_id), PROCEDURE).id
    chosen = [question for question in questions(procedure_id) if only in question.name]
    lines, pages = [], []
    # Not the server that recorded the runs: this one has not seen them grow.
    with serving(place) as target, _client(target, records.member_key) as client:
        wait_for_copy(client, procedure_id)
        task = bar.add_task("asking", total=len(chosen))
        for question in chosen:
            bar.update(task, description=question.name, refresh=True)
            for page in pages_of(client, question, limit):
                times = time_over_http(client, page, limit, repeat)
                p95 = times[int(len(times) * 0.95)]
                lines.append(Line(question.name, page.page, 0, round(median(times), 2), round(p95, 2), 0))
                pages.append(page)
            bar.advance(task)
    for line, sql_ms in zip(lines, time_past_http(records, pages, limit, repeat), strict=True):
        line.sql_ms = round(sql_ms, 2)
    return lines


def _client(target: Target, api_key: str) -> httpx.Client:
    headers = {"Authorization": f"Bearer {api_key}"}
    return httpx.Client(base_url=f"http://127.0.0.1:{target.port}/api/v2", headers=headers, timeout=60)


def records_of(place: Place) -> RuncardRecords:
    assert isinstance(place.records, RuncardRecords)  # of the cases that can be chosen
    return place.records


if __name__ == "__main__":
    typer.run(main)
