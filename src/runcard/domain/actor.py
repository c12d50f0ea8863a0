"""Who acts: a user or a station of one organization, or Runcard itself."""

from typing import Literal, get_args
from uuid import UUID

from msgspec import Struct

from runcard.domain.errors import PermissionDenied

Role = Literal["admin", "engineer", "operator", "viewer"]

# What a key may: add records, see them, change and delete them.
KeyScope = Literal["record", "read", "manage"]
KEY_SCOPES: tuple[KeyScope, ...] = get_args(KeyScope)


class Origin(Struct, frozen=True, omit_defaults=True):
    """Where a request came from. None: not known.

    door: such as "page", "v2". address: of the caller. key: the first characters of the API key, as it is shown.
    request_id: the one id of the request, as its answer told it.
    """

    door: str | None = None
    address: str | None = None
    key: str | None = None
    request_id: str | None = None


class UserActor(Struct, frozen=True):
    """A user. scopes: those of the key by which they act; None: all that the role allows."""

    user_id: UUID
    organization_id: UUID
    role: Role
    origin: Origin = Origin()
    scopes: frozenset[KeyScope] | None = None


class StationActor(Struct, frozen=True):
    """A station. scopes: those of its key; None: all that a station may."""

    station_id: UUID
    organization_id: UUID
    origin: Origin = Origin()
    scopes: frozenset[KeyScope] | None = None


Actor = UserActor | StationActor


class SystemActor(Struct, frozen=True):
    """Runcard itself, which acts for no member: a task such as "retention", or a command such as "runcard key make".

    login: the account on the host that started the command; None for a task.
    """

    organization_id: UUID
    task: str
    login: str | None = None
    origin: Origin = Origin()


# Who a change is made by.
Author = UserActor | StationActor | SystemActor


def check_scope(actor: Actor, scope: KeyScope) -> None:
    """Check that the key by which somebody acts has this scope. Raises PermissionDenied."""
    if actor.scopes is not None and scope not in actor.scopes:
        may = " and ".join(one for one in KEY_SCOPES if one in actor.scopes)
        raise PermissionDenied(f"This key may only {may}. Use a key with the scope {scope}.")


def check_may_record(actor: Actor) -> None:
    """Check that this actor may add runs, files and sub-units: everyone but viewers, and keys without the scope.

    Raises PermissionDenied.
    """
    check_scope(actor, "record")
    if isinstance(actor, UserActor) and actor.role == "viewer":
        raise PermissionDenied("Role viewer can read but not record. Ask an admin for another role.")
