"""How fast pages are made when there are many runs, and how soon a browser shows the first.

    python bench/web.py --json

See README.md in this folder for how to read the numbers.
"""

import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Annotated

import httpx
import msgspec
import typer
from playwright.sync_api import ViewportSize
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parents[1]))  # so that this file can be run by its path

from bench.api import record_runs, records_of, times_ms
from bench.bodies import make_templates
from bench.failure import BenchFailed
from bench.progress import progress_bar
from bench.targets import CASES, Place, prepared, serving
from runcard.web.frame.visit import SESSION_COOKIE
from tests.browser.chromium import find_chromium, running_chromium
from tests.browser.site import explore
from tests.web.browser import Browser

# All runs are in the period that pages show by default.
_WITHIN = timedelta(days=29)
_DIFFERENT = 1000
_VIEWS = 5
_SCREEN = ViewportSize(width=1280, height=900)
_TIMES = """() => {
  const [paint] = performance.getEntriesByName("first-contentful-paint");
  const [page] = performance.getEntriesByType("navigation");
  return [paint.startTime, page.loadEventEnd];
}"""


class Line(msgspec.Struct):
    """A page: times of its answer, and its size before compression."""

    page: str
    url: str
    runs: int
    p50_ms: float
    p95_ms: float
    size_bytes: int


class FirstView(msgspec.Struct):
    """Medians of the overview in browsers with an empty cache.

    first_paint_ms: until something shows. drawn_ms: until everything shows, charts included.
    """

    page: str
    runs: int
    first_paint_ms: float
    drawn_ms: float


def time_pages(
    http: httpx.Client, pages: Sequence[tuple[str, str]], repeat: int, bar: Progress
) -> list[Line]:
    """A line for each page. Raises BenchFailed if an answer is not a page."""
    lines = []
    task = bar.add_task("asking", total=len(pages))
    for kind, url in pages:
        bar.update(task, description=kind, refresh=True)

        def ask(url: str = url) -> bytes:
            answer = http.get(url)
            if answer.status_code != 200:
                raise BenchFailed(f"{url}: {answer.status_code} {answer.text[:200]}")
            return answer.content

        times = times_ms(ask, repeat)
        p95 = times[int(len(times) * 0.95)]
        lines.append(Line(kind, url, 0, round(median(times), 1), round(p95, 1), len(ask())))
        bar.advance(task)
    return lines


def view_first(program: Path, root: str, session: str, views: int) -> FirstView:
    """The times of the overview in new browsers, one after the other."""
    painted, drawn = [], []
    with running_chromium(program) as browser:
        for _ in range(views):
            context = browser.new_context(base_url=root, viewport=_SCREEN)
            context.add_cookies([{"name": SESSION_COOKIE, "value": session, "url": root}])
            page = context.new_page()
            page.goto("/", wait_until="load")
            # A page counts as loaded only after the scripts that draw its charts.
            page.locator("[data-chart] canvas").first.wait_for()
            first_paint_ms, drawn_ms = page.evaluate(_TIMES)
            painted.append(first_paint_ms)
            drawn.append(drawn_ms)
            context.close()
    return FirstView("first view of /", 0, round(median(painted), 1), round(median(drawn), 1))


def _measure(place: Place, repeat: int, bar: Progress) -> tuple[list[Line], FirstView | None]:
    records = records_of(place)
    bar.add_task("bringing the columnar copy up to date", total=None)
    records.follow()
    session = records.log_in()
    # Not the server that recorded the runs: this one has not seen them grow.
    with serving(place) as target:
        root = f"http://127.0.0.1:{target.port}"
        browser = Browser(root, httpx.Cookies({SESSION_COOKIE: session}))
        lines = time_pages(browser.http, list(explore(browser).pages.items()), repeat, bar)
        browser.close()
        program = find_chromium()
        return lines, None if program is None else view_first(program, root, session, min(_VIEWS, repeat))


def _table(lines: Sequence[Line], runs: int) -> Table:
    table = Table(title=f"{runs:,} runs, {runs * 50:,} measurements")
    for name in ("page", "p50 ms", "p95 ms", "kB"):
        table.add_column(name, justify="left" if name == "page" else "right")
    for line in lines:
        table.add_row(line.page, f"{line.p50_ms:.1f}", f"{line.p95_ms:.1f}", f"{line.size_bytes / 1000:.0f}")
    return table


def main(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON line for each page.")] = False,
    runs: Annotated[int, typer.Option(min=1, help="How many runs there are.")] = 100_000,
    repeat: Annotated[int, typer.Option(min=1, help="Times each page is asked for.")] = 30,
    case: Annotated[str, typer.Option(help="sqlite or postgresql.")] = "sqlite",
) -> None:
    """Measure every page over HTTP, and the first view of the overview in a browser."""
    bar = progress_bar(is_hidden=as_json)
    different = min(_DIFFERENT, runs)
    templates = make_templates(different, datetime.now(UTC) - _WITHIN, _WITHIN / different)
    try:
        with (
            TemporaryDirectory(prefix="runcard-bench-") as directory,
            bar,
            prepared([CASES[case]], templates, Path(directory)) as (place,),
        ):
            count = record_runs(place, runs, bar)
            lines, first = _measure(place, repeat, bar)
    except BenchFailed as error:
        print(f"Failed. {error}", file=sys.stderr)
        raise typer.Exit(1) from error
    if first is None:
        print("No Chromium: the first view is left out.", file=sys.stderr)
    shown: list[Line | FirstView] = [*lines, *([first] if first else [])]
    for line in shown:
        line.runs = count
        if as_json:
            print(msgspec.json.encode(line).decode())
    if not as_json:
        Console().print(_table(lines, count))
        if first:
            print(
                f"First view of the overview: {first.first_paint_ms:.0f} ms to something, {first.drawn_ms:.0f} to all."
            )


if __name__ == "__main__":
    typer.run(main)
