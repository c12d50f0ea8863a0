"""Users of the v2 API."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from msgspec import Struct
from starlette.responses import Response

from runcard.domain.actor import UserActor
from runcard.edge.answers.openapi import operation
from runcard.edge.answers.responses import JsonResponse
from runcard.edge.requests.queries import query, query_parameters
from runcard.edge.requests.services import WithActor, WithScope, as_user
from runcard.store.people.users import User, get_user, list_users

router = APIRouter()


class UserListQuery(Struct):
    """current: only the owner of the key. Clients before 2.3 use it."""

    current: bool = False


class MemberBody(Struct):
    """image: users have none yet. banned: suspended."""

    id: UUID
    email: str
    name: str | None
    image: str | None
    banned: bool


@router.get(
    "/users",
    openapi_extra=operation(list[MemberBody], name="user-list", parameters=query_parameters(UserListQuery)),
)
def list_(
    actor: WithActor, scope: WithScope, query: Annotated[UserListQuery, query(UserListQuery)]
) -> Response:
    """All members of the organization, oldest first, suspended ones included."""
    members = list_users(scope)
    if query.current:
        me = actor.user_id if isinstance(actor, UserActor) else None
        members = [user for user in members if user.id == me]
    return JsonResponse([_body(user) for user in members])


@router.get("/users/current", openapi_extra=operation(MemberBody, name="user-getCurrent"))
def get_current(
    actor: Annotated[UserActor, as_user("ask for the current user")], scope: WithScope
) -> Response:
    """The user who owns the key."""
    return JsonResponse(_body(get_user(scope, str(actor.user_id))))


def _body(user: User) -> MemberBody:
    return MemberBody(user.id, user.email, user.name, None, user.suspended_at is not None)
