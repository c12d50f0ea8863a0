"""The recorder keeps a recording process running whatever happens to it, and answers the runs that wait."""

import asyncio
import logging
import signal
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import pytest
from msgspec.structs import replace

from runcard.auth.admission import Admission
from runcard.auth.key_uses import KeyUses
from runcard.auth.tokens import digest_of
from runcard.domain.errors import WriteTimedOut
from runcard.domain.runs.report import RunReport
from runcard.edge.gate import Gate
from runcard.ingest.record_run import PreparedRun, prepare_run
from runcard.recording.orders import HEAD
from runcard.recording.recorder import Recorder, RecorderFailed
from runcard.store.engine.database import Database
from runcard.store.runs.rows import is_recorded
from tests.conftest import DatabaseKind
from tests.world import World

T = TypeVar("T")
Try = Callable[[Callable[[Recorder], Awaitable[T]]], T]


@pytest.fixture(scope="module", params=["sqlite"])
def database_kind(request: pytest.FixtureRequest) -> DatabaseKind:
    """What is tested here does not look at the database; test_crash.py does so with both kinds."""
    kind: DatabaseKind = request.param
    return kind


@pytest.fixture
def try_it(database: Database) -> Try[Any]:
    """Runs a coroutine that is given a recorder, which is closed in the end."""

    async def tried(work: Callable[[Recorder], Awaitable[Any]]) -> Any:
        recorder = Recorder(database, Gate(database, KeyUses()).forget)
        try:
            return await work(recorder)
        finally:
            await recorder.close()

    return lambda work: asyncio.run(tried(work))


@pytest.fixture
def admission(world: World) -> Admission:
    return Admission(digest_of(world.acme.admin.api_key), world.acme.admin.actor)


def run_of(serial: str, **also: Any) -> PreparedRun:
    return prepare_run(
        RunReport(procedure="FVT1", serial_number=serial, outcome="PASS", part_number="P", **also)
    )


def run_past_all_checks(serial: str) -> PreparedRun:
    """A run that cannot be handed over."""
    run = run_of(serial)
    return replace(run, report=replace(run.report, metadata={"n": 10**30}))


def test_an_order_that_cannot_be_handed_over_fails_alone(
    try_it: Try[UUID], admission: Admission, database: Database
) -> None:
    async def work(recorder: Recorder) -> UUID:
        await recorder.record(admission, run_of("BEFORE"))
        with pytest.raises(OverflowError):
            await recorder.record(admission, run_past_all_checks("POISON"))
        assert recorder._child is not None
        recorder._child._process.kill()
        return await recorder.record(admission, run_of("AFTER"))

    run_id = try_it(work)
    with database.read_in(admission.actor.organization_id) as scope:
        assert is_recorded(scope, run_id)


@pytest.mark.parametrize("garbage", [HEAD.pack(3) + b"\xff\xff\xff", HEAD.pack(1) + b"\x01", HEAD.pack(0)])
def test_an_answer_that_cannot_be_read_ends_its_process_alone(
    try_it: Try[None], admission: Admission, caplog: pytest.LogCaptureFixture, garbage: bytes
) -> None:
    async def work(recorder: Recorder) -> None:
        await recorder.record(admission, run_of("BEFORE"))
        assert recorder._child is not None
        recorder._child._incoming.feed_data(garbage)
        await recorder.record(admission, run_of("AFTER"))

    try_it(work)
    assert "a message of the recording process cannot be read" in caplog.text


@contextmanager
def noting_sigterm() -> Iterator[list[int]]:
    noted: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _frame: noted.append(number))
    try:
        yield noted
    finally:
        signal.signal(signal.SIGTERM, before)


def test_without_anybody_who_looks_after_the_process_the_server_ends_loudly(
    database: Database, admission: Admission, caplog: pytest.LogCaptureFixture
) -> None:
    async def work() -> None:
        recorder = Recorder(database, Gate(database, KeyUses()).forget)
        waiting = asyncio.create_task(recorder.record(admission, run_of("WAITING")))
        await asyncio.sleep(0)  # it reaches its await
        for task in recorder._lasting:
            task.cancel()
        with pytest.raises(WriteTimedOut):
            await waiting
        await recorder.close()
        with pytest.raises(RecorderFailed):
            recorder.check_ended_well()

    with noting_sigterm() as noted:
        asyncio.run(work())
    assert set(noted) == {signal.SIGTERM}
    assert logging.CRITICAL in [record.levelno for record in caplog.records]


def test_a_process_that_cannot_begin_is_tried_again_and_told_of_once(
    try_it: Try[UUID],
    admission: Admission,
    database: Database,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    turn = Path(f"{database.url.database}-turn")
    turn.unlink()
    turn.mkdir()  # no process can open it

    async def work(recorder: Recorder) -> UUID:
        waiting = asyncio.create_task(recorder.record(admission, run_of("WAITING")))
        tried: set[int] = set()
        while len(tried) < 4:
            await asyncio.sleep(0.01)
            if recorder._child is not None:
                tried.add(recorder._child._process.pid)
        turn.rmdir()  # noqa: ASYNC240 (one system call, in a test)
        return await waiting

    run_id = try_it(work)
    with database.read_in(admission.actor.organization_id) as scope:
        assert is_recorded(scope, run_id)
    assert caplog.text.count("no recording process can begin") == 1
    assert caplog.text.count("could begin again") == 1
    assert capfd.readouterr().err.count("Traceback") == 1
