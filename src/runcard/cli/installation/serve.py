"""`runcard serve`: serve the web pages and the API until stopped."""

import fcntl
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from importlib.util import find_spec
from logging.config import dictConfig
from types import FrameType
from typing import Annotated

import typer
import uvicorn
from starlette.types import ASGIApp
from uvicorn.supervisors import Multiprocess

from runcard.analytics.copy.engines.duckdb import CopyLocked, look_at
from runcard.auth.tokens import digest_of, new_token
from runcard.cli.installation.following_move import following_move
from runcard.cli.installation.opened import open_or_create
from runcard.cli.installation.private_files import keep_private
from runcard.cli.terminal.options import DatabaseUrl, DataDir, Json
from runcard.cli.terminal.output import show_json
from runcard.edge.connections.http_connections import HttpConnections
from runcard.edge.connections.limits import limits_of_this_process
from runcard.log_lines import logging_as
from runcard.opening import (
    columns_address,
    open_blobs,
    open_documents,
    open_reads,
    open_secret_keys,
    open_unmigrated,
)
from runcard.settings import Settings, SettingsError, load_settings
from runcard.store.engine.database import naming_failures
from runcard.store.people.organizations import count_organizations
from runcard.store.people.sessions import create_setup_link

Host = Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 for all addresses of this machine.")]
Port = Annotated[int, typer.Option(min=0, max=65_535, help="Port to listen on; 0 for any free one.")]

_BACKLOG = 2048
# How long running requests may take to end when the server is stopped.
_GRACE_S = 20
# How long one of several processes may take to start on a busy machine, before it counts as dead and is replaced.
_START_S = 60
# What the extra `otel` installs.
_FOR_TRACES = ("opentelemetry.sdk.trace", "opentelemetry.exporter.otlp.proto.http")


def serve(  # noqa: PLR0913 (the options of a command)
    *,
    host: Host = "127.0.0.1",
    port: Port = 8000,
    public_url: Annotated[
        str | None, typer.Option(help="Root URL under which browsers and stations reach this server.")
    ] = None,
    workers: Annotated[
        int, typer.Option(min=1, help="Number of server processes; more than one needs PostgreSQL.")
    ] = 1,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    as_json: Json = False,
) -> None:
    """Serve the web pages and the API until stopped.

    The first start of a new installation prints a one-time link to set it up with.
    """
    settings = load_settings(data_dir=data_dir, database_url=database_url, public_url=public_url)
    dictConfig(logging_as(settings.log_format))
    _check_workers(settings, workers)
    with (
        sole_server(settings),
        listening(host, port) as listener,
        _listening_for_metrics(settings) as metrics,
    ):
        url = url_of(settings, listener)
        setup_url = _setup_url(settings, url)
        serve_until_stopped = prepare_server(settings, [listener, *metrics], workers)
        if as_json:
            show_json({"url": url, "setup_url": setup_url})
        else:
            typer.echo(f"Runcard serves {url}")
            if setup_url:
                typer.echo(f"Set it up here, once: {setup_url}")
        serve_until_stopped()


@contextmanager
def sole_server(settings: Settings) -> Iterator[None]:
    """A block that is the only server of a SQLite data directory. Raises SettingsError where there is one already."""
    keep_private(settings.data_dir)
    if settings.database_url is not None:
        yield
        return
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    with (settings.data_dir / "serve.lock").open("a+", encoding="ascii") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.seek(0)
            raise SettingsError(
                f"data_dir {settings.data_dir} has a server already (process {lock.read().strip()}). "
                "Stop that server first, or name another --data-dir."
            ) from error
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        yield


@contextmanager
def listening(host: str, port: int, names: tuple[str, str] = ("--host", "--port")) -> Iterator[socket.socket]:
    """A socket that accepts connections from now on. Raises SettingsError where host and port cannot be used.

    names: what sets the two.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except (OSError, UnicodeError) as error:
        # Without the address, which `create_server` adds.
        reason = str(error.strerror if isinstance(error, OSError) else error).partition(" (while ")[0]
        raise SettingsError(
            f"The server cannot listen on host {host} and port {port}: {reason}. "
            f"Choose others with {names[0]} and {names[1]}."
        ) from error
    with listener:
        yield listener


@contextmanager
def _listening_for_metrics(settings: Settings) -> Iterator[Sequence[socket.socket]]:
    """The socket of `metrics_port`; none if it is not set. Raises SettingsError where it cannot be used."""
    if settings.metrics_port is None:
        yield ()
        return
    names = "metrics_host", "metrics_port"
    with listening(settings.metrics_host, settings.metrics_port, names) as listener:
        yield (listener,)


def url_of(settings: Settings, listener: socket.socket) -> str:
    """The root URL of the server: the public URL, or else a URL for users of this machine."""
    if settings.public_url:
        return settings.public_url.rstrip("/")
    host, port = listener.getsockname()[:2]
    if host in ("0.0.0.0", "::"):
        host = "localhost"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def prepare_server(
    settings: Settings, listeners: list[socket.socket], workers: int = 1
) -> Callable[[], None]:
    """A function that serves until SIGINT or SIGTERM, and then first answers the running requests.

    When the installation has moved to PostgreSQL, it goes on with that database.

    The two signals stop the server from now on, even before it has started. Raises StorageUnavailable for an object
    store that cannot exist, SettingsError, SecretKeyUnusable, SigningKeyUnusable, DatabaseUrlInvalid and
    DatabaseFailed.
    """
    open_blobs(settings)
    if settings.documents_url is not None:
        _ = open_documents(settings).blobs
    open_secret_keys(settings)
    _check_copy(settings)
    _check_tracing(settings)
    with naming_failures():
        open_reads(settings, open_unmigrated(settings)).close()
    config = uvicorn.Config(
        partial(_create_app, settings),
        factory=True,
        workers=workers,
        loop="uvloop",
        http=HttpConnections(limits_of_this_process(), settings.metrics_port).as_protocol,
        ws="none",
        lifespan="on",
        log_config=logging_as(settings.log_format),
        access_log=False,
        # The application itself decides which proxies to trust.
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=_GRACE_S,
        timeout_worker_healthcheck=_START_S,
    )
    if workers > 1:
        return Multiprocess(config, listeners).run
    server = uvicorn.Server(config)
    was_told = threading.Event()

    def run() -> None:
        with following_move(settings, server, listeners) as follow:
            server.run(sockets=listeners)
        if server.lifespan.should_exit:  # the server could not start or end properly; the log says why
            raise typer.Exit(1)
        if follow.moved is not None and not was_told.is_set():
            prepare_server(*follow.moved)()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        was_told.set()
        server.should_exit = True

    # After it has stopped, uvicorn raises the signal again. Without a handler the process would end as if killed.
    for signal_number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signal_number, stop)
    return run


def _create_app(settings: Settings) -> ASGIApp:
    # Only a server needs all that this imports, and every other command starts sooner without it.
    from runcard.app import create_app  # noqa: PLC0415

    return create_app(settings)


def _check_workers(settings: Settings, workers: int) -> None:
    if workers > 1 and settings.database_url is None:
        raise SettingsError(
            f"workers {workers} needs PostgreSQL, because a SQLite file can have only one writer. "
            "Leave --workers out, or give a --database-url."
        )
    if workers > 1 and (settings.metrics_token or settings.metrics_port):
        raise SettingsError(
            f"workers {workers} cannot be combined with metrics_token or metrics_port, because each process has "
            "figures of its own and any of them would answer. Leave --workers out, and start several servers behind a "
            "proxy, each with a port of its own."
        )
    if workers > 1 and settings.columnar_copy and settings.columns_url is None:
        raise SettingsError(
            f"workers {workers} needs a columnar copy that processes share, and one process owns a DuckDB file. "
            "Set RUNCARD_COLUMNS_URL to a ClickHouse, set RUNCARD_COLUMNAR_COPY=false to do without questions, or "
            "leave --workers out."
        )
    if settings.columns_url is not None:
        columns_address(settings.columns_url)


def _check_copy(settings: Settings) -> None:
    """Check that no other process of this host owns the columnar copy. Raises SettingsError."""
    if not settings.columnar_copy or settings.columns_url is not None:
        return
    try:
        look_at(settings.copy_path)
    except CopyLocked as error:
        raise SettingsError(
            f"{settings.copy_path} belongs to another process, and one process owns a DuckDB file. Set "
            "RUNCARD_COLUMNS_URL to a ClickHouse that several servers share, set RUNCARD_COLUMNAR_COPY=false to do "
            "without questions, give this server another --data-dir, or end the other process."
        ) from error


def _check_tracing(settings: Settings) -> None:
    """Check that what `otel_endpoint` needs is installed. Raises SettingsError."""
    if settings.otel_endpoint is None:
        return
    try:
        is_there = all(find_spec(name) is not None for name in _FOR_TRACES)
    except ModuleNotFoundError:  # of a package that these are in
        is_there = False
    if not is_there:
        raise SettingsError(
            f"otel_endpoint {settings.otel_endpoint} needs packages that are not installed here. Install them with "
            "pip install 'runcard[otel]', or leave otel_endpoint out."
        )


def _setup_url(settings: Settings, url: str) -> str | None:
    """A new one-time link to set this installation up; None where it has an organization already."""
    with open_or_create(settings) as installation:
        with installation.database.read() as connection:
            if count_organizations(connection):
                return None
        token = new_token("setup")
        installation.writer.write_shared(lambda shared: create_setup_link(shared, digest_of(token)))
    return f"{url}/setup/{token}"
