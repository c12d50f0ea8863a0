"""The database of a server: prepared for the bench, and read without the server."""

import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol
from uuid import UUID

from bench import hand_made, postgres
from bench.bodies import PROCEDURE
from bench.failure import BenchFailed
from bench.floor import Floor
from runcard.analytics.copy.columnar_copy import ColumnarCopy
from runcard.analytics.copy.projector import Projector
from runcard.auth.sessions import log_in
from runcard.auth.tokens import digest_of, display_prefix, new_token
from runcard.domain.actor import StationActor, SystemActor, UserActor
from runcard.domain.runs.measurement import Measurement
from runcard.domain.runs.phase import Phase
from runcard.domain.runs.report import RunReport
from runcard.ingest.record_run import prepare_run, record_run
from runcard.opening import open_copy, open_database
from runcard.settings import Settings
from runcard.store.commit.group_commit import MAX_GROUP, GroupCommit, Write
from runcard.store.commit.transaction import SharedTransaction
from runcard.store.commit.writer import Writer
from runcard.store.creator import Creator
from runcard.store.engine.database import Database
from runcard.store.engine.scope import Scope
from runcard.store.people.api_keys import KeptSecret, create_station_key, create_user_key
from runcard.store.people.organizations import create_organization
from runcard.store.people.users import create_user
from runcard.store.procedures.rows import create_procedure
from runcard.store.runs.rows import count_runs_since
from runcard.store.stations.rows import create_station, link_procedures

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MORE_THAN_EVER = 2**31
_SQLITE_FULL = 2


class Records(Protocol):
    """A database that holds an organization with a procedure, and a key that may report its runs."""

    api_key: str

    def count(self) -> int: ...

    def settled_bytes(self) -> int:
        """The size on disk in bytes, once background work is done."""
        ...


class RuncardRecords:
    """Runcard's own database, prepared and counted through its store."""

    def __init__(self, data_dir: Path, database_url: str | None) -> None:
        self._settings = Settings(data_dir=data_dir, database_url=database_url)
        self.api_key = new_token("rc")
        # A member's key: members may list what stations may not.
        self.member_key = new_token("rc")
        with self._writing() as writer:
            self._actor, self._member = writer.write_shared(self._prepare)

    def _prepare(self, tx: SharedTransaction) -> tuple[StationActor, UserActor]:
        if self._settings.database_url is None:
            _check_durable(tx)
        organization = create_organization(tx, "Bench")
        station = create_station(tx.of(SystemActor(organization.id, "test")), "Bench station")
        actor = StationActor(station.id, organization.id)
        creator = Creator.of(actor)
        procedure = create_procedure(tx.of(SystemActor(organization.id, "test")), "Board test", creator)
        assert procedure.identifier == PROCEDURE
        link_procedures(tx.of(SystemActor(organization.id, "test")), station.id, [procedure.id])
        create_station_key(tx.of(SystemActor(organization.id, "test")), station.id, secret_of(self.api_key))
        member = create_user(
            tx.of(SystemActor(organization.id, "test")),
            "bench@example.com",
            name="Bench",
            role="admin",
            password_hash=None,
        )
        create_user_key(tx.of(SystemActor(organization.id, "test")), member.id, secret_of(self.member_key))
        return actor, UserActor(member.id, organization.id, "admin")

    def furnish(self, units: int, many: int) -> None:
        """Add the other records of a large floor, `many` of each kind, and this many units. No server may run."""
        with self._writing() as writer:
            Floor(writer, self._actor, many).furnish(units)

    def fill(self, runs: int) -> None:
        """Record this many more runs, each with one measurement, and two to a unit. No server may run."""
        first = self.count()
        with self.opened() as (database, _):
            commits = GroupCommit(database)
            for start in range(first, first + runs, MAX_GROUP):
                numbers = range(start, min(start + MAX_GROUP, first + runs))
                for outcome in commits.commit([self._filling(number) for number in numbers]):
                    if outcome.error is not None:
                        raise outcome.error
                commits.rest()
            commits.close()

    def _filling(self, number: int) -> Write:
        measured = Measurement("supply_voltage", "PASS", 3.3, "V", 3.0, 3.6)
        report = RunReport(
            procedure=PROCEDURE,
            serial_number=f"FILL-{number // 2}",
            part_number=f"PART-{number % 8}",
            outcome="PASS",
            phases=(Phase("power_on", "PASS", _EPOCH, _EPOCH, (measured,)),),
        )
        run = prepare_run(report)
        keys = run.unit_keys(self._actor.organization_id)
        return Write(
            lambda shared: record_run(shared.of(self._actor), self._actor, run), keys, changes_catalog=False
        )

    def log_in(self) -> str:
        """Log the member in, and return the value of the session cookie. No server may run."""
        with self._writing() as writer:
            return writer.write(self._member, lambda tx: log_in(tx, self._member))

    @contextmanager
    def _writing(self) -> Iterator[Writer]:
        database = open_database(self._settings)
        writer = Writer(database)
        try:
            yield writer
        finally:
            writer.close()
            database.close()

    def follow(self) -> None:
        """Bring the columnar copy up to date, without the pauses of a server. No server may run."""
        with self.opened_copy() as copy, self.opened() as (database, _):
            projector = Projector(database, copy.engine)
            while projector.step().is_behind:
                pass

    def count(self) -> int:
        with self.opened() as (database, organization_id), database.read() as connection:
            return count_runs_since(Scope(connection, organization_id), _EPOCH, _MORE_THAN_EVER)

    @contextmanager
    def opened(self) -> Iterator[tuple[Database, UUID]]:
        """The database beside the server, and the organization in it."""
        database = Database.open(self._settings.database_url, self._settings.sqlite_path)
        try:
            yield database, self._actor.organization_id
        finally:
            database.close()

    @contextmanager
    def opened_copy(self) -> Iterator[ColumnarCopy]:
        """The columnar copy as the last server left it. No server may run."""
        copy = open_copy(self._settings)
        assert copy is not None
        with self.opened() as (database, _):
            copy.tell(Projector(database, copy.engine).seen())
        try:
            yield copy
        finally:
            copy.close()
            copy.engine.close()

    def settled_bytes(self) -> int:
        if self._settings.database_url is None:
            return _settled_sqlite_bytes(self._settings.sqlite_path)
        return postgres.settled_bytes(self._settings.database_url)


class HandMadeRecords:
    def __init__(self, database_url: str) -> None:
        self._database_url = database_url
        self.api_key = secrets.token_urlsafe(32)
        hand_made.prepare(database_url, PROCEDURE, self.api_key)

    def count(self) -> int:
        return hand_made.count_runs(self._database_url)

    def settled_bytes(self) -> int:
        return postgres.settled_bytes(self._database_url)


def secret_of(token: str) -> KeptSecret:
    """What the database keeps of a key."""
    return KeptSecret(digest_of(token), display_prefix(token))


def _check_durable(tx: SharedTransaction) -> None:
    synchronous = tx.connection.exec_driver_sql("PRAGMA synchronous").scalar_one()
    if synchronous < _SQLITE_FULL:
        raise BenchFailed(f"SQLite's synchronous is {synchronous}, so its commits would not be durable")


def _settled_sqlite_bytes(path: Path) -> int:
    """The size in bytes of the file, and of the rest of its write-ahead log after a checkpoint."""
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    log = path.with_name(f"{path.name}-wal")
    return path.stat().st_size + (log.stat().st_size if log.exists() else 0)
