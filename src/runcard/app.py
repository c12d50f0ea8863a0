"""The only place where the services are built."""

import logging
import shlex
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from typing import NamedTuple

from fastapi import Depends, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Lifespan, Message, Receive, Scope, Send

from runcard import __version__
from runcard.activity.log import ActivityLog
from runcard.activity.noted_calls import NotedCalls, Notes, new_notes
from runcard.analytics.copy.columnar_copy import ColumnarCopy
from runcard.api.analytics import router as questions
from runcard.api.bin import router as bin_
from runcard.api.cli import router as cli
from runcard.api.corrections import router as corrections
from runcard.api.export import router as exports
from runcard.api.notes import router as notes
from runcard.api.parts import router as parts
from runcard.api.proof import router as proof
from runcard.api.quarantine import router as quarantine
from runcard.api.repairs import router as repairs
from runcard.api.trail import router as trail
from runcard.api.unit_merges import router as unit_merges
from runcard.api.v1 import router as v1
from runcard.api.v1.bodies import ErrorBody
from runcard.api.v2 import router as v2
from runcard.api.voids import router as voids
from runcard.auth.attempts import AttemptCounts, AttemptsInMemory
from runcard.auth.credentials import WINDOW_S, CredentialCheck
from runcard.auth.form_tokens import FormTokens
from runcard.auth.key_uses import KeyUses
from runcard.auth.known_browsers import KnownBrowsers
from runcard.domain.errors import InvalidInput, Issue, RuncardError, TooMuchAtOnce
from runcard.edge.answers.api_docs import router as docs_router
from runcard.edge.answers.errors import ANSWERS, answer_error, not_found_body
from runcard.edge.answers.openapi import document
from runcard.edge.answers.responses import JsonResponse
from runcard.edge.connections.compression import Compression
from runcard.edge.connections.entrance import Entrance
from runcard.edge.connections.hosts import AllowedHosts
from runcard.edge.connections.proxies import Proxies
from runcard.edge.connections.stopping import Stopping
from runcard.edge.fair_share import Shares
from runcard.edge.files.transfers import router as files_router
from runcard.edge.gate import Gate
from runcard.edge.links import Links
from runcard.edge.monitoring.doors import MetricsAccess, Monitor, MonitoringDoors
from runcard.edge.monitoring.metrics import Metrics, Sources
from runcard.edge.monitoring.readiness import Probed, Readiness
from runcard.edge.monitoring.request_counts import CountedRequests, RequestCounts
from runcard.edge.monitoring.tracing import NO_TRACES, Tracing
from runcard.edge.requests.paths import ApiPaths
from runcard.edge.requests.services import Services, refuse_unknown_parameters
from runcard.edge.requests.unknown_names import pass_over_unknown
from runcard.edge.shares.bodies import LargeBodies, share_of_bodies
from runcard.edge.shares.hashes import share_of_hashes
from runcard.edge.shares.reads import ReadsInTurn, share_of_reads
from runcard.evidence.head_files import HEADS_FILE
from runcard.evidence.prover import Prover
from runcard.evidence.signing import open_signing_key
from runcard.failure_log import FailureLog
from runcard.intake.arrived_files import Stores
from runcard.intake.parsing.parsers import ParserBounds, Parsers
from runcard.opening import (
    memory_plan,
    open_activity,
    open_blobs,
    open_copy,
    open_database,
    open_documents,
    open_reads,
    open_secret_keys,
)
from runcard.prefixes import COMMAND_LINES, EXPORTS, OWN, PROOF, QUARANTINE, QUESTIONS, V1, V2, endpoints
from runcard.recording.interpreter import hurry
from runcard.recording.recorder import Recorder
from runcard.request_ids import request_id
from runcard.settings import Settings
from runcard.store.commit.writer import Writer
from runcard.store.engine.database import Database
from runcard.store.engine.outages import outage_of
from runcard.store.engine.readable import Readable
from runcard.store.installation.state import for_probes
from runcard.store.people.log_in_attempts import AttemptsInDatabase
from runcard.upkeep.documents import DocumentMover
from runcard.upkeep.key_uses import KeyUseWriter
from runcard.upkeep.merging import Merger
from runcard.upkeep.partitions import PartitionKeeper
from runcard.upkeep.sealer import HeadsOutside, Sealer
from runcard.upkeep.sweeps import Sweeper
from runcard.web.frame.errors import is_page, page_for
from runcard.web.frame.static_files import WebFiles
from runcard.web.frame.visit import session_of
from runcard.web.router import router as web_router
from runcard.worker import Worker

_log = logging.getLogger(__name__)


def create_app(settings: Settings) -> ASGIApp:
    """The whole server for one installation."""
    notes, stopping = new_notes(), Stopping(settings.stop_delay_s)
    access = MetricsAccess(settings.metrics_token, settings.metrics_port)
    counts = RequestCounts(endpoints()) if access.is_on else None
    tracing = _tracing(settings)
    server = create_server(settings, notes, stopping, counts, tracing)
    noted = NotedCalls(server, notes) if settings.activity else server
    compressed = Compression(noted)
    counted = compressed if counts is None else CountedRequests(compressed, counts)
    doors = MonitoringDoors(tracing.requests(counted), lambda: server.app.state.monitor, access)
    return Entrance(doors, Proxies(settings.trusted_proxies or ()), stopping)


def create_server(
    settings: Settings,
    notes: Notes,
    stopping: Stopping | None = None,
    counts: RequestCounts | None = None,
    tracing: Tracing = NO_TRACES,
) -> ApiPaths:
    """The server without the layers that note its calls in `notes`, count its answers in `counts` and trace them; the
    caller has to add them. counts: None if nobody gets figures.
    """
    failures = FailureLog(_log, "request failed")
    stop = stopping or Stopping(settings.stop_delay_s)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        hurry()
        opened = _open(settings, notes, tracing)
        database, writer, recorder, stores = opened.database, opened.writer, opened.recorder, opened.stores
        worker = None if opened.copy is None else Worker(database, opened.copy)
        sealer = Sealer(stores, opened.prover, _heads_outside(settings), lambda: recorder.is_busy)
        helpers = (
            opened.parsers,
            sealer,
            Merger(stores),
            Sweeper(stores),
            KeyUseWriter(stores, opened.uses),
            PartitionKeeper(stores),
            DocumentMover(stores, open_documents(settings), _document_age(settings)),
        )
        app.state.services = _services(settings, opened)
        probed = Probed(for_probes(database), recorder, opened.copy, settings.ready_copy_behind_s)
        app.state.monitor = _monitor(probed, writer, stop, counts)
        try:
            with stop.announced():
                yield
        finally:
            await recorder.close()
            for helper in helpers:
                helper.close()
            if worker is not None:
                worker.close()
            writer.close()
            if opened.activity is not None:
                opened.activity.close()
            probed.database.close()
            opened.reads.close()
            failures.close()
            await run_in_threadpool(tracing.close)
            recorder.check_ended_well()

    return ApiPaths(_application(lifespan, failures), _direct(failures))


def _tracing(settings: Settings) -> Tracing:
    if settings.otel_endpoint is None:
        return NO_TRACES
    # Only servers with traces have the packages that this imports.
    from runcard.edge.monitoring.collector import traces_to  # noqa: PLC0415

    return traces_to(settings.otel_endpoint, settings.otel_sample_ratio, endpoints())


class _Opened(NamedTuple):
    """What the services of a running server are made of. activity, copy: None if this process has none.

    reads: the database, or the database with its replica.
    """

    database: Database
    reads: Readable
    writer: Writer
    uses: KeyUses
    gate: Gate
    recorder: Recorder
    copy: ColumnarCopy | None
    activity: ActivityLog | None
    parsers: Parsers
    stores: Stores
    prover: Prover


def _open(settings: Settings, notes: Notes, tracing: Tracing) -> _Opened:
    """Everything that a server has open, for an event loop that runs."""
    database = open_database(settings)
    writer = Writer(database, settings.write_timeout_s)
    uses = KeyUses()
    gate = Gate(database, uses)
    silence_s, wait_s = settings.recording_timeout_s, settings.write_timeout_s
    return _Opened(
        database=database,
        reads=open_reads(settings, database),
        writer=writer,
        uses=uses,
        gate=gate,
        recorder=tracing.recorder(database, gate.forget, silence_s, wait_s, settings.log_format),
        copy=open_copy(settings, tracing.copy),
        activity=open_activity(settings, database, notes),
        parsers=Parsers(ParserBounds(settings.import_memory_bytes, settings.import_cpu_s)),
        stores=Stores(database, writer, open_blobs(settings, tracing.blobs)),
        prover=Prover(database, writer, open_signing_key(settings.signing_key, settings.data_dir)),
    )


def _services(settings: Settings, opened: _Opened) -> Services:
    secret_keys = open_secret_keys(settings)
    return Services(
        database=opened.reads,
        primary=opened.database,
        writer=opened.writer,
        gate=opened.gate,
        recorder=opened.recorder,
        blobs=opened.stores.blobs,
        copy=opened.copy,
        links=_links(settings, secret_keys),
        max_body_bytes=settings.max_body_bytes,
        max_upload_bytes=settings.max_upload_bytes,
        list_timeout_s=settings.list_timeout_s,
        runs_as_object=settings.runs_envelope == "object",
        operators_by_email=settings.operators_by_email,
        credentials=CredentialCheck(_attempts(opened.database)),
        known_browsers=KnownBrowsers(secret_keys),
        form_tokens=FormTokens(secret_keys),
        activity=opened.activity,
        shares=_shares(settings, opened.recorder),
        parsers=opened.parsers,
        prover=opened.prover,
    )


def _attempts(database: Database) -> AttemptCounts:
    """What counts the attempts to log in: one server serves SQLite, and several may share PostgreSQL."""
    return AttemptsInDatabase(database, WINDOW_S) if database.is_postgresql else AttemptsInMemory(WINDOW_S)


def _monitor(probed: Probed, writer: Writer, stopping: Stopping, counts: RequestCounts | None) -> Monitor:
    readiness = Readiness(probed, stopping)
    metrics = None if counts is None else Metrics(Sources(probed, writer, counts), readiness)
    return Monitor(readiness, metrics)


def _application(lifespan: Lifespan[FastAPI], failures: FailureLog) -> FastAPI:
    app = FastAPI(title="Runcard", version=__version__, lifespan=lifespan, openapi_url=None)
    _open_doors(app)
    _answer_in_turn(app, failures)
    _answer_errors(app, failures)
    app.add_api_route("/api/openapi.json", partial(_openapi, app), include_in_schema=False)
    return app


def _direct(failures: FailureLog) -> dict[str, ASGIApp]:
    """The endpoints that are called without routing, by their path."""
    return {
        f"{prefix}/runs": _answering(LargeBodies(create_run), failures)
        for prefixes, create_run in ((V1, v1.create_run), (V2, v2.create_run))
        for prefix in prefixes
    }


def _answer_errors(app: FastAPI, failures: FailureLog) -> None:
    app.add_exception_handler(RuncardError, partial(_answer_error, failures))
    app.add_exception_handler(RequestValidationError, partial(_answer_invalid, failures))
    app.add_exception_handler(HTTPException, _answer_http)
    app.add_exception_handler(ClientDisconnect, _answer_nobody)
    # Not as a handler of Exception: Starlette raises the exception again after the answer, and the connection is lost.
    app.add_middleware(_answering, failures)


def _heads_outside(settings: Settings) -> HeadsOutside:
    command = settings.heads_command
    file = settings.heads_file or settings.data_dir / HEADS_FILE
    return HeadsOutside(settings.heads_every_s, file, None if command is None else shlex.split(command))


def _document_age(settings: Settings) -> timedelta | None:
    """The age from which on documents of runs leave the database; None: they stay."""
    return None if settings.documents_url is None else timedelta(days=settings.documents_days)


def _links(settings: Settings, secret_keys: Sequence[str]) -> Links:
    return Links(
        secret_keys,
        settings.public_url,
        AllowedHosts(settings.allowed_hosts or ()),
        {"upload": settings.upload_expires_s, "download": settings.download_expires_s},
    )


def _open_doors(app: FastAPI) -> None:
    foreign, own = [Depends(pass_over_unknown)], [Depends(refuse_unknown_parameters)]
    app.include_router(v1.router, prefix=V1[0], tags=["v1"], dependencies=foreign)
    app.include_router(v2.router, prefix=V2[0], dependencies=foreign)
    app.include_router(questions.router, prefix=QUESTIONS, tags=["analytics"], dependencies=own)
    app.include_router(cli.router, prefix=COMMAND_LINES, tags=["command lines"], dependencies=own)
    app.include_router(exports.router, prefix=EXPORTS, tags=["export"], dependencies=own)
    app.include_router(quarantine.router, prefix=QUARANTINE, tags=["quarantine"], dependencies=own)
    app.include_router(proof.router, prefix=PROOF, tags=["proof"], dependencies=own)
    app.include_router(repairs.router, prefix=OWN, tags=["repairs"], dependencies=own)
    app.include_router(notes.router, prefix=OWN, tags=["notes"], dependencies=own)
    app.include_router(voids.router, prefix=OWN, tags=["voids"], dependencies=own)
    app.include_router(corrections.router, prefix=OWN, tags=["corrections"], dependencies=own)
    app.include_router(parts.router, prefix=OWN, tags=["parts"], dependencies=own)
    app.include_router(unit_merges.router, prefix=OWN, tags=["unit merges"], dependencies=own)
    app.include_router(bin_.router, prefix=OWN, tags=["bin"], dependencies=own)
    app.include_router(trail.router, prefix=OWN, tags=["trail"], dependencies=own)
    app.include_router(files_router, include_in_schema=False)
    app.include_router(docs_router)
    app.include_router(web_router)
    app.mount("/static", WebFiles())


def _answer_in_turn(app: FastAPI, failures: FailureLog) -> None:
    app.add_middleware(LargeBodies)
    app.add_middleware(ReadsInTurn, session_of=session_of, answer=partial(_answer_error, failures))


def _shares(settings: Settings, recorder: Recorder) -> Shares:
    memory = memory_plan(settings)
    return Shares(
        reading=share_of_reads(lambda: recorder.is_busy),
        hashing=share_of_hashes(memory.hashes_at_once),
        large_bodies=share_of_bodies(memory.bodies_bytes),
    )


def _openapi(app: FastAPI) -> JsonResponse:
    unseen = {
        f"{prefix}{path}": described
        for prefix, descriptions in ((V1[0], v1.DESCRIPTIONS), (V2[0], v2.DESCRIPTIONS))
        for path, described in descriptions.items()
    }
    return JsonResponse(document(app, unseen, ErrorBody))


def _answering(app: ASGIApp, failures: FailureLog) -> ASGIApp:
    """The app with its errors answered, so that the connection stays usable after an error."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        has_begun = False

        async def pass_on(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        try:
            await app(scope, receive, pass_on)
        except ClientDisconnect:
            return  # nobody is left to answer
        except Exception as error:
            if scope["type"] != "http":
                raise
            if has_begun:
                # Half of the answer is sent already. The server cuts it short, so that nobody takes it for complete.
                failures.tell(outage_of(error) or error)
                return
            response = await _answer_error(failures, Request(scope), error)
            await response(scope, receive, send)

    return answer


async def _answer_error(failures: FailureLog, request: Request, error: Exception) -> Response:
    error = outage_of(error) or error
    table = v2.ANSWERS if request.url.path.startswith(V2) else ANSWERS
    answer = answer_error(error, table, _told_id(request))
    if answer.status >= 500 and not isinstance(error, TooMuchAtOnce):
        failures.tell(error)
    if is_page(request):
        response = page_for(request, error)
    else:
        response = Response(answer.body, answer.status, media_type=answer.media_type)
    response.headers.update(answer.headers)
    return response


async def _answer_invalid(failures: FailureLog, request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    issues = [Issue(tuple(item["loc"][1:]), item["msg"]) for item in error.errors()]
    return await _answer_error(failures, request, InvalidInput(issues))


async def _answer_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if is_page(request):
        return await run_in_threadpool(page_for, request, error)
    return Response(not_found_body(_told_id(request)), 404, media_type="application/json")


def _told_id(request: Request) -> str | None:
    """The id of the request for the body of an error; None for v1, whose bodies are frozen."""
    return None if request.url.path.startswith(V1) else request_id()


async def _answer_nobody(_request: Request, _error: Exception) -> Response:
    """An answer that nobody reads: the client went away while it sent the body. That is no failure of this server."""
    return Response(status_code=400)
