"""Questions to a server while runs arrive: real reports at a set rate, and the 16 questions in turn over REST."""

import math
import random
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import fmean, median
from typing import Any, NamedTuple

import httpx
import msgspec

from bench.bodies import Requests, Template, make_templates
from bench.copied_runs import A_PHASE, CopiedRuns, Floor
from bench.failure import BenchFailed
from bench.load import Load, drive
from bench.records import secret_of
from bench.targets import server_process
from bench.typical_questions import END, QUESTIONS
from runcard.auth.tokens import new_token
from runcard.domain.actor import SystemActor
from runcard.store.commit.transaction import SharedTransaction
from runcard.store.engine.database import Database
from runcard.store.people.api_keys import create_station_key, create_user_key
from runcard.store.people.users import create_user
from runcard.store.runs.rows import count_runs_since

_TEMPLATES = 2000
_CONNECTIONS = 32
_QUIET_ROUNDS = 9
_OK = 200
_ANSWERED_WITHIN_S = 60.0
_MORE_THAN_EVER = 2**31
# The bodies repeat. All of them are newer than the other runs of the floor.
_STARTED_AT = END - timedelta(days=1)
_APART = timedelta(seconds=30)
_EVER = datetime(1970, 1, 1, tzinfo=UTC)


class Line(msgspec.Struct):
    """A question over HTTP. quiet_p50_ms: while nothing arrives; the other times: while runs arrive.

    answers: their number. current_ratio: the share of answers that included all that was recorded before the question.
    """

    question: str
    quiet_p50_ms: float
    p50_ms: float
    p95_ms: float
    answers: int
    current_ratio: float


class Summary(msgspec.Struct):
    """asked_per_s: runs a second that should arrive. arrived_per_s: runs a second that were answered with 200.

    report_p50_ms, report_p99_ms: of these answers, from when the report was due. visible_p50_s, visible_p95_s: from
    the answer to a report until a question counts its run.
    """

    asked_per_s: float
    arrived_per_s: float
    arrived: int
    report_p50_ms: float
    report_p99_ms: float
    quiet_sum_ms: float
    sum_ms: float
    p50_ms: float
    p95_ms: float
    current_ratio: float
    visible_p50_s: float
    visible_p95_s: float


class Keys(NamedTuple):
    """The keys of a station that reports, and of a member who asks."""

    station: str
    member: str


class _TimedAnswer(NamedTuple):
    took_ms: float
    is_current: bool


# By the name of the question.
_Times = Mapping[str, Sequence[_TimedAnswer]]


def add_keys(copied: CopiedRuns) -> Keys:
    """Make keys for a server on this database."""
    keys = Keys(new_token("rc"), new_token("rc"))

    def add(tx: SharedTransaction) -> None:
        organization_id = copied.floor.organization_id
        create_station_key(
            tx.of(SystemActor(organization_id, "test")),
            copied.floor.stations[0].station_id,
            secret_of(keys.station),
        )
        member = create_user(
            tx.of(SystemActor(organization_id, "test")),
            "bench@example.com",
            name="Bench",
            role="admin",
            password_hash=None,
        )
        create_user_key(tx.of(SystemActor(organization_id, "test")), member.id, secret_of(keys.member))

    copied.writer.write_shared(add)
    return keys


def ask_while_arriving(
    data_dir: Path, floor: Floor, keys: Keys, per_s: float, seconds: float
) -> tuple[list[Line], Summary]:
    """A line for each question, and a summary. data_dir: as `copied_runs` left it; a server runs on it.

    Raises BenchFailed if a report or a question is not answered, or if an answered report was not recorded.
    """
    runs_before = _count_runs(data_dir, floor)
    most = math.ceil(per_s * seconds)
    templates = make_templates(
        min(_TEMPLATES, most), _STARTED_AT, _APART, str(floor.procedure_ids[0]), _phase
    )
    log = data_dir / "server.log"
    with (
        server_process(["runcard", "--data-dir", str(data_dir)], log) as server,
        httpx.Client(base_url=f"http://127.0.0.1:{server.port}", timeout=_ANSWERED_WITHIN_S) as http,
        ThreadPoolExecutor(1) as pool,
    ):
        _ask_all(http, floor, keys)
        quiet = _together(
            [_ask_all(http, floor, keys) for _ in range(min(_QUIET_ROUNDS, math.ceil(seconds)))]
        )
        requests = Requests(templates, "/v1/runs", keys.station)
        arriving = pool.submit(drive, server.port, _CONNECTIONS, seconds, requests, per_s)
        rounds: list[Mapping[str, _TimedAnswer]] = []
        visible_s: list[float] = []
        while not arriving.done():
            rounds.append(_ask_all(http, floor, keys))
            visible_s.append(_seconds_until_visible(http, keys, templates[0], f"SEEN-{len(visible_s)}"))
        load = arriving.result()
    recorded = _count_runs(data_dir, floor) - runs_before - len(visible_s)
    if load.refused or recorded != load.answered:
        raise BenchFailed(
            f"Of the reports {load.answered} were answered with 200 and {load.refused} were not; {recorded} were "
            f"recorded\n{log.read_text()[-4000:]}"
        )
    times = _together(rounds)
    lines = [_line(name, quiet[name], taken) for name, taken in times.items()]
    return lines, _summary(per_s, load, lines, times, sorted(visible_s))


def _ask_all(http: httpx.Client, floor: Floor, keys: Keys) -> Mapping[str, _TimedAnswer]:
    """Ask all questions, one after the other, and return their answers' times by name."""
    taken = {}
    for question in QUESTIONS:
        path, query = question.url(floor)
        started = time.perf_counter()
        answer = _get(http, keys, path, query)
        took_ms = (time.perf_counter() - started) * 1000
        taken[question.name] = _TimedAnswer(took_ms, answer["freshness"]["is_current"])
    return taken


def _seconds_until_visible(http: httpx.Client, keys: Keys, template: Template, serial_number: str) -> float:
    """Report a new unit; return the seconds from the answer until a question counts its run."""
    body = template.with_serial(serial_number)
    answer = http.post("/v1/runs", content=body, headers=_bearer(keys.station))
    if answer.status_code != _OK:
        raise BenchFailed(f"A report was answered with {answer.status_code}: {answer.text[:200]}")
    started = time.perf_counter()
    while not _get(http, keys, "/api/analytics/throughput", {"serial_numbers": serial_number})["n"]:
        if time.perf_counter() - started > _ANSWERED_WITHIN_S:
            raise BenchFailed(
                f"No question counts {serial_number}, which was recorded {_ANSWERED_WITHIN_S} s ago"
            )
    return time.perf_counter() - started


def _get(http: httpx.Client, keys: Keys, path: str, query: Mapping[str, str]) -> dict[str, Any]:
    answer = http.get(path, params=query, headers=_bearer(keys.member))
    if answer.status_code != _OK:
        raise BenchFailed(f"{path}: {answer.status_code} {answer.text[:200]}")
    found: dict[str, Any] = answer.json()
    return found


def _bearer(key: str) -> Mapping[str, str]:
    return {"Authorization": f"Bearer {key}"}


def _count_runs(data_dir: Path, floor: Floor) -> int:
    """The number of runs in the database. The other runs of the floor are only in the copy."""
    database = Database.open(None, data_dir / "runcard.sqlite3")
    try:
        with database.read_in(floor.organization_id) as scope:
            return count_runs_since(scope, _EVER, _MORE_THAN_EVER)
    finally:
        database.close()


def _together(rounds: Sequence[Mapping[str, _TimedAnswer]]) -> _Times:
    return {question.name: [answers[question.name] for answers in rounds] for question in QUESTIONS}


def _line(name: str, quiet: Sequence[_TimedAnswer], taken: Sequence[_TimedAnswer]) -> Line:
    return Line(
        name,
        round(median(answer.took_ms for answer in quiet), 1),
        round(_percentile_ms(taken, 0.5), 1),
        round(_percentile_ms(taken, 0.95), 1),
        len(taken),
        round(fmean(answer.is_current for answer in taken), 3),
    )


def _summary(
    per_s: float, load: Load, lines: Sequence[Line], times: _Times, visible_s: Sequence[float]
) -> Summary:
    every = [answer for answers in times.values() for answer in answers]
    return Summary(
        per_s,
        round(load.per_s, 1),
        load.answered,
        round(load.percentile_ms(0.5), 1),
        round(load.percentile_ms(0.99), 1),
        round(sum(line.quiet_p50_ms for line in lines), 1),
        round(sum(line.p50_ms for line in lines), 1),
        round(_percentile_ms(every, 0.5), 1),
        round(_percentile_ms(every, 0.95), 1),
        round(fmean(answer.is_current for answer in every), 3),
        round(median(visible_s), 3),
        round(visible_s[int(len(visible_s) * 0.95)], 3),
    )


def _percentile_ms(taken: Sequence[_TimedAnswer], ratio: float) -> float:
    times = sorted(answer.took_ms for answer in taken)
    return times[min(int(len(times) * ratio), len(times) - 1)]


def _phase(rng: random.Random, run_started_at: datetime, number: int) -> dict[str, Any]:
    """A phase like those of the floor, as v1 sends it."""
    started_ms = int(run_started_at.timestamp() * 1000) + 3000 * number
    return {
        "name": f"phase_{number}",
        "outcome": "PASS",
        "start_time_millis": started_ms,
        "end_time_millis": started_ms + rng.randint(500, 2999),
        "measurements": [
            {
                "name": f"value_{number}_{place}",
                "outcome": "PASS",
                "measured_value": round(rng.gauss(5, 0.25), 5),
                "units": "V",
                "lower_limit": 4.0 if place != 3 else None,
                "upper_limit": 6.0,
            }
            for place in range(A_PHASE)
        ],
    }
