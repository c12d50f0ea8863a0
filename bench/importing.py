"""A client that imports one file again and again, in a process of its own, which has little to load."""

import os
import sys
import time
from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Event
from typing import NamedTuple

import httpx

from bench.failure import BenchFailed

# As long as the longest import may take.
_TIMEOUT_S = 3600.0


class HostileFile(NamedTuple):
    """make: makes its content, given a size in its own measure. is_refused: nothing of it is recorded."""

    name: str
    importer: str
    make: Callable[[int], bytes]
    size: int
    is_refused: bool = True


class Imported(NamedTuple):
    """took_s: how long each finished import took. failure: what went wrong; empty: nothing."""

    took_s: list[float]
    failure: str


class Importing:
    """Sends a file again and again until it is stopped; the last import is finished.

    It has its own process with the lowest priority, as if on another machine: otherwise its own work would add to the
    time that stations wait.
    """

    def __init__(self, port: int, api_key: str, file: HostileFile, content: bytes) -> None:
        context = get_context("spawn")
        self._stop = context.Event()
        self._started = context.Event()
        self._results, sender = context.Pipe(duplex=False)
        work = _Work(port, api_key, file._replace(make=bytes), content)
        self._process = context.Process(target=_import_again, args=(work, self._started, self._stop, sender))

    def __enter__(self) -> "Importing":
        self._process.start()
        if not self._started.wait(_TIMEOUT_S):
            raise BenchFailed("The process that imports did not start.")
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()

    def result(self) -> Imported:
        """Wait until the last import is finished, and return the result."""
        found: Imported = self._results.recv()
        self._process.join()
        return found


class _Work(NamedTuple):
    """Which file to import, and where."""

    port: int
    api_key: str
    file: HostileFile
    content: bytes


def _import_again(work: _Work, started: Event, stop: Event, results: Connection) -> None:
    port, api_key, file, content = work
    os.nice(19)
    if sys.platform == "linux":
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    took_s: list[float] = []
    failure = ""
    headers = {"Authorization": f"Bearer {api_key}"}
    with httpx.Client(
        base_url=f"http://127.0.0.1:{port}/api/v2", headers=headers, timeout=_TIMEOUT_S
    ) as http:
        started.set()
        try:
            while not stop.is_set():
                since = time.perf_counter()
                _import(http, file, content)
                took_s.append(time.perf_counter() - since)
        except (httpx.HTTPError, BenchFailed) as error:
            failure = repr(error)
    results.send(Imported(took_s, failure))


def _import(http: httpx.Client, file: HostileFile, content: bytes) -> None:
    slot = http.post("/attachments", json={"name": file.name}).raise_for_status().json()
    httpx.put(slot["upload_url"], content=content, timeout=_TIMEOUT_S).raise_for_status()
    item = {"upload_id": slot["id"], "importer": file.importer}
    body = {"items": [item], "allow_duplicate": True}
    [result] = http.post("/imports/structured", json=body).raise_for_status().json()["results"]
    if result["success"] is file.is_refused:
        raise BenchFailed(f"{file.name}: {str(result)[:500]}")
