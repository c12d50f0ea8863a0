"""The page of an organization's members and invitations."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Annotated, NamedTuple, get_args
from uuid import UUID

from fastapi import APIRouter, Request
from msgspec import Meta, Struct
from starlette.responses import Response

from runcard.auth.invitations import INVITATION_LIFETIME, invite
from runcard.auth.members import end_log_ins, give_role, reinstate, suspend
from runcard.auth.permissions import check_may_administer, may_administer
from runcard.domain.actor import Role
from runcard.domain.errors import Conflict, InvalidInput, NotFound
from runcard.edge.answers.errors import answer_error
from runcard.edge.requests.ids import id_of
from runcard.edge.requests.services import Services, WithServices
from runcard.exports.spreadsheets import Cell, Rows, SheetColumn
from runcard.store.commit.transaction import Transaction
from runcard.store.people.invitations import delete_invitation, list_invitations
from runcard.store.people.users import User, list_users
from runcard.web.evidence.kinds import kinds_in
from runcard.web.evidence.lines import ThingHistory, history_of_kinds
from runcard.web.frame.confirmation import WithConfirmation
from runcard.web.frame.formats import Moment, moment_of
from runcard.web.frame.forms import Fields, WithForm, problems_of
from runcard.web.frame.render import redirect, render
from runcard.web.frame.visit import Visit, WithVisit
from runcard.web.lists.filters import Choice, page_query, url_of
from runcard.web.lists.slices import MAX_PAGE, Slice, slice_of
from runcard.web.lists.table_files import FileAsk, TableFiles, file_route, files_of

router = APIRouter()

_HERE = "/settings/members"
_ROLES: tuple[Role, ...] = get_args(Role)
_USUAL_ROLE: Role = "engineer"
_SHEET = [
    SheetColumn("Member"),
    SheetColumn("E-mail"),
    SheetColumn("Role"),
    SheetColumn("State"),
    SheetColumn("Suspended since", "moment"),
]


class MembersQuery(Struct, kw_only=True):
    page: Annotated[int, Meta(ge=1, le=MAX_PAGE)] = 1


class MemberLine(NamedTuple):
    """url: where the forms of this member are sent. is_reader: the member is the reader of the page."""

    url: str
    name: str
    email: str
    role: Role
    roles: Sequence[Choice]
    suspended_at: Moment | None
    is_reader: bool


class InvitationLine(NamedTuple):
    url: str
    email: str
    role: Role
    expires_at: Moment


class MembersPage(NamedTuple):
    """fields: what was filled in to invite somebody."""

    members: Slice[MemberLine]
    files: TableFiles
    invitations: Sequence[InvitationLine]
    roles: Sequence[Choice]
    fields: Fields
    may_change: bool
    history: ThingHistory | None
    problems: Sequence[str]


class InvitedPage(NamedTuple):
    email: str
    role: Role
    url: str
    days: int


@router.get(_HERE)
def show_members(
    services: WithServices, visit: WithVisit, query: Annotated[MembersQuery, page_query(MembersQuery)]
) -> Response:
    return _show(services, visit, query, {})


@file_route(router, _HERE, MembersQuery, "Members", _SHEET)
def list_all_members(ask: FileAsk[MembersQuery]) -> Rows:
    """All members, in the order of the page."""
    with ask.services.database.read_in(ask.organization_id) as scope:
        return [[_cells(user) for user in list_users(scope)]]


@router.post(f"{_HERE}/invitations")
def submit_invitation(
    request: Request, services: WithServices, visit: WithVisit, confirmation: WithConfirmation
) -> Response:
    """Invite a member, and show the link. No other page shows it."""
    check_may_administer(visit.actor, "invite members")
    confirmation.check()
    fields = confirmation.fields
    email = fields.get("email", "")
    try:
        role = _role(fields)
        token = services.writer.write(visit.actor, lambda tx: invite(tx, visit.actor, email, role))
    except (InvalidInput, Conflict) as error:
        return _show(services, visit, MembersQuery(), fields, error)
    url = f"{services.links.root(str(request.base_url))}/invitation/{token}"
    return render(
        "people/invited.html", InvitedPage(email.strip(), role, url, INVITATION_LIFETIME.days), visit
    )


@router.post(f"{_HERE}/invitations/{{invitation_id}}/cancel")
def cancel_invitation(
    services: WithServices, visit: WithVisit, invitation_id: str, _fields: WithForm
) -> Response:
    check_may_administer(visit.actor, "withdraw invitations")
    invitation_uuid = id_of(invitation_id, _missing("Invitation"))
    services.writer.write(visit.actor, lambda tx: delete_invitation(tx, invitation_uuid))
    return redirect(_HERE)


@router.post(f"{_HERE}/{{user_id}}/role")
def submit_role(
    services: WithServices, visit: WithVisit, user_id: str, confirmation: WithConfirmation
) -> Response:
    check_may_administer(visit.actor, "change roles")
    role = _role(confirmation.fields)
    confirmation.check()
    return _change(services, visit, user_id, lambda tx, member: give_role(tx, visit.actor, member, role))


@router.post(f"{_HERE}/{{user_id}}/suspend")
def submit_suspend(
    services: WithServices, visit: WithVisit, user_id: str, confirmation: WithConfirmation
) -> Response:
    check_may_administer(visit.actor, "suspend members")
    confirmation.check()
    return _change(services, visit, user_id, lambda tx, member: suspend(tx, visit.actor, member))


@router.post(f"{_HERE}/{{user_id}}/reinstate")
def submit_reinstate(
    services: WithServices, visit: WithVisit, user_id: str, confirmation: WithConfirmation
) -> Response:
    check_may_administer(visit.actor, "reinstate members")
    confirmation.check()
    return _change(services, visit, user_id, lambda tx, member: reinstate(tx, visit.actor, member))


@router.post(f"{_HERE}/{{user_id}}/sessions/end")
def submit_end_log_ins(services: WithServices, visit: WithVisit, user_id: str, _fields: WithForm) -> Response:
    return _change(services, visit, user_id, lambda tx, member: end_log_ins(tx, visit.actor, member))


def _change(
    services: Services, visit: Visit, user_id: str, change: Callable[[Transaction, UUID], None]
) -> Response:
    user_uuid = id_of(user_id, _missing("User"))
    try:
        services.writer.write_catalog(visit.actor, lambda tx: change(tx, user_uuid))
    except Conflict as error:
        return _show(services, visit, MembersQuery(), {}, error)
    return redirect(_HERE)


def _show(
    services: Services,
    visit: Visit,
    query: MembersQuery,
    fields: Fields,
    error: InvalidInput | Conflict | None = None,
) -> Response:
    organization_id = visit.actor.organization_id
    with services.database.read_in(organization_id) as scope:
        users = list_users(scope)
        invitations = list_invitations(scope, datetime.now(UTC))
        history = (
            history_of_kinds(scope, visit, kinds_in("people"), "/trail?about=people")
            if may_administer(visit.actor)
            else None
        )
    members = [_line(user, visit) for user in users]
    page = MembersPage(
        members=slice_of(members, query.page, lambda page: url_of(_HERE, query, page=page)),
        files=files_of(_HERE, query, "page"),
        invitations=[
            InvitationLine(
                f"{_HERE}/invitations/{one.id}", one.email, one.role, moment_of(one.expires_at, visit.zone)
            )
            for one in invitations
        ],
        roles=_roles(fields.get("role", _USUAL_ROLE)),
        fields=fields,
        may_change=may_administer(visit.actor),
        history=history,
        problems=problems_of(error),
    )
    return render("people/members.html", page, visit, status=answer_error(error).status if error else 200)


def _line(user: User, visit: Visit) -> MemberLine:
    suspended = None if user.suspended_at is None else moment_of(user.suspended_at, visit.zone)
    is_reader = user.id == visit.actor.user_id
    url = f"{_HERE}/{user.id}"
    return MemberLine(url, user.name, user.email, user.role, _roles(user.role), suspended, is_reader)


def _cells(user: User) -> Sequence[Cell]:
    state = "active" if user.suspended_at is None else "suspended"
    return [user.name, user.email, user.role, state, user.suspended_at]


def _roles(chosen: str) -> Sequence[Choice]:
    return [Choice(role, role, role == chosen) for role in _ROLES]


def _role(fields: Fields) -> Role:
    role_name = fields.get("role", "")
    for role in _ROLES:
        if role == role_name:
            return role
    raise InvalidInput.at("role", f"{role_name!r} is no role; choose one of {', '.join(_ROLES)}")


def _missing(noun: str) -> Callable[[str], NotFound]:
    return lambda text: NotFound(f"{noun} not found: {text}")
