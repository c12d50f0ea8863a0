"""The only place where the parts meet."""

import logging
import secrets
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from functools import partial
from pathlib import Path

from fastapi import Depends, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from runcard import __version__
from runcard.analytics.copy.columnar_copy import ColumnarCopy
from runcard.analytics.copy.engines.duckdb import CopyFailed, CopyLocked, DuckDb
from runcard.api.analytics import router as questions
from runcard.api.cli import router as cli
from runcard.api.export import router as exports
from runcard.api.quarantine import router as quarantine
from runcard.api.repairs import router as repairs
from runcard.api.v1 import router as v1
from runcard.api.v1.bodies import ErrorBody
from runcard.api.v2 import router as v2
from runcard.auth.credentials import CredentialCheck
from runcard.auth.form_tokens import FormTokens
from runcard.domain.errors import InvalidInput, Issue, RuncardError
from runcard.edge.activity import ActivityLog, Endpoints
from runcard.edge.api_docs import router as docs_router
from runcard.edge.collector import look_less_often
from runcard.edge.deps import Parts, refuse_unknown_parameters
from runcard.edge.errors import ANSWERS, answer_error, not_found_body
from runcard.edge.files import router as files_router
from runcard.edge.gate import Gate
from runcard.edge.links import Links
from runcard.edge.noted_calls import NotedCalls, Notes, new_notes
from runcard.edge.openapi import document
from runcard.edge.paths import ApiPaths
from runcard.edge.recorder import Recorder
from runcard.edge.report_files import Stores
from runcard.edge.responses import JsonResponse
from runcard.edge.retention import Sweeper
from runcard.edge.unknown_names import pass_over_unknown
from runcard.settings import Settings
from runcard.store.blobs import Blobs
from runcard.store.database import Database
from runcard.store.migrate import migrate
from runcard.store.writer import Writer
from runcard.web.errors import is_page, page_for
from runcard.web.router import router as web_router
from runcard.web.static_files import WebFiles
from runcard.worker import Worker

_log = logging.getLogger(__name__)

_V1 = ("/api/v1", "/v1")
_V2 = "/api/v2"
_QUESTIONS = "/api/analytics"
_COMMAND_LINES = "/api/cli"
_EXPORTS = "/api/export"
_QUARANTINE = "/api/quarantine"
# Of what needs no folder of its own; it comes last, as the others lie below it.
_OWN = "/api"


def open_database(settings: Settings) -> Database:
    """The database of an installation, brought up to the newest schema."""
    database = Database.open(settings.database_url, settings.sqlite_path)
    migrate(database)
    return database


def open_blobs(settings: Settings) -> Blobs:
    """The place of an installation's attachments."""
    return Blobs.open(
        settings.attachments_url, settings.attachments_endpoint, settings.data_dir / "attachments"
    )


def open_copy(settings: Settings) -> ColumnarCopy | None:
    """The columnar copy of an installation; None where it is not wanted, or where this process cannot have it, which
    is logged.
    """
    if not settings.columnar_copy:
        return None
    try:
        return ColumnarCopy(DuckDb(settings.copy_path), settings.copy_timeout_s)
    except CopyLocked:
        _log.warning("another process has %s open: this one asks the database instead", settings.copy_path)
    except CopyFailed:
        _log.exception("%s cannot be used: the database is asked instead", settings.copy_path)
    return None


def open_activity(
    settings: Settings, truth: Database, notes: Notes, plain: Collection[str]
) -> ActivityLog | None:
    """What writes down the calls of an installation's APIs; None where that is not wanted.

    plain: paths that are called past routing.
    """
    if not settings.activity:
        return None
    database = truth if truth.is_postgresql else Database.open(None, settings.activity_path)
    prefixes = [*_V1, _V2, _QUESTIONS, _COMMAND_LINES, _EXPORTS, _QUARANTINE, _OWN]
    endpoints = Endpoints(prefixes, plain, old=_V1)
    return ActivityLog(notes, endpoints, database, truth, timedelta(days=settings.activity_days))


def create_app(settings: Settings) -> ASGIApp:
    """The whole server for one installation."""
    notes = new_notes()
    server = create_server(settings, notes)
    return NotedCalls(server, notes) if settings.activity else server


def create_server(settings: Settings, notes: Notes) -> ApiPaths:
    """The same, for whoever sees to it that its calls are noted."""
    create_run = _answering(v1.create_run)
    direct = {f"{prefix}/runs": create_run for prefix in _V1} | {f"{_V2}/runs": _answering(v2.create_run)}

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        look_less_often()
        database = open_database(settings)
        writer = Writer(database)
        gate = Gate(database)
        recorder = Recorder(database, gate)
        copy = open_copy(settings)
        worker = None if copy is None else Worker(database, copy)
        activity = open_activity(settings, database, notes, direct)
        blobs = open_blobs(settings)
        sweeper = Sweeper(Stores(database, writer, blobs))
        secret_key = settings.secret_key or _secret_key(settings.data_dir)
        app.state.parts = Parts(
            database=database,
            writer=writer,
            gate=gate,
            recorder=recorder,
            blobs=blobs,
            copy=copy,
            links=Links(
                secret_key,
                settings.public_url,
                {"upload": settings.upload_expires_s, "download": settings.download_expires_s},
            ),
            max_body_bytes=settings.max_body_bytes,
            max_upload_bytes=settings.max_upload_bytes,
            list_timeout_s=settings.list_timeout_s,
            runs_as_object=settings.runs_envelope == "object",
            operators_by_email=settings.operators_by_email,
            credentials=CredentialCheck(),
            form_tokens=FormTokens(secret_key),
            activity=activity,
        )
        try:
            yield
        finally:
            await recorder.close()
            sweeper.close()
            if worker is not None:
                worker.close()
            writer.close()
            if activity is not None:
                activity.close()
            database.close()

    app = FastAPI(title="Runcard", version=__version__, lifespan=lifespan, openapi_url=None)
    _open_doors(app)
    app.add_api_route("/api/openapi.json", partial(_openapi, app), include_in_schema=False)
    app.add_exception_handler(RuncardError, _answer_error)
    app.add_exception_handler(RequestValidationError, _answer_invalid)
    app.add_exception_handler(HTTPException, _answer_http)
    app.add_exception_handler(Exception, _answer_error)
    return ApiPaths(app, direct)


def _open_doors(app: FastAPI) -> None:
    foreign, own = [Depends(pass_over_unknown)], [Depends(refuse_unknown_parameters)]
    app.include_router(v1.router, prefix=_V1[0], tags=["v1"], dependencies=foreign)
    app.include_router(v1.router, prefix=_V1[1], include_in_schema=False, dependencies=foreign)
    app.include_router(v2.router, prefix=_V2, dependencies=foreign)
    app.include_router(questions.router, prefix=_QUESTIONS, tags=["analytics"], dependencies=own)
    app.include_router(cli.router, prefix=_COMMAND_LINES, tags=["command lines"], dependencies=own)
    app.include_router(exports.router, prefix=_EXPORTS, tags=["export"], dependencies=own)
    app.include_router(quarantine.router, prefix=_QUARANTINE, tags=["quarantine"], dependencies=own)
    app.include_router(repairs.router, prefix=_OWN, tags=["repairs"], dependencies=own)
    app.include_router(files_router, include_in_schema=False)
    app.include_router(docs_router)
    app.include_router(web_router)
    app.mount("/static", GZipMiddleware(WebFiles()))


def _openapi(app: FastAPI) -> JsonResponse:
    unseen = {
        f"{prefix}{path}": described
        for prefix, descriptions in ((_V1[0], v1.DESCRIPTIONS), (_V2, v2.DESCRIPTIONS))
        for path, described in descriptions.items()
    }
    return JsonResponse(document(app, unseen, ErrorBody))


def _answering(endpoint: ASGIApp) -> ASGIApp:
    """A plain ASGI endpoint that answers its own errors, to be called past FastAPI."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await endpoint(scope, receive, send)
        except Exception as error:
            response = await _answer_error(Request(scope), error)
            await response(scope, receive, send)

    return answer


async def _answer_error(request: Request, error: Exception) -> Response:
    answer = answer_error(error, v2.ANSWERS if request.url.path.startswith(_V2) else ANSWERS)
    if answer.status >= 500:
        _log.error("request failed", exc_info=error)
    if is_page(request):
        return page_for(request, error)
    return Response(answer.body, answer.status, media_type=answer.media_type)


async def _answer_invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    issues = [Issue(tuple(item["loc"][1:]), item["msg"]) for item in error.errors()]
    return await _answer_error(request, InvalidInput(issues))


async def _answer_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if is_page(request):
        return page_for(request, error)
    return Response(not_found_body(), 404, media_type="application/json")


def _secret_key(data_dir: Path) -> str:
    """The key in the data directory, made at the first start and readable by its owner only."""
    path = data_dir / "secret.key"
    if not path.exists():
        data_dir.mkdir(parents=True, exist_ok=True)
        fresh = data_dir / f"secret.key.{secrets.token_hex(8)}"
        fresh.touch(mode=0o600)
        fresh.write_text(secrets.token_urlsafe(48), "ascii")
        # Of several processes that start at once, one names its key and all read that.
        with suppress(FileExistsError):
            path.hardlink_to(fresh)
        fresh.unlink()
    return path.read_text("ascii").strip()
