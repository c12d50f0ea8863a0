"""A server process of the bench: Runcard as it is, without its columnar copy, without its log of calls, with figures
for Prometheus, without the write, with a switch for hashing, or made by hand with an ORM or with COPY.

`targets.py` starts it and passes on a listening socket. It prints "ready" when it is.
"""

import argparse
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import uvicorn
from fastapi import FastAPI
from starlette.types import ASGIApp

from bench import hand_made, hand_made_copy
from bench.proof_switch import obey_switch
from runcard.activity.noted_calls import NotedCalls, new_notes
from runcard.app import create_app, create_server
from runcard.auth.admission import Admission
from runcard.edge.connections.compression import Compression
from runcard.edge.connections.entrance import Entrance
from runcard.edge.connections.http_connections import HttpConnections
from runcard.edge.connections.limits import limits_of_this_process
from runcard.edge.connections.proxies import Proxies
from runcard.edge.requests.paths import ApiPaths
from runcard.ingest.record_run import PreparedRun
from runcard.recording.recorder import Recorder
from runcard.settings import Settings

KINDS = (
    "runcard",
    "no_copy",
    "no_activity",
    "metrics",
    "proof_switch",
    "no_store",
    "hand_made",
    "hand_made_copy",
)


class NoRecorder:
    """Takes the place of the Recorder: drops each run and answers at once."""

    async def record(self, _admission: Admission, run: PreparedRun) -> UUID:
        return run.id


def without_store(server: ApiPaths) -> ApiPaths:
    """The same server, which decodes, checks and packs runs, and then drops them."""
    router = server.app.router
    whole = router.lifespan_context

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[Any]:
        async with whole(app) as state:
            app.state.services = app.state.services._replace(recorder=cast(Recorder, NoRecorder()))
            yield state

    router.lifespan_context = lifespan
    return server


def _server_of(kind: str, data_dir: Path, database_url: str | None, memory_mb: int | None) -> ASGIApp:
    if kind == "hand_made":
        assert database_url is not None
        return hand_made.create_app(database_url)
    if kind == "hand_made_copy":
        assert database_url is not None
        return hand_made_copy.create_app(database_url)
    settings = Settings(
        data_dir=data_dir,
        database_url=database_url,
        columnar_copy=kind in ("runcard", "no_activity", "metrics", "proof_switch"),
        activity=kind != "no_activity",
        metrics_token="a token of this bench" if kind == "metrics" else None,
        memory_mb=memory_mb,
    )
    if kind == "no_store":
        notes = new_notes()
        noted = NotedCalls(without_store(create_server(settings, notes)), notes)
        return Entrance(Compression(noted), Proxies(()))
    if kind == "proof_switch":
        obey_switch(data_dir)
    return create_app(settings)


class _Server(uvicorn.Server):
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        print("ready", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("--fd", type=int, required=True)
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--database-url")
    parser.add_argument("--memory-mb", type=int)
    given = parser.parse_args()
    config = uvicorn.Config(
        _server_of(given.kind, given.data_dir, given.database_url, given.memory_mb),
        loop="uvloop",
        http=HttpConnections(limits_of_this_process()).as_protocol,
        ws="none",
        proxy_headers=False,
        log_level="warning",
        access_log=False,
    )
    _Server(config).run([socket.socket(fileno=given.fd)])


if __name__ == "__main__":
    main()
