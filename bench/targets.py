"""The cases of the bench, and a running server for each."""

import select
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

import psutil

from bench.bodies import Requests, Template
from bench.failure import BenchFailed
from bench.postgres import postgresql
from bench.records import HandMadeRecords, Records, RuncardRecords

_ROOT = Path(__file__).parents[1]
_READY_WITHIN_S = 60
_STOPPED_WITHIN_S = 15
_LOG_TAIL_BYTES = 4000
# A server at rest still checks now and then whether there is something to do.
_AT_REST_RATIO = 0.05
_AT_REST_WITHIN_S = 120
_LOOK_S = 0.5
# The directory of the PostgreSQL server, inside that of the bench.
_POSTGRESQL = "postgres-data"


class Case(NamedTuple):
    """server: its name in `servers.py`. processes: how many share the port."""

    name: str
    server: str
    on_postgresql: bool
    processes: int = 1

    @property
    def stores(self) -> bool:
        return self.server != "no_store"


CASES = {
    case.name: case
    for case in (
        Case("no_store", "no_store", on_postgresql=False),
        Case("sqlite", "runcard", on_postgresql=False),
        Case("sqlite_without_copy", "no_copy", on_postgresql=False),
        Case("sqlite_without_activity", "no_activity", on_postgresql=False),
        Case("sqlite_with_metrics", "metrics", on_postgresql=False),
        Case("sqlite_proof_switch", "proof_switch", on_postgresql=False),
        Case("postgresql", "runcard", on_postgresql=True),
        Case("postgresql_without_activity", "no_activity", on_postgresql=True),
        Case("postgresql_2_workers", "runcard", on_postgresql=True, processes=2),
        Case("hand_made", "hand_made", on_postgresql=True),
        Case("hand_made_copy", "hand_made_copy", on_postgresql=True),
    )
}


class Serving(NamedTuple):
    """A server on this port of the loopback address, and its processes."""

    port: int
    processes: Sequence[psutil.Process]

    def wait_until_it_rests(self) -> None:
        """Wait until it only checks whether there is something to do. Raises BenchFailed if it never rests."""
        until = time.monotonic() + _AT_REST_WITHIN_S
        used_s = self.used_s()
        while time.monotonic() < until:
            time.sleep(_LOOK_S)
            before_s, used_s = used_s, self.used_s()
            if used_s - before_s < _AT_REST_RATIO * _LOOK_S:
                return
        raise BenchFailed(f"The server at port {self.port} did not come to rest.")

    def used_s(self) -> float:
        """The processor time that the server has used, with all its processes."""
        family = [
            member for process in self.processes for member in (process, *process.children(recursive=True))
        ]
        return sum(sum(process.cpu_times()[:2]) for process in family)


class Target(NamedTuple):
    """A case and its running server. log: standard error of its processes."""

    case: Case
    data_dir: Path
    serving: Serving
    records: Records
    requests: Requests
    log: Path

    @property
    def port(self) -> int:
        return self.serving.port

    def log_tail(self) -> str:
        return self.log.read_bytes()[-_LOG_TAIL_BYTES:].decode(errors="replace").strip()


class Place(NamedTuple):
    """A case and its database. arguments: of the servers that run on it."""

    case: Case
    data_dir: Path
    records: Records
    templates: Sequence[Template]
    arguments: Sequence[str]
    log: Path


@contextmanager
def running(cases: Sequence[Case], templates: Sequence[Template], directory: Path) -> Iterator[list[Target]]:
    """A server for each case, each with a fresh database in `directory`. All are stopped in the end."""
    with prepared(cases, templates, directory) as places, ExitStack() as stack:
        yield [stack.enter_context(serving(place)) for place in places]


@contextmanager
def prepared(cases: Sequence[Case], templates: Sequence[Template], directory: Path) -> Iterator[list[Place]]:
    """A fresh database in `directory` for each case."""
    with ExitStack() as stack:
        names = [case.name for case in cases if case.on_postgresql]
        urls = stack.enter_context(postgresql(directory / _POSTGRESQL, names)) if names else {}
        yield [_place(case, templates, directory, urls.get(case.name)) for case in cases]


def postmaster(directory: Path) -> psutil.Process:
    """The first process of the PostgreSQL server that `prepared` has started in `directory`."""
    return psutil.Process(int((directory / _POSTGRESQL / "postmaster.pid").read_text().split()[0]))


@contextmanager
def serving(place: Place) -> Iterator[Target]:
    """A server that runs on the database of a case. It is stopped in the end."""
    case, records = place.case, place.records
    with server_process(place.arguments, place.log, case.processes) as started:
        requests = Requests(place.templates, "/v1/runs", records.api_key)
        yield Target(case, place.data_dir, started, records, requests, place.log)


@contextmanager
def server_process(arguments: Sequence[str], log: Path, processes: int = 1) -> Iterator[Serving]:
    """The server that `servers.py` starts with these arguments.

    processes: how many share its port. log: where their standard error goes.
    """
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=1024))
        started = [stack.enter_context(_process(arguments, listener, log)) for _ in range(processes)]
        port: int = listener.getsockname()[1]
        listener.close()  # so that a server that has died refuses connections
        yield Serving(port, [psutil.Process(process.pid) for process in started])


def _place(case: Case, templates: Sequence[Template], directory: Path, database_url: str | None) -> Place:
    data_dir = directory / case.name
    data_dir.mkdir()
    records: Records
    if case.server in ("hand_made", "hand_made_copy"):
        assert database_url is not None
        records = HandMadeRecords(database_url)
    else:
        records = RuncardRecords(data_dir, database_url)
    arguments = [case.server, "--data-dir", str(data_dir)]
    if database_url is not None:
        arguments += ["--database-url", database_url]
    return Place(case, data_dir, records, templates, arguments, directory / f"{case.name}.log")


@contextmanager
def _process(
    arguments: Sequence[str], listener: socket.socket, log: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """A server process that is ready to answer."""
    command = [sys.executable, "-m", "bench.servers", *arguments, "--fd", str(listener.fileno())]
    with log.open("ab") as errors:
        process = subprocess.Popen(
            command, cwd=_ROOT, stdout=subprocess.PIPE, stderr=errors, pass_fds=[listener.fileno()]
        )
    assert process.stdout is not None
    try:
        readable, _, _ = select.select([process.stdout], [], [], _READY_WITHIN_S)
        if not readable or process.stdout.readline() != b"ready\n":
            raise BenchFailed(f"The server did not start: {' '.join(command)}\n{log.read_text()}")
        yield process
    finally:
        process.terminate()
        try:
            process.wait(_STOPPED_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()
