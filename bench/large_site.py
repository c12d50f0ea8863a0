"""A large installation on this machine: two servers and a worker on PostgreSQL, S3 and ClickHouse, behind nginx.

PostgreSQL commits durably. The S3 server is moto, in the process of the bench. ClickHouse is its engine behind an HTTP
server, as in the tests. nginx has the sample of deploy/.
"""

import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

import httpx
from moto.server import ThreadedMotoServer

from bench.failure import BenchFailed
from bench.postgres import postgresql
from bench.records import RuncardRecords
from tests.clickhouse_server import running_clickhouse
from tests.deploy.proxies import Site, free_ports, made_certificate, nginx_program, running_nginx

_RUNCARD = Path(sys.executable).with_name("runcard")
_READY_WITHIN_S = 120.0
_LOOK_S = 0.05
_STOPPED_WITHIN_S = 60.0
_BUCKET = "runcard"


class Process:
    """A command that can be killed and started again. log: its standard error."""

    def __init__(self, command: Sequence[str | Path], variables: Mapping[str, str], log: Path) -> None:
        self._command = command
        self._variables = variables
        self.log = log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, env=self._variables, stdout=subprocess.DEVNULL, stderr=log
            )

    def kill(self) -> None:
        """End it as a power cut does."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End it if it runs, as an administrator does."""
        if self._process is not None:
            self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        assert process is not None
        process.send_signal(how)
        process.wait(_STOPPED_WITHIN_S)


class OneServer(NamedTuple):
    """A server at this port of the loopback address."""

    process: Process
    port: int

    def answers_before(self, until: float) -> bool:
        """Wait until it answers, or for this moment of the monotonic clock; whether it did."""
        while (left_s := until - time.monotonic()) > 0:
            try:
                if httpx.get(f"http://127.0.0.1:{self.port}/healthz", timeout=left_s).status_code == 200:
                    return True
            except httpx.TransportError:
                time.sleep(_LOOK_S)
        return False

    def wait_until_it_answers(self) -> None:
        """Raises BenchFailed if it never does."""
        if not self.answers_before(time.monotonic() + _READY_WITHIN_S):
            raise BenchFailed(f"The server did not start:\n{self.process.log.read_text('utf-8')}")


class LargeSite(NamedTuple):
    """url: of nginx, whose certificate `tls` believes."""

    url: str
    tls: ssl.SSLContext
    servers: Sequence[OneServer]
    worker: Process
    records: RuncardRecords


@contextmanager
def running_site(folder: Path) -> Iterator[LargeSite]:
    """All of it in this empty folder, until the end of the block. Raises BenchFailed."""
    if nginx_program() is None:
        raise BenchFailed("nginx is not on the PATH. Install it (Debian: apt-get install nginx-light).")
    with ExitStack() as stack:
        urls = stack.enter_context(postgresql(folder / "postgresql", ["runcard"], {"autovacuum": "on"}))
        clickhouse = stack.enter_context(running_clickhouse())
        records = RuncardRecords(folder, urls["runcard"])
        ports, certificate = free_ports(), made_certificate(folder)
        url = f"https://localhost:{ports.https}"
        settings = {
            "RUNCARD_DATABASE_URL": urls["runcard"],
            "RUNCARD_COLUMNS_URL": clickhouse.create(),
            "RUNCARD_SECRET_KEY": "a key that the servers of this bench share",
            "RUNCARD_PUBLIC_URL": url,
            "RUNCARD_TRUSTED_PROXIES": "127.0.0.1",
            **stack.enter_context(_store()),
        }
        variables = {name: value for name, value in os.environ.items() if not name.startswith("RUNCARD_")}
        worker = Process(
            [_RUNCARD, "worker", "--data-dir", folder], variables | settings, folder / "worker.log"
        )
        worker.start()
        stack.callback(worker.stop)
        servers = [_server(stack, folder / name, variables | settings) for name in ("first", "second")]
        for server in servers:
            server.wait_until_it_answers()
        stack.enter_context(
            running_nginx(Site(folder / "nginx", ports, certificate, [one.port for one in servers]))
        )
        tls = ssl.create_default_context(cafile=certificate.certificate)
        yield LargeSite(url, tls, servers, worker, records)


def _server(stack: ExitStack, data_dir: Path, variables: Mapping[str, str]) -> OneServer:
    data_dir.mkdir()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    command: list[str | Path] = [_RUNCARD, "serve", "--port", str(port), "--data-dir", data_dir]
    process = Process(command, variables, data_dir / "serve.log")
    process.start()
    stack.callback(process.stop)
    return OneServer(process, port)


@contextmanager
def _store() -> Iterator[dict[str, str]]:
    """The settings of an S3 server with a bucket, for a while."""
    moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    moto.start()
    try:
        url = "http://{}:{}".format(*moto.get_host_and_port())
        httpx.put(f"{url}/{_BUCKET}").raise_for_status()
        yield {
            "RUNCARD_ATTACHMENTS_URL": f"s3://{_BUCKET}/attachments",
            "RUNCARD_ATTACHMENTS_ENDPOINT": url,
            "AWS_ACCESS_KEY_ID": "AKIATESTTESTTESTTEST",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_REGION": "us-east-1",
        }
    finally:
        moto.stop()
