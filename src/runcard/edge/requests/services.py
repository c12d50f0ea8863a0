"""The services that every door is given. `app` builds them once, and this module injects them."""

from collections.abc import Iterator
from functools import partial
from typing import Annotated, Any, NamedTuple, TypeVar

from fastapi import Depends, Request
from starlette import types as asgi

from runcard.activity.log import ActivityLog
from runcard.analytics.copy.columnar_copy import ColumnarCopy
from runcard.analytics.snapshot import Snapshot
from runcard.auth.credentials import CredentialCheck
from runcard.auth.form_tokens import FormTokens
from runcard.auth.known_browsers import KnownBrowsers
from runcard.auth.permissions import check_is_station, check_is_user, check_may_delete, check_may_manage
from runcard.domain.actor import Actor, StationActor, UserActor, check_may_record, check_scope
from runcard.edge.fair_share import Shares, rest_while
from runcard.edge.gate import Gate
from runcard.edge.links import Links
from runcard.edge.requests.bodies import BodyDecoder, read_body
from runcard.edge.requests.origin import from_request
from runcard.edge.requests.unknown_names import refuse_parameters, take_unknown_fields
from runcard.evidence.prover import Prover
from runcard.ingest.reach import check_may_add
from runcard.ingest.record_run import RunClient
from runcard.intake.arrived_files import Stores
from runcard.intake.parsing.parsers import Parsers
from runcard.recording.recorder import Recorder
from runcard.store.commit.writer import Writer
from runcard.store.engine.database import Connection, Database
from runcard.store.engine.readable import Readable
from runcard.store.engine.scope import Scope
from runcard.store.files.blobs import Blobs

T = TypeVar("T")


class Services(NamedTuple):
    """Everything that an endpoint may need from outside its request.

    database: answers reads. primary: the database itself, for what also writes.
    copy: None if this process has no columnar copy. activity: None if API calls are not recorded.
    """

    database: Readable
    primary: Database
    writer: Writer
    gate: Gate
    recorder: Recorder
    blobs: Blobs
    copy: ColumnarCopy | None
    links: Links
    max_body_bytes: int
    max_upload_bytes: int
    list_timeout_s: int
    runs_as_object: bool
    operators_by_email: bool
    credentials: CredentialCheck
    known_browsers: KnownBrowsers
    form_tokens: FormTokens
    activity: ActivityLog | None
    shares: Shares
    parsers: Parsers
    prover: Prover

    @property
    def stores(self) -> Stores:
        """The stores for the import of report files, which a separate process reads."""
        rest = partial(rest_while, lambda: self.recorder.is_busy)
        return Stores(self.primary, self.writer, self.blobs, self.parsers.open, rest)


def services_of(scope: asgi.Scope) -> Services:
    """The services of the application that serves this request."""
    services: Services = scope["app"].state.services
    return services


def _services(request: Request) -> Services:
    return services_of(request.scope)


WithServices = Annotated[Services, Depends(_services)]


def _caller(request: Request, services: WithServices) -> Actor:
    return from_request(services.gate.identify(request.headers.get("authorization")), request)


# The owner of the key, whatever its scopes.
WithCaller = Annotated[Actor, Depends(_caller)]


async def _actor(request: Request, caller: WithCaller) -> Actor:
    if request.method in ("GET", "HEAD"):
        check_scope(caller, "read")
    return caller


# The owner of the key. To get anything, the key needs the scope `read`; guards of other methods check other scopes.
WithActor = Annotated[Actor, Depends(_actor)]


def refuse_unknown_parameters(request: Request, _actor: WithActor) -> None:
    """Refuse unknown parameters on a route of one of Runcard's own doors. Raises InvalidInput.

    The key comes first, so that a caller without a key learns nothing about queries.
    """
    refuse_parameters(request)


def _client(request: Request) -> RunClient:
    return RunClient(request.headers.get("x-client-type"), request.headers.get("x-client-version"))


# The program that sends the request, as it names itself.
WithClient = Annotated[RunClient, Depends(_client)]


def _recorder(actor: WithActor, services: WithServices) -> Actor:
    check_may_record(actor)
    if isinstance(actor, StationActor):
        with services.database.read() as connection:
            check_may_add(connection, actor)
    return actor


# A caller that may record runs: everyone except viewers, and stations that are linked to no procedure.
WithRecordingActor = Annotated[Actor, Depends(_recorder)]


def to_manage(deed: str) -> Any:
    """A dependency that is the user behind the request, who must be a manager. deed: such as "delete runs"."""

    def manager(actor: WithActor) -> UserActor:
        return check_may_manage(actor, deed)

    return Depends(manager)


def to_delete(deed: str) -> Any:
    """A dependency that is the user behind the request, who must be an admin. deed: such as "delete runs"."""

    def admin(actor: WithActor) -> UserActor:
        return check_may_delete(actor, deed)

    return Depends(admin)


def as_user(deed: str) -> Any:
    """A dependency that is the user behind the request, in any role. Stations are refused."""

    def user(actor: WithActor) -> UserActor:
        return check_is_user(actor, deed)

    return Depends(user)


def as_station(deed: str) -> Any:
    """A dependency that is the station behind the request. Users are refused."""

    def station(actor: WithActor) -> StationActor:
        return check_is_station(actor, deed)

    return Depends(station)


def _connection(_actor: WithActor, services: WithServices) -> Iterator[Connection]:
    with services.database.read() as connection:
        yield connection


WithConnection = Annotated[Connection, Depends(_connection)]


def _scope(actor: WithActor, connection: WithConnection) -> Scope:
    return Scope(connection, actor.organization_id)


# The records that the caller may see.
WithScope = Annotated[Scope, Depends(_scope)]


def _snapshot(services: WithServices, scope: WithScope) -> Iterator[Snapshot]:
    with Snapshot(services.copy, scope) as snapshot:
        yield snapshot


WithSnapshot = Annotated[Snapshot, Depends(_snapshot)]


def json_body(body_type: type[T]) -> Any:
    """A dependency that reads the body of a request as `body_type`.

    The key comes first, so that a caller without a key learns nothing about bodies.
    """
    decoder: BodyDecoder[T, T] = BodyDecoder(body_type)

    async def read(request: Request, _actor: WithActor, services: WithServices) -> T:
        sent = await read_body(request.receive, services.max_body_bytes)
        body, unknown = decoder.decode(sent, request.headers.get("content-type", ""))
        take_unknown_fields(request, unknown)
        return body

    return Depends(read)
