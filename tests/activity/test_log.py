"""From notes to calls: whose they are, what they are called, and what is kept of their bodies."""

import sqlite3
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import pytest
from fastapi import APIRouter
from starlette.routing import BaseRoute

from runcard.activity.log import ActivityLog, Endpoints
from runcard.activity.noted_calls import Note, Notes, new_notes
from runcard.auth.api_keys import new_api_key
from runcard.domain.actor import SystemActor
from runcard.store.calls.lists import CallDetail, CallFilter, get_call, list_calls
from runcard.store.calls.rows import Route
from runcard.store.commit.writer import Writer
from runcard.store.engine.database import Connection, Database
from runcard.store.people.api_keys import list_keys, revoke_key
from runcard.store.people.organizations import create_organization, find_only_organization
from tests.world import World

ENDPOINTS = Endpoints(["/api/v1", "/v1", "/api/v2"], {"/v1/runs", "/api/v2/runs"}, old=("/api/v1", "/v1"))

_router = APIRouter()


@_router.get("/units/{number}")
def usual() -> None:
    """A route that stays."""


@_router.get("/old", deprecated=True)
def leaving() -> None:
    """A route that goes."""


USUAL, LEAVING = _router.routes


def note(api_key: str | None = None, **fields: Any) -> Note:
    headers = [(name.encode(), value.encode("latin-1")) for name, value in fields.pop("headers", {}).items()]
    if api_key is not None:
        headers.append((b"authorization", f"Bearer {api_key}".encode()))
    values: dict[str, Any] = {
        "at_s": time.time(),
        "duration_s": 0.25,
        "status": 200,
        "method": "POST",
        "path": "/api/v2/runs",
        "route": None,
        "headers": headers,
        "query": b"",
        "body": b"",
        "answer": b"",
    }
    return Note(**(values | fields))


class Kept(NamedTuple):
    """A log on `database`, and what it has kept for an organization."""

    log: ActivityLog
    notes: Notes
    database: Database

    def of(self, organization_id: UUID, *notes: Note) -> list[CallDetail]:
        """What is kept after these, the earliest first."""
        self.notes.extend(notes)
        self.log.write_waiting()
        wanted = CallFilter(organization_id=organization_id, since=datetime.now(UTC) - timedelta(hours=1))
        with self.database.read_in(organization_id) as scope:
            rows = list_calls(scope.connection, wanted, 100)
            return [get_call(scope, row.id) for row in sorted(rows, key=lambda row: row.id)]


@pytest.fixture
def kept(database: Database) -> Iterator[Kept]:
    notes = new_notes()
    log = ActivityLog(notes, ENDPOINTS, database, database, timedelta(days=14))
    yield Kept(log, notes, database)
    log.close()


def test_a_call_is_its_callers(kept: Kept, world: World):
    headers = {"user-agent": "tofupilot-python/2.3 (Linux)"}
    told = headers | {"x-client-type": "python", "x-client-version": "2.3.1"}
    station, user, theirs = (
        note(world.acme.ict.api_key, headers=headers, at_s=time.time() - 60),
        note(world.acme.admin.api_key, headers=told),
        note(world.globex.admin.api_key),
    )
    by_station, by_user = kept.of(world.acme.id, station, user, theirs)
    assert by_station.row.owner_id == world.acme.ict.actor.station_id
    assert by_station.row.key_prefix == world.acme.ict.api_key[:8]
    assert (by_station.row.client, by_station.row.client_version) == ("tofupilot-python", "2.3")
    assert by_station.user_agent == "tofupilot-python/2.3 (Linux)"
    assert by_station.row.duration == timedelta(milliseconds=250)
    assert abs(by_station.row.at.timestamp() + 0.25 - station.at_s) < 1e-5
    assert by_user.row.owner_id == world.acme.admin.actor.user_id
    assert (by_user.row.client, by_user.row.client_version) == ("python", "2.3.1")
    [foreign] = kept.of(world.globex.id)
    assert (foreign.row.client, foreign.row.client_version, foreign.user_agent) == ("", "", "")


def test_a_revoked_key_is_still_somebodys(kept: Kept, world: World, writer: Writer, database: Database):
    with database.read_in(world.acme.id) as scope:
        [key] = [key for key in list_keys(scope) if key.station_id == world.acme.ict.actor.station_id]
    writer.write_shared(lambda tx: revoke_key(tx.of(SystemActor(world.acme.id, "test")), key.id))
    [call] = kept.of(world.acme.id, note(world.acme.ict.api_key, status=401))
    assert call.row.owner_id == world.acme.ict.actor.station_id


def test_calls_without_a_key_are_those_of_the_only_organization(kept: Kept, writer: Writer):
    home = writer.write_shared(lambda tx: create_organization(tx, "Only")).id
    stranger = new_api_key().api_key
    calls = kept.of(
        home, note(stranger, status=401), note(status=401), note(headers={"authorization": "Basic x"})
    )
    assert [(call.row.key_prefix, call.row.owner_id) for call in calls] == [("", None)] * 3
    other = writer.write_shared(lambda tx: create_organization(tx, "Other")).id
    assert len(kept.of(home, note(stranger, status=401))) == 3
    assert kept.of(other) == []


@pytest.mark.parametrize(
    ("path", "route", "named", "is_deprecated"),
    [
        ("/api/v2/runs", None, "/api/v2/runs", False),
        ("/v1/runs", None, "/v1/runs", True),
        ("/api/v2/units/SN-1", USUAL, "/api/v2/units/{number}", False),
        ("/api/v1/units/SN-1", USUAL, "/api/v1/units/{number}", True),
        ("/api/v2/old", LEAVING, "/api/v2/old", True),
        ("/api/v9/x", None, None, False),
        ("/api/v1/x", None, None, True),
    ],
    ids=["plain", "plain_old", "usual", "old", "leaving", "nowhere", "nowhere_old"],
)
def test_routes_are_named_and_judged(
    kept: Kept, world: World, path: str, route: BaseRoute | None, named: str | None, *, is_deprecated: bool
):
    [call] = kept.of(world.acme.id, note(world.acme.ict.api_key, path=path, route=route))
    assert call.row.route == Route("POST", named, is_deprecated)
    assert call.row.path == (None if path == named else path)


@pytest.mark.parametrize(
    ("media", "body", "shown"),
    [
        ("application/json; charset=utf-8", b'{"a": 1, "token": 2}', '{"a": 1, "token": "***"}'),
        ("", b'{"password": "x', '{"password": "***"'),
        ("application/x-www-form-urlencoded", b"secret=x&b=1", "secret=***&b=1"),
        ("application/octet-stream", b"PK", None),
        ("multipart/form-data; boundary=x", b"--x", None),
        ("application/json", b'"\xff\x00"', '"\ufffd\ufffd"'),
    ],
    ids=["json", "no_type", "form", "bytes", "multipart", "no_text"],
)
def test_bodies_of_failed_calls_are_kept_without_secrets(
    kept: Kept, world: World, media: str, body: bytes, shown: str | None
):
    failed = note(
        world.acme.ict.api_key,
        status=400,
        headers={"content-type": media} if media else {},
        path="/api/v2/a\0b" + "x" * 1000,
        query=b"api_key=x&q=%3Cb%3E",
        body=body,
        answer=b'{"error": "bad", "secret": 1}',
    )
    [call] = kept.of(world.acme.id, failed)
    assert call.body == shown
    assert call.query == "api_key=***&q=%3Cb%3E"
    assert call.answer == '{"error": "bad", "secret": "***"}'
    assert call.row.path is not None
    assert call.row.path.startswith("/api/v2/a\ufffdb")
    assert len(call.row.path) < 400


def test_what_waits_is_written_at_the_end_and_old_calls_are_gone(database: Database, world: World):
    notes = new_notes()
    notes.append(note(world.acme.ict.api_key))
    notes.append(note(world.acme.ict.api_key, at_s=time.time() - 2 * 86_400))
    log = ActivityLog(notes, ENDPOINTS, database, database, timedelta(days=1))
    log.close()
    wanted = CallFilter(organization_id=world.acme.id, since=datetime(2000, 1, 1, tzinfo=UTC))
    with database.read() as connection:
        assert len(list_calls(connection, wanted, 10)) == 1


GARBAGE = b"no database, and long enough to be taken for one" * 100


def last_hour(world: World) -> CallFilter:
    return CallFilter(organization_id=world.acme.id, since=datetime.now(UTC) - timedelta(hours=1))


def test_a_file_that_is_no_database_is_set_aside_and_begun_anew(
    database: Database,
    world: World,
    tmp_path_factory: pytest.TempPathFactory,
    caplog: pytest.LogCaptureFixture,
):
    path = tmp_path_factory.mktemp("damaged") / "activity.sqlite3"
    path.write_bytes(GARBAGE)
    notes = new_notes()
    notes.append(note(world.acme.ict.api_key))
    log = ActivityLog(notes, ENDPOINTS, Database.open(None, path), database, timedelta(days=1))
    log.write_waiting()
    assert len(log.ask(lambda connection: list_calls(connection, last_hour(world), 10))) == 1
    log.close()
    assert path.with_name("activity.sqlite3.damaged").read_bytes() == GARBAGE
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "is damaged and is begun anew" in caplog.text


def test_a_file_that_is_damaged_while_it_is_used_is_begun_anew_by_who_reads_or_writes(
    database: Database,
    world: World,
    tmp_path_factory: pytest.TempPathFactory,
    caplog: pytest.LogCaptureFixture,
):
    path = tmp_path_factory.mktemp("damaged") / "activity.sqlite3"
    notes = new_notes()
    log = ActivityLog(notes, ENDPOINTS, Database.open(None, path), database, timedelta(days=1))

    def kept() -> int:
        return len(log.ask(lambda connection: list_calls(connection, last_hour(world), 10)))

    def call() -> None:
        notes.append(note(world.acme.ict.api_key))
        log.write_waiting()

    call()
    assert kept() == 1
    damage(path)
    assert kept() == 0
    call()
    assert kept() == 1
    damage(path)
    call()
    kept()  # one of the two met the damage
    call()
    assert kept() >= 1
    log.close()
    assert caplog.text.count("is begun anew") == 2


def damage(path: Path) -> None:
    """Write over a database that is in use."""
    for file in path.parent.glob(f"{path.name}*"):
        # What SQLite has mapped into memory keeps its size: a process that reads past the end of it is ended.
        if file.name.endswith("-shm"):
            with file.open("r+b") as mapped:
                mapped.write(GARBAGE)
        elif file.suffix != ".damaged":
            file.write_bytes(GARBAGE)


def test_the_calls_of_the_record_itself_are_never_set_aside(database: Database, world: World):
    log = ActivityLog(new_notes(), ENDPOINTS, database, database, timedelta(days=1))

    def fail(_connection: Connection) -> None:
        raise DamagedError

    with pytest.raises(DamagedError):
        log.ask(fail)
    log.close()
    with database.read() as connection:
        assert find_only_organization(connection) is None


class DamagedError(sqlite3.DatabaseError):
    """As SQLite raises it."""

    sqlite_errorcode = sqlite3.SQLITE_CORRUPT
