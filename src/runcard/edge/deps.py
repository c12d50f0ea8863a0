"""The parts that every door is given: built once in `app`, injected here."""

from collections.abc import Iterator
from typing import Annotated, NamedTuple

from fastapi import Depends, Request
from sqlalchemy import Connection
from starlette.types import Scope

from runcard.domain.actor import Actor, UserActor
from runcard.domain.errors import PermissionDenied
from runcard.edge.gate import Gate
from runcard.edge.links import Links
from runcard.store.blobs import Blobs
from runcard.store.database import Database
from runcard.store.writer import Writer


class Parts(NamedTuple):
    """Everything that an endpoint may need from outside of its request."""

    database: Database
    writer: Writer
    gate: Gate
    blobs: Blobs
    links: Links
    max_body_bytes: int
    max_upload_bytes: int
    runs_as_object: bool


def parts_of(scope: Scope) -> Parts:
    """The parts of the application that serves this request."""
    parts: Parts = scope["app"].state.parts
    return parts


def _parts(request: Request) -> Parts:
    return parts_of(request.scope)


def _actor(request: Request, parts: Annotated[Parts, Depends(_parts)]) -> Actor:
    return parts.gate.identify(request.headers.get("authorization"))


def _connection(parts: Annotated[Parts, Depends(_parts)]) -> Iterator[Connection]:
    with parts.database.read() as connection:
        yield connection


WithParts = Annotated[Parts, Depends(_parts)]
WithActor = Annotated[Actor, Depends(_actor)]
WithConnection = Annotated[Connection, Depends(_connection)]
