"""A server of ClickHouse of the tests' own, in a process that can be killed: see `clickhouse_http`."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import clickhouse_connect
import httpx

USER, PASSWORD = "runcard", "p@ss/w:rd"
_STARTED_WITHIN_S = 60.0
_FRONT = Path(__file__).with_name("clickhouse_http.py")


class ClickHouseServer:
    """Hands out databases by URL. It can be killed and started again, and then listens on the same port."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = count(1)
        self._process: subprocess.Popen[str] | None = None
        self.port = 0

    def start(self) -> None:
        """Start it; it answers when this returns."""
        command: list[str | Path] = [sys.executable, _FRONT, "--folder", self._folder / "data"]
        command += ["--port", str(self.port), "--user", USER, "--password", PASSWORD]
        # An engine whose process was killed may hold its folder for a moment longer.
        until = time.monotonic() + _STARTED_WITHIN_S
        while True:
            with (self._folder / "server.log").open("ab") as log:
                environment = os.environ | {"TZ": "UTC"}
                process = subprocess.Popen(
                    command, stdout=subprocess.PIPE, stderr=log, text=True, env=environment
                )
            assert process.stdout is not None
            if line := process.stdout.readline():
                break
            process.wait()
            assert time.monotonic() < until, (self._folder / "server.log").read_text()
        self.port, self._process = int(line), process

    def kill(self) -> None:
        """End it as a power cut does."""
        process, self._process = self._process, None
        assert process is not None
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()

    def stop(self) -> None:
        """End it if it runs."""
        if self._process is not None:
            self.kill()

    def create(self) -> str:
        """The URL of a new database."""
        name = f"copy_{next(self._numbers)}"
        client = clickhouse_connect.get_client(
            host="127.0.0.1", port=self.port, username=USER, password=PASSWORD
        )
        client.command(f"CREATE DATABASE {name}")
        client.close()
        return f"clickhouse://{USER}:p%40ss%2Fw%3Ard@127.0.0.1:{self.port}/{name}"

    def leave_unanswered(self, text: str) -> None:
        """Lose the connection of the next request whose SQL contains this, after it has been executed."""
        url = f"http://127.0.0.1:{self.port}/"
        httpx.post(url, params={"unanswered": text}).raise_for_status()


@contextmanager
def running_clickhouse() -> Iterator[ClickHouseServer]:
    """A server in a folder of its own."""
    with TemporaryDirectory(prefix="runcard-clickhouse-") as folder:
        server = ClickHouseServer(Path(folder))
        server.start()
        try:
            yield server
        finally:
            server.stop()
