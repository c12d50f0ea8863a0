"""ClickHouse's engine behind the HTTP protocol of a ClickHouse server, as far as Runcard uses it.

Run as a program, this module is such a server: see `main`. It has one user, and keeps sessions with their temporary
tables. It answers errors with the status and the headers that a server of ClickHouse gives.
"""

import argparse
import base64
import re
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

import chdb

# Parameters of a request that are no settings of the engine.
_OF_HTTP = frozenset(
    {
        *(
            "client_protocol_version",
            "database",
            "enable_http_compression",
            "http_headers_progress_interval_ms",
        ),
        *("query", "query_id", "send_progress_in_http_headers", "session_id", "session_timeout"),
        "wait_end_of_query",
    }
)
# The defaults of a server: bytes of a line, and seconds until an idle session is forgotten.
_MOST_URI_BYTES = 1024 * 1024
_SESSION_S = 60.0
_WRONG_PASSWORD, _SESSION_LOCKED = 516, 373
# Errors by code; all others are 500. See exceptionCodeToHTTPStatus in ClickHouse.
_STATUSES: Mapping[int, HTTPStatus] = {
    **dict.fromkeys((27, 36, 42, 43, 62, 115), HTTPStatus.BAD_REQUEST),
    **dict.fromkeys((46, 47, 60, 81), HTTPStatus.NOT_FOUND),
    _WRONG_PASSWORD: HTTPStatus.FORBIDDEN,
}
_INSERT = re.compile(r"(?is)\s*(INSERT\s+INTO\s+.+?)\s+FORMAT\s+(\w+)\s*$")


class Failed(Exception):
    """What the engine or the server refuses, with ClickHouse's code of it."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class Session:
    """Settings and temporary tables that requests share. One request at a time may use it."""

    def __init__(self, folder: str) -> None:
        self.lock = threading.Lock()
        self.used_at = time.monotonic()
        self._handle = chdb.connect(folder)
        self._settings: dict[str, str] = {}
        self._database = ""

    def run(self, sql: str, database: str, settings: Mapping[str, str]) -> bytes:
        """The answer of the engine, tab separated unless the query names a format."""
        if database and database != self._database:
            self._ask(f"USE `{database}`")
            self._database = database
        for name in self._settings.keys() - settings.keys():
            self._ask(f"SET {name} = DEFAULT")
            del self._settings[name]
        for name, value in settings.items():
            if self._settings.get(name) != value:
                self._ask(f"SET {name} = {_quoted(value)}")
                self._settings[name] = value
        return self._ask(sql)

    def close(self) -> None:
        self._handle.close()

    def _ask(self, sql: str) -> bytes:
        try:
            return bytes(self._handle.query(sql, "TabSeparated").bytes() or b"")
        except Exception as error:
            found = re.search(r"Code: (\d+)", str(error))
            raise Failed(int(found[1]) if found else 0, str(error)) from error


class Engine:
    """The sessions of one folder."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._sessions: dict[str, Session] = {}
        # Keeps the engine when all sessions are gone.
        self._first = Session(folder)

    @contextmanager
    def session(self, name: str) -> Iterator[Session]:
        """A session; without a name, one for this request. Raises Failed where another request uses it."""
        with self._lock:
            self._forget_idle()
            session = self._sessions.get(name) or Session(self._folder)
            if name:
                self._sessions[name] = session
            if not session.lock.acquire(blocking=False):
                raise Failed(_SESSION_LOCKED, f"Code: 373. DB::Exception: Session {name} is locked")
        try:
            yield session
        finally:
            session.used_at = time.monotonic()
            session.lock.release()
            if not name:
                session.close()

    def _forget_idle(self) -> None:
        since = time.monotonic() - _SESSION_S
        for name, session in list(self._sessions.items()):
            if session.used_at < since and session.lock.acquire(blocking=False):
                self._sessions.pop(name).close()


class Asked(NamedTuple):
    """What a request asks: SQL, and the rows that it inserts."""

    sql: str
    rows: bytes
    parameters: Mapping[str, str]

    def answer(self, engine: Engine) -> bytes:
        settings = {name: value for name, value in self.parameters.items() if name not in _OF_HTTP}
        database = self.parameters.get("database", "")
        with engine.session(self.parameters.get("session_id", "")) as session:
            if not self.rows:
                return session.run(self.sql, database, settings)
            found = _INSERT.match(self.sql)
            if found is None:
                raise Failed(62, f"Code: 62. DB::Exception: Rows came with no INSERT: {self.sql[:100]}")
            with NamedTemporaryFile(suffix=".rows") as file:
                file.write(self.rows)
                file.flush()
                sql = f"{found[1]} FROM INFILE {_quoted(file.name)} FORMAT {found[2]}"
                return session.run(sql, database, settings)


class Handler(BaseHTTPRequestHandler):
    """The requests of one connection."""

    protocol_version = "HTTP/1.1"
    # Set in `main`.
    engine: Engine
    authorization: str
    # The text of the next request that gets no answer, although it is executed.
    unanswered: str | None = None

    def do_GET(self) -> None:
        """Say that the server lives, as ClickHouse does."""
        self._answer(HTTPStatus.OK, b"Ok.\n", {})

    def do_POST(self) -> None:
        """Execute what the body or the parameter `query` says."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        parameters = dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True))
        if "unanswered" in parameters:
            type(self).unanswered = parameters["unanswered"]
            self._answer(HTTPStatus.OK, b"", {})
            return
        query = parameters.get("query")
        asked = Asked(body.decode() if query is None else query, body if query else b"", parameters)
        try:
            self._check()
            answer = asked.answer(self.engine)
        except Failed as error:
            self._refuse(error)
            return
        if self.unanswered and self.unanswered in asked.sql:
            type(self).unanswered = None
            self.close_connection = True
            return
        self._answer(HTTPStatus.OK, answer, {"X-ClickHouse-Timezone": "UTC"})

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (its name in the standard library)
        """Say nothing."""

    def _check(self) -> None:
        if len(self.path) > _MOST_URI_BYTES:
            raise Failed(1000, "Code: 1000. DB::Exception: URI is too long")
        if self.headers.get("Content-Type", "").startswith("multipart/"):
            raise Failed(1, "Code: 1. DB::Exception: A field is too long")
        if self.headers.get("Authorization") != self.authorization:
            raise Failed(
                _WRONG_PASSWORD,
                "Code: 516. DB::Exception: Authentication failed: password is incorrect, or there is no user with "
                "such name. (AUTHENTICATION_FAILED)",
            )

    def _refuse(self, error: Failed) -> None:
        status = _STATUSES.get(error.code, HTTPStatus.INTERNAL_SERVER_ERROR)
        self._answer(status, f"{error}\n".encode(), {"X-ClickHouse-Exception-Code": str(error.code)})

    def _answer(self, status: HTTPStatus, body: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


def main() -> None:
    """Serve until it is killed. Print the port when it listens."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True, help="0 for any free one")
    parser.add_argument("--user", required=True)
    parser.add_argument("--password", required=True)
    given = parser.parse_args()
    Handler.engine = Engine(str(given.folder))
    Handler.authorization = f"Basic {base64.b64encode(f'{given.user}:{given.password}'.encode()).decode()}"
    with Server(("127.0.0.1", given.port), Handler) as server:
        print(server.server_address[1], flush=True)  # noqa: T201 (read by who started it)
        server.serve_forever()


if __name__ == "__main__":
    main()
