"""What somebody without a key can do to a server by connections alone: not much."""

import resource
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path
from threading import Event
from urllib.parse import urlsplit

import httpx
import pytest

from tests.acceptance.wire import assert_error, create_run, run_of, runs_of
from tests.conftest import DatabaseKind, Template
from tests.servers import DEADLINE_S, Server

OPEN_FILES = 256
IDLE = 1100


@pytest.fixture(scope="module")
def database_kind() -> DatabaseKind:
    """It makes no difference here."""
    return "sqlite"


@pytest.fixture(scope="module")
def server(module_data_dir: Path, peopled_database_url: str | None, peopled: Template) -> Iterator[Server]:
    """A server that may have few files open, as some shells and services let it."""
    assert peopled.world is not None
    running = Server(module_data_dir, peopled_database_url, peopled.world)
    running.open_files = OPEN_FILES
    running.start()
    yield running
    running.stop()


def connected(server: Server) -> socket.socket:
    url = urlsplit(server.url)
    assert url.hostname is not None
    assert url.port is not None
    return socket.create_connection((url.hostname, url.port), timeout=DEADLINE_S)


def test_a_station_records_beside_1100_idle_connections(server: Server, admin: httpx.Client, serial: str):
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    are_there = Event()

    def record(station: httpx.Client) -> int:
        """Runs, for as long as the others come in."""
        count = 0
        while not are_there.is_set():
            create_run(station, run_of(serial))
            count += 1
        return count

    key = server.world.acme.fct.api_key
    with ExitStack() as stack, ThreadPoolExecutor() as threads, server.client(key) as station:
        create_run(station, run_of(serial))
        recording = threads.submit(record, station)
        try:
            for _ in range(IDLE):
                stack.enter_context(connected(server))
        finally:
            are_there.set()
        count = 1 + recording.result()
        for _ in range(10):
            with server.client(key) as newcomer:
                create_run(newcomer, run_of(serial))
        assert len(runs_of(admin, serial)) == count + 10


def test_a_station_records_beside_a_header_without_end(server: Server, admin: httpx.Client, serial: str):
    with connected(server) as stranger:
        stranger.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nX-A: ")
        with suppress(ConnectionError):
            for _ in range(128):
                stranger.sendall(b"a" * 1_000_000)
        create_run(admin, run_of(serial))
        with suppress(ConnectionError):
            assert stranger.recv(65_536).startswith(b"HTTP/1.1 431 ")


def test_a_file_that_ends_too_early_is_none_and_no_failure(server: Server, admin: httpx.Client):
    """`server` is asked in the end whether it met one."""
    slot = admin.post("/uploads/initialize", json={"name": "a.bin"}).json()
    with connected(server) as cut_short:
        path = urlsplit(slot["uploadUrl"]).path
        cut_short.sendall(f"PUT {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n12345".encode())
        cut_short.shutdown(socket.SHUT_WR)
        assert cut_short.recv(1) == b""
    run_id = create_run(admin, run_of("CUT-SHORT"))
    answer = admin.post("/uploads/sync", json={"upload_id": slot["id"], "run_id": run_id})
    assert_error(answer, 409, "CONFLICT")
