"""The page of an invitation, behind its one-time link."""

from collections.abc import Sequence
from typing import NamedTuple

from fastapi import APIRouter, Request
from starlette.responses import Response

from runcard.auth.invitations import accept, find_invited
from runcard.auth.passwords import MIN_PASSWORD_LENGTH, check_password_strength, hash_password
from runcard.auth.sessions import log_in
from runcard.domain.actor import SystemActor
from runcard.domain.errors import AlreadyExists, InvalidInput
from runcard.edge.answers.errors import answer_error
from runcard.edge.requests.origin import origin_of
from runcard.edge.requests.services import Services, WithServices
from runcard.edge.shares.hashes import WithHashingTurn
from runcard.store.commit.lookups import get_organization
from runcard.store.commit.transaction import Transaction
from runcard.store.engine.scope import Scope
from runcard.web.frame.cookies import is_by_tls
from runcard.web.frame.forms import (
    Fields,
    WithFields,
    check_visitor_form,
    problems_of,
    remember_visitor,
    visitor_of,
)
from runcard.web.frame.render import redirect, render
from runcard.web.frame.visit import remember_session

router = APIRouter()


class InvitationPage(NamedTuple):
    action: str
    organization: str
    email: str
    role: str
    name: str
    min_password_length: int
    problems: Sequence[str]
    form_token: str


@router.get("/invitation/{token}")
def show_invitation(request: Request, services: WithServices, token: str) -> Response:
    return _form(request, services, token, {})


@router.post("/invitation/{token}")
def submit_invitation(
    request: Request, services: WithServices, token: str, fields: WithFields, _turn: WithHashingTurn
) -> Response:
    check_visitor_form(request, services, fields)
    with services.database.read() as connection:
        # Check the invitation before the server hashes a password for a stranger.
        invitation = find_invited(connection, token)
        organization = get_organization(Scope(connection, invitation.organization_id))
    try:
        check_password_strength(fields.get("password", ""), (organization.name, invitation.email))
        password_hash = hash_password(fields.get("password", ""))

        def apply(tx: Transaction) -> str:
            member = accept(tx, token, fields.get("name", ""), password_hash)
            return log_in(tx, member, request.headers.get("user-agent"), by_tls=is_by_tls(request))

        session = services.writer.write_catalog(
            SystemActor(organization.id, "invitation", origin=origin_of(request)), apply
        )
    except (InvalidInput, AlreadyExists) as error:
        return _form(request, services, token, fields, error)
    response = redirect("/")
    remember_session(response, request, session)
    return response


def _form(
    request: Request,
    services: Services,
    token: str,
    fields: Fields,
    error: InvalidInput | AlreadyExists | None = None,
) -> Response:
    visitor = visitor_of(request)
    with services.database.read() as connection:
        invitation = find_invited(connection, token)
        organization = get_organization(Scope(connection, invitation.organization_id))
    page = InvitationPage(
        action=request.url.path,
        organization=organization.name,
        email=invitation.email,
        role=invitation.role,
        name=fields.get("name", ""),
        min_password_length=MIN_PASSWORD_LENGTH,
        problems=problems_of(error),
        form_token=services.form_tokens.token(visitor),
    )
    response = render("people/invitation.html", page, status=answer_error(error).status if error else 200)
    remember_visitor(response, request, visitor)
    return response
