"""What is lost when one of two servers is killed again and again while stations report: nothing that was acknowledged.

    python bench/killed_servers.py --json

See README.md in this folder for what runs, and for how to read the numbers.
"""

import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import count, pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any, NamedTuple

import httpx
import msgspec
import typer
from rich.console import Console
from rich.table import Table
from sqlalchemy import select

sys.path.insert(0, str(Path(__file__).parents[1]))  # so that this file can be run by its path

from bench.failure import BenchFailed
from bench.large_site import LargeSite, OneServer, running_site
from runcard.store.engine.tables import runs

_ANSWER_WITHIN_S = 60.0
_PAUSE_S = 0.1
_QUESTION_EVERY_S = 0.5
_FOLLOWED_WITHIN_S = 120.0


class Line(msgspec.Struct):
    """survived: after how many of the kills the server answered again before the next one came.

    requests: with which stations reported, also again. failed: those that were not answered with 200.

    lost: acknowledged runs that are not in the record. twice: reports of which it has more than one run.
    copied: runs that the columnar copy has in the end. longest_gap_s: the longest time without an acknowledged run.
    questions, unanswered: of somebody who asks for figures meanwhile; those not answered with 200.
    """

    seconds: float
    kills: int
    survived: int
    stations: int
    requests: int
    failed: int
    error_ratio: float
    acknowledged: int
    recorded: int
    lost: int
    twice: int
    copied: int
    runs_per_s: float
    longest_gap_s: float
    questions: int
    unanswered: int


class Stations:
    """Stations that report runs, each again until it is acknowledged. `statuses` counts answers, 0: none came."""

    def __init__(self, site: LargeSite, procedure_id: str) -> None:
        self._site = site
        self._procedure_id = procedure_id
        self._lock = threading.Lock()
        self.statuses: Counter[int] = Counter()
        # When each report was acknowledged.
        self.acknowledged: dict[str, float] = {}

    def report(self, station: int, until: float) -> None:
        """Report runs until that time, and the last one until it is acknowledged."""
        for number in count():
            if time.monotonic() >= until:
                return
            self._report_one(f"S{station:03}-{number:06}")

    def _report_one(self, reference: str) -> None:
        body = _run(self._procedure_id, reference)
        with _client(self._site, self._site.records.api_key) as client:
            while not self._is_acknowledged(client, reference, body):
                time.sleep(_PAUSE_S)

    def _is_acknowledged(self, client: httpx.Client, reference: str, body: Any) -> bool:
        try:
            answer = client.post("/api/v2/runs", json=body)
            status = answer.status_code
        except httpx.TransportError:
            status = 0
        if status not in (0, 200) and status < 500:
            raise BenchFailed(f"A run was refused with {status}: {answer.text}")
        with self._lock:
            self.statuses[status] += 1
            if status == 200:
                self.acknowledged[reference] = time.monotonic()
        return status == 200


def _run(procedure_id: str, reference: str) -> Any:
    started = datetime(2026, 1, 5, 6, tzinfo=UTC)
    ended = (started + timedelta(seconds=30)).isoformat()
    measured = [
        {"name": f"m{number}", "outcome": "PASS", "measured_value": 3.3 + number, "units": "V"}
        for number in range(5)
    ]
    times = {"started_at": started.isoformat(), "ended_at": ended}
    return {
        "procedure_id": procedure_id,
        "serial_number": reference,
        "client_run_ref": reference,
        "part_number": "PCB-01",
        "outcome": "PASS",
        "phases": [{"name": "power on", "outcome": "PASS", "measurements": measured, **times}],
        **times,
    }


def _client(site: LargeSite, api_key: str) -> httpx.Client:
    headers = {"Authorization": f"Bearer {api_key}"}
    return httpx.Client(base_url=site.url, verify=site.tls, headers=headers, timeout=_ANSWER_WITHIN_S)


class Kills(NamedTuple):
    """survived: after how many of them the server answered before the next one came."""

    kills: int
    survived: int


def _kill_again_and_again(server: OneServer, every_s: float, until: float) -> Kills:
    """Kill a server and start it at once, so often."""
    kills = survived = 0
    next_at = time.monotonic() + every_s
    while next_at < until:
        time.sleep(max(0.0, next_at - time.monotonic()))
        server.process.kill()
        server.process.start()
        kills, next_at = kills + 1, time.monotonic() + every_s
        survived += server.answers_before(next_at)
    server.wait_until_it_answers()
    return Kills(kills, survived)


def _ask_again_and_again(site: LargeSite, until: float) -> Counter[int]:
    """Ask for figures until that time, and return how often each status came; 0: no answer."""
    statuses: Counter[int] = Counter()
    while time.monotonic() < until:
        try:
            with _client(site, site.records.member_key) as client:
                statuses[client.get("/api/analytics/throughput").status_code] += 1
        except httpx.TransportError:
            statuses[0] += 1
        time.sleep(_QUESTION_EVERY_S)
    return statuses


def measure(site: LargeSite, seconds: float, every_s: float, stations: int) -> Line:
    """Let stations report while the first server is killed. Raises BenchFailed if a run is refused."""
    with _client(site, site.records.member_key) as client:
        [procedure] = client.get("/api/v2/procedures").raise_for_status().json()["data"]
    reporting = Stations(site, procedure["id"])
    began = time.monotonic()
    until = began + seconds
    with ThreadPoolExecutor(stations + 1) as pool:
        asked = pool.submit(_ask_again_and_again, site, until)
        reports = [pool.submit(reporting.report, station, until) for station in range(stations)]
        killed = _kill_again_and_again(site.servers[0], every_s, until)
        for report in reports:
            report.result()
    took_s = time.monotonic() - began
    recorded = _recorded(site)
    requests, answered = reporting.statuses.total(), asked.result()
    failed = requests - reporting.statuses[200]
    moments = sorted([began, *reporting.acknowledged.values()])
    return Line(
        seconds=round(took_s, 1),
        **killed._asdict(),
        stations=stations,
        requests=requests,
        failed=failed,
        error_ratio=round(failed / requests, 4),
        acknowledged=len(reporting.acknowledged),
        recorded=recorded.total(),
        lost=len(reporting.acknowledged.keys() - recorded.keys()),
        twice=sum(times > 1 for times in recorded.values()),
        copied=_copied(site, recorded.total()),
        runs_per_s=round(len(reporting.acknowledged) / took_s, 1),
        longest_gap_s=round(max(later - one for one, later in pairwise(moments)), 2),
        questions=answered.total(),
        unanswered=answered.total() - answered[200],
    )


def _recorded(site: LargeSite) -> Counter[str]:
    """How often each report is in the record."""
    with site.records.opened() as (database, organization_id), database.read() as connection:
        query = select(runs.c.client_run_ref).where(runs.c.organization_id == organization_id)
        return Counter(connection.execute(query).scalars())


def _copied(site: LargeSite, recorded: int) -> int:
    """How many runs a question counts, once it counts this many, or in the end."""
    until, found = time.monotonic() + _FOLLOWED_WITHIN_S, 0
    with _client(site, site.records.member_key) as client:
        while found != recorded and time.monotonic() < until:
            answer = client.get("/api/analytics/throughput")
            found = answer.json()["n"] if answer.status_code == 200 else found
            time.sleep(_PAUSE_S)
    return found


def _check(line: Line) -> None:
    if line.lost or line.twice or line.recorded != line.acknowledged or line.copied != line.recorded:
        raise BenchFailed(f"What was acknowledged is not what is there: {line}")


def _table(line: Line) -> Table:
    table = Table("what", "", title="One of two servers is killed again and again")
    for name in line.__struct_fields__:
        table.add_row(name, f"{getattr(line, name):,}")
    return table


def main(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON line.")] = False,
    seconds: Annotated[float, typer.Option(min=1, help="How long stations report.")] = 60.0,
    every_s: Annotated[float, typer.Option(min=0.1, help="Seconds from one kill to the next.")] = 5.0,
    stations: Annotated[int, typer.Option(min=1, help="How many report at once.")] = 32,
) -> None:
    """Kill one of two servers again and again. No acknowledged run may be lost, and none be there twice."""
    try:
        with TemporaryDirectory(prefix="runcard-bench-") as folder, running_site(Path(folder)) as site:
            line = measure(site, seconds, every_s, stations)
            _check(line)
    except BenchFailed as error:
        print(f"Failed. {error}", file=sys.stderr)
        raise typer.Exit(1) from error
    if as_json:
        print(msgspec.json.encode(line).decode())
    else:
        Console().print(_table(line))


if __name__ == "__main__":
    typer.run(main)
