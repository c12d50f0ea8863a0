"""What the doors let in at once: reads, log-ins and large bodies wait for their turn, and stations wait for none."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
from fastapi import FastAPI, Request
from starlette.responses import StreamingResponse
from starlette.types import Message

from runcard.activity.noted_calls import new_notes
from runcard.app import create_server
from runcard.domain.errors import TooManyReads
from runcard.edge.fair_share import FairShare, ShareLimits, ShareQueue, Shares
from runcard.edge.requests.services import Services
from runcard.edge.shares.reads import ReadsInTurn
from runcard.settings import Settings
from runcard.store.commit.writer import Writer
from runcard.store.engine.database import Database
from runcard.store.engine.migrate import migrate
from tests.world import World, build_world

MIB = 1024 * 1024


class Site(NamedTuple):
    """A server in this process."""

    http: httpx.AsyncClient
    services: Services
    world: World

    def key(self, api_key: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {api_key}"}

    async def report(self, padding: int = 0, **more: Any) -> httpx.Response:
        """A run of a station, so many bytes long at least."""
        body = {
            "procedure_id": self.world.acme.board.identifier,
            "unit_under_test": {"serial_number": "SN-1", "part_number": "PCB01"},
            "run_passed": True,
            "padding": "x" * padding,
        }
        key = self.key(self.world.acme.fct.api_key) | {"Content-Type": "application/json"}
        return await self.http.post("/v1/runs", content=json.dumps(body), headers=key, **more)


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, World]:
    data_dir = tmp_path_factory.mktemp("shares")
    database = Database.open(None, data_dir / "runcard.sqlite3")
    migrate(database)
    writer = Writer(database)
    world = build_world(writer)
    writer.close()
    database.close()
    return data_dir, world


Visit = Callable[[Callable[[Site], Awaitable[None]]], None]


@pytest.fixture
def at_site(installation: tuple[Path, World]) -> Visit:
    """Does something at a server that runs for as long."""

    def visit(do: Callable[[Site], Awaitable[None]]) -> None:
        async def play() -> None:
            async with _site(*installation) as site:
                await do(site)

        asyncio.run(play())

    return visit


@asynccontextmanager
async def _site(data_dir: Path, world: World) -> AsyncIterator[Site]:
    server = create_server(Settings(data_dir=data_dir, columnar_copy=False, activity=False), new_notes())
    transport = httpx.ASGITransport(server)
    async with (
        server.app.router.lifespan_context(server.app),
        httpx.AsyncClient(transport=transport, base_url="http://server", timeout=60) as http,
    ):
        yield Site(http, server.app.state.services, world)


def test_all_turns_of_a_key_leave_stations_and_others_alone(at_site: Visit):
    async def do(site: Site) -> None:
        viewer, admin = site.key(site.world.acme.viewer.api_key), site.key(site.world.acme.admin.api_key)
        async with AsyncExitStack() as held:
            for _ in range(2):
                await held.enter_async_context(site.services.shares.reading.taken(viewer["Authorization"]))
            waiting = [asyncio.create_task(site.http.get("/api/v2/runs", headers=viewer)) for _ in range(33)]
            [refused], still = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            answer = refused.result()
            assert (answer.status_code, answer.headers["Retry-After"]) == (429, "10")
            assert "stations come first" in answer.json()["message"]
            assert (await site.http.get("/api/v2/runs", headers=admin)).status_code == 200
            assert (await site.report()).status_code == 200
            assert not any(one.done() for one in still)
        assert {(await one).status_code for one in still} == {200}
        assert site.services.shares.reading.taken_now == 0

    at_site(do)


def test_a_page_is_told_with_a_page(at_site: Visit):
    async def do(site: Site) -> None:
        async with AsyncExitStack() as held:
            for _ in range(2):
                await held.enter_async_context(site.services.shares.reading.taken("a session"))
            cookie = {"Cookie": "runcard_session=a session"}
            waiting = [asyncio.create_task(site.http.get("/runs", headers=cookie)) for _ in range(33)]
            [refused], _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            answer = refused.result()
            assert (answer.status_code, answer.headers["Retry-After"]) == (429, "10")
            assert "Slow down" in answer.text
        await asyncio.gather(*waiting)

    at_site(do)


def test_log_ins_that_wait_for_their_hash_keep_nobody_from_reading(at_site: Visit):
    async def do(site: Site) -> None:
        key = site.key(site.world.acme.viewer.api_key)
        async with AsyncExitStack() as held:
            for number in range(2):
                await held.enter_async_context(site.services.shares.hashing.taken(f"192.0.2.{number}"))
            # More than the server has threads.
            log_ins = [asyncio.create_task(site.http.post("/log-in", data={})) for _ in range(60)]
            assert (await site.http.get("/api/v2/runs", headers=key)).status_code == 200
            assert (await site.report()).status_code == 200
            assert not any(one.done() for one in log_ins)
        assert {(await one).status_code for one in log_ins} == {403}  # a form without its token

    at_site(do)


def test_large_bodies_wait_for_room_and_small_ones_do_not(at_site: Visit):
    async def do(site: Site) -> None:
        async with site.services.shares.large_bodies.taken("another", 10**12):
            large = asyncio.create_task(site.report(2 * MIB))
            assert (await site.report()).status_code == 200
            assert not large.done()
        assert (await large).status_code == 200
        assert site.services.shares.large_bodies.taken_now == 0

    at_site(do)


def test_a_body_that_does_not_tell_its_size_is_counted_as_it_comes(at_site: Visit):
    async def do(site: Site) -> None:
        async def pieces() -> AsyncIterator[bytes]:
            yield b'{"padding": "'
            for _ in range(3):
                yield b"x" * MIB
            yield b'"}'

        key = site.key(site.world.acme.admin.api_key) | {"Content-Type": "application/json"}
        async with site.services.shares.large_bodies.taken("another", 10**12):
            large = asyncio.create_task(site.http.post("/api/v2/procedures", content=pieces(), headers=key))
            assert (await site.report()).status_code == 200
            assert not large.done()
        assert (await large).status_code == 400  # a procedure has a name

    at_site(do)


class NeverRead:
    """A connection that takes two pieces of an answer and no more."""

    def __init__(self) -> None:
        self.taken = 0

    async def send(self, _message: Message) -> None:
        self.taken += 1
        if self.taken > 2:
            await asyncio.Event().wait()

    async def receive(self) -> Message:
        """The request has no body, and its sender stays."""
        await asyncio.Event().wait()
        raise AssertionError


def test_an_answer_that_nobody_reads_loses_its_turn():
    async def play() -> None:
        app = FastAPI()
        reading = FairShare(ShareLimits(1, 1), ShareQueue(1, 60, TooManyReads))

        @app.get("/export")
        def export() -> StreamingResponse:
            return StreamingResponse(b"piece" for _ in range(1000))

        async def answer(_request: Request, error: Exception) -> Any:
            raise error

        app.state.services = _PartsToRead(Shares(reading, reading, reading))
        app.add_middleware(
            ReadsInTurn,
            session_of=lambda request: request.cookies.get("session"),
            answer=answer,
            taken_within_s=0.01,
        )
        connection = NeverRead()
        scope = {
            "type": "http",
            "asgi": {"spec_version": "2.3"},
            "method": "GET",
            "path": "/export",
            "raw_path": b"/export",
            "query_string": b"",
            "headers": [(b"authorization", b"Bearer x")],
        }
        await app(scope, connection.receive, connection.send)
        assert connection.taken == 3
        assert reading.taken_now == 0

    asyncio.run(play())


class _PartsToRead(NamedTuple):
    shares: Shares
