"""The cases of the bench, and a running server for each."""

import select
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from bench.bodies import Requests, Template
from bench.failure import BenchFailed
from bench.postgres import postgresql
from bench.records import HandMadeRecords, Records, RuncardRecords

_ROOT = Path(__file__).parents[1]
_READY_WITHIN_S = 60
_STOPPED_WITHIN_S = 15
_LOG_TAIL_BYTES = 4000


class Case(NamedTuple):
    """server: what `servers.py` calls it; processes: how many of them share the port."""

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
        Case("postgresql", "runcard", on_postgresql=True),
        Case("postgresql_without_activity", "no_activity", on_postgresql=True),
        Case("postgresql_2_workers", "runcard", on_postgresql=True, processes=2),
        Case("hand_made", "hand_made", on_postgresql=True),
    )
}


class Target(NamedTuple):
    """A case with its server running. log: what its processes wrote to standard error."""

    case: Case
    port: int
    records: Records
    requests: Requests
    log: Path

    def log_tail(self) -> str:
        return self.log.read_bytes()[-_LOG_TAIL_BYTES:].decode(errors="replace").strip()


class Place(NamedTuple):
    """A case with its database, for servers to run on. arguments: what these are started with."""

    case: Case
    records: Records
    templates: Sequence[Template]
    arguments: Sequence[str]
    log: Path


@contextmanager
def running(cases: Sequence[Case], templates: Sequence[Template], directory: Path) -> Iterator[list[Target]]:
    """A server of its own for each case, with a fresh database in `directory`; all stopped in the end."""
    with prepared(cases, templates, directory) as places, ExitStack() as stack:
        yield [stack.enter_context(serving(place)) for place in places]


@contextmanager
def prepared(cases: Sequence[Case], templates: Sequence[Template], directory: Path) -> Iterator[list[Place]]:
    """A fresh database in `directory` for each case."""
    with ExitStack() as stack:
        names = [case.name for case in cases if case.on_postgresql]
        urls = stack.enter_context(postgresql(directory / "postgres-data", names)) if names else {}
        yield [_place(case, templates, directory, urls.get(case.name)) for case in cases]


@contextmanager
def serving(place: Place) -> Iterator[Target]:
    """A server that runs on what is there, stopped in the end."""
    case, records = place.case, place.records
    with server_process(place.arguments, place.log, case.processes) as port:
        requests = Requests(place.templates, "/v1/runs", records.api_key)
        yield Target(case, port, records, requests, place.log)


@contextmanager
def server_process(arguments: Sequence[str], log: Path, processes: int = 1) -> Iterator[int]:
    """The port of the loopback address at which a server answers that `servers.py` makes of these arguments.

    processes: so many share it. log: what they write to standard error.
    """
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=1024))
        for _ in range(processes):
            stack.enter_context(_process(arguments, listener, log))
        port: int = listener.getsockname()[1]
        listener.close()  # so that a server that has died refuses connections
        yield port


def _place(case: Case, templates: Sequence[Template], directory: Path, database_url: str | None) -> Place:
    data_dir = directory / case.name
    data_dir.mkdir()
    records: Records
    if case.server == "hand_made":
        assert database_url is not None
        records = HandMadeRecords(database_url)
    else:
        records = RuncardRecords(data_dir, database_url)
    arguments = [case.server, "--data-dir", str(data_dir)]
    if database_url is not None:
        arguments += ["--database-url", database_url]
    return Place(case, records, templates, arguments, directory / f"{case.name}.log")


@contextmanager
def _process(arguments: Sequence[str], listener: socket.socket, log: Path) -> Iterator[None]:
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
        yield
    finally:
        process.terminate()
        try:
            process.wait(_STOPPED_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()
