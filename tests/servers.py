"""Runcard as a process of its own, as it is started on a test floor."""

import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import httpx
import psutil
from typer.testing import CliRunner

from runcard.cli.main import app
from runcard.store.commit.transaction import SharedTransaction
from runcard.store.commit.writer import Writer
from runcard.store.engine.database import Database
from tests.loaded import LoadedProcess, LoadedRuncard
from tests.world import World

T = TypeVar("T")

RUNCARD = Path(sys.executable).with_name("runcard")
# Far beyond what a start or a stop takes on a busy machine; only a server that hangs meets it.
DEADLINE_S = 60.0


@cache
def loaded_runcard() -> LoadedRuncard:
    """What servers are copies of, started when the first one is."""
    return LoadedRuncard()


class Installation:
    """A data directory and, with PostgreSQL, a database: reached past the server, as commands do beside it."""

    def __init__(self, data_dir: Path, database_url: str | None) -> None:
        self.data_dir = data_dir
        self.database_url = database_url

    @contextmanager
    def database(self) -> Iterator[Database]:
        database = Database.open(self.database_url, self.data_dir / "runcard.sqlite3")
        try:
            yield database
        finally:
            database.close()

    def change(self, apply: Callable[[SharedTransaction], T]) -> T:
        """Write as another process than the server does."""
        with self.database() as database:
            writer = Writer(database)
            try:
                return writer.write_shared(apply)
            finally:
                writer.close()

    def runcard(self, *arguments: str) -> Any:
        """Run a command and return what it prints as JSON."""
        done = CliRunner().invoke(app, [*arguments, *self._options(), "--json"])
        assert done.exit_code == 0, f"runcard {' '.join(arguments)}: {done.output}"
        return json.loads(done.stdout)

    def _options(self) -> list[str]:
        at = ["--data-dir", str(self.data_dir)]
        return at if self.database_url is None else [*at, "--database-url", self.database_url]


class AnyServer(Installation):
    """A server on a port of its own. `settings` are RUNCARD_* and other variables of its environment.

    open_files: how many it may have at the most; None: as many as the tests may.
    """

    def __init__(
        self, data_dir: Path, database_url: str | None, settings: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(data_dir, database_url)
        self.settings = dict(settings or {})
        self.open_files: int | None = None
        self.log_path = data_dir / "serve.log"
        self.url = ""
        self._process: LoadedProcess | subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Start the process; it answers when this returns."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("RUNCARD_")}
        environment |= self.settings
        command = ["serve", "--port", "0", "--json", *self._options()]
        with self.log_path.open("ab") as log:
            if self.open_files is None:
                self._process = loaded_runcard().start(command, environment, log)
            else:
                bound: list[str | Path] = [
                    "sh",
                    "-c",
                    f'ulimit -n {self.open_files}; exec "$0" "$@"',
                    RUNCARD,
                ]
                self._process = subprocess.Popen(
                    [*bound, *command], env=environment, stdout=subprocess.PIPE, stderr=log, text=True
                )
        self._wait_until_it_listens()
        # Not as it says itself, which may be how it is reached through a proxy.
        listening = psutil.Process(self._process.pid).net_connections("tcp")
        ports = {one.laddr.port for one in listening if one.status == psutil.CONN_LISTEN}
        [port] = ports - {int(self.settings.get("RUNCARD_METRICS_PORT", 0))}
        self.url = f"http://127.0.0.1:{port}"
        # The port takes connections already, so this waits until there is an answer.
        httpx.get(f"{self.url}/static/icon.svg", timeout=DEADLINE_S).raise_for_status()

    def stop(self) -> None:
        """End the process as an administrator does. It must end by itself, and have met no unexpected error."""
        code = self.end()
        assert code == 0, f"the server ended with {code}:\n{self.log}"
        assert "Traceback" not in self.log, self.log

    def end(self) -> int:
        """End the process as an administrator does, and return its exit code."""
        self.signal(signal.SIGTERM)
        return self.wait()

    def signal(self, number: signal.Signals) -> None:
        self._running().send_signal(number)

    def wait(self) -> int:
        """Wait until the process has ended, and return its exit code."""
        code = self._running().wait(DEADLINE_S)
        self._forget()
        return code

    def kill(self) -> None:
        """End the process as a power cut does."""
        self._running().kill()
        self._running().wait(DEADLINE_S)
        self._forget()

    def recording_process(self) -> psutil.Process:
        """The one that commits runs for the server, once it has begun, which a second thread of it tells."""
        until = time.monotonic() + DEADLINE_S
        while time.monotonic() < until:
            for child in psutil.Process(self._running().pid).children():
                with suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
                    if "runcard.recording.process" in child.cmdline() and child.num_threads() > 1:
                        return child
        raise AssertionError(f"no process records:\n{self.log}")

    def processes(self) -> list[psutil.Process]:
        """All that belong to the server."""
        return [psutil.Process(self._running().pid), self.recording_process()]

    def children(self) -> list[psutil.Process]:
        """The processes that it has started."""
        found: list[psutil.Process] = psutil.Process(self._running().pid).children()
        return found

    def close(self) -> None:
        if self._process is not None:
            self.kill()

    def client(self, api_key: str | None = None) -> httpx.Client:
        """HTTP to the v1 API, with this key."""
        headers = {} if api_key is None else {"Authorization": f"Bearer {api_key}"}
        return httpx.Client(base_url=f"{self.url}/api/v1", headers=headers, timeout=DEADLINE_S)

    @property
    def log(self) -> str:
        return self.log_since(0)

    @property
    def log_size(self) -> int:
        """In bytes."""
        return self.log_path.stat().st_size

    def log_since(self, size: int) -> str:
        """What it said after its log had this size."""
        with self.log_path.open("rb") as log:
            log.seek(size)
            return log.read().decode("utf-8", "replace")

    def _running(self) -> LoadedProcess | subprocess.Popen[str]:
        assert self._process is not None, "the server is not running"
        return self._process

    def _forget(self) -> None:
        process, self._process = self._running(), None
        assert process.stdout is not None
        process.stdout.close()

    def _wait_until_it_listens(self) -> None:
        """Read its first line, which it prints when it does."""
        stdout = self._running().stdout
        assert stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(stdout, selectors.EVENT_READ)
            arrived = selector.select(DEADLINE_S)
        if not arrived or not stdout.readline():
            self.kill()
            raise AssertionError(f"the server did not start:\n{self.log}")


class Server(AnyServer):
    """One with the cast."""

    def __init__(
        self,
        data_dir: Path,
        database_url: str | None,
        world: World,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(data_dir, database_url, settings)
        self.world = world

    @classmethod
    def sharing(cls, other: AnyServer, world: World) -> "Server":
        """The process of another, which alone may end it, with a cast that has been added to it."""
        shared = cls(other.data_dir, other.database_url, world, other.settings)
        shared.url, shared._process = other.url, other._process
        return shared
