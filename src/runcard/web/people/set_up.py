"""The page that sets up a new installation, behind its one-time link."""

from collections.abc import Sequence
from typing import NamedTuple

from fastapi import APIRouter, Request
from starlette.responses import Response

from runcard.auth.api_keys import new_api_key
from runcard.auth.passwords import MIN_PASSWORD_LENGTH, check_password_strength, hash_password
from runcard.auth.sessions import log_in
from runcard.auth.set_up import SetUp, set_up_organization
from runcard.auth.tokens import digest_of
from runcard.domain.actor import UserActor
from runcard.domain.errors import AlreadyExists, InvalidInput, SetupLinkSpent
from runcard.edge.answers.errors import answer_error
from runcard.edge.requests.origin import from_request
from runcard.edge.requests.services import Services, WithServices
from runcard.edge.shares.hashes import WithHashingTurn
from runcard.store.commit.transaction import SharedTransaction
from runcard.store.creator import Creator
from runcard.store.people.sessions import is_setup_link_open, use_setup_link
from runcard.store.procedures.rows import Procedure, create_procedure
from runcard.web.frame.cookies import is_by_tls
from runcard.web.frame.forms import (
    Fields,
    WithFields,
    check_visitor_form,
    problems_of,
    remember_visitor,
    visitor_of,
)
from runcard.web.frame.render import render
from runcard.web.frame.visit import remember_session
from runcard.web.people.first_run import SOME_PROCEDURE, Snippet, snippets

router = APIRouter()

# The form proposes this procedure, so that there is one to send a first run to.
_FIRST_PROCEDURE = "Functional test"


class SetUpPage(NamedTuple):
    """problems: what was wrong with what was filled in."""

    action: str
    organization: str
    email: str
    person: str
    procedure: str
    min_password_length: int
    problems: Sequence[str]
    form_token: str


class SetUpDonePage(NamedTuple):
    """procedure: the first one, such as Board (FVT1); empty if none was named."""

    organization: str
    email: str
    api_key: str
    procedure: str
    snippets: Sequence[Snippet]


class _Done(NamedTuple):
    made: SetUp
    procedure: Procedure | None
    session: str


@router.get("/setup/{token}")
def show_set_up(request: Request, services: WithServices, token: str) -> Response:
    _check_open(services, token)
    return _form(request, services, {})


@router.post("/setup/{token}")
def submit_set_up(
    request: Request, services: WithServices, token: str, fields: WithFields, _turn: WithHashingTurn
) -> Response:
    check_visitor_form(request, services, fields)
    _check_open(services, token)
    key = new_api_key()
    try:
        check_password_strength(
            fields.get("password", ""), (fields.get("organization", ""), fields.get("email", ""))
        )
        password_hash = hash_password(fields.get("password", ""))

        def apply(shared: SharedTransaction) -> _Done:
            if not use_setup_link(shared, digest_of(token)):
                raise SetupLinkSpent
            name, email = fields.get("organization", ""), fields.get("email", "")
            made = set_up_organization(
                shared,
                name,
                email,
                password_hash=password_hash,
                secret=key.secret,
                person=fields.get("person", ""),
            )
            admin = from_request(UserActor(made.admin.id, made.organization.id, made.admin.role), request)
            tx = shared.of(admin)
            first = fields.get("procedure", "").strip()
            procedure = create_procedure(tx, first, Creator.of(admin)) if first else None
            return _Done(
                made,
                procedure,
                log_in(tx, admin, request.headers.get("user-agent"), by_tls=is_by_tls(request)),
            )

        done = services.writer.write_shared(apply)
    except (InvalidInput, AlreadyExists) as error:
        return _form(request, services, fields, error)
    response = render("people/set_up_done.html", _done_page(request, services, done, key.api_key))
    remember_session(response, request, done.session)
    return response


def _done_page(request: Request, services: Services, done: _Done, api_key: str) -> SetUpDonePage:
    procedure, root = done.procedure, services.links.root(str(request.base_url))
    return SetUpDonePage(
        organization=done.made.organization.name,
        email=done.made.admin.email,
        api_key=api_key,
        procedure=f"{procedure.name} ({procedure.identifier})" if procedure else "",
        snippets=snippets(root, api_key, procedure.identifier if procedure else SOME_PROCEDURE),
    )


def _check_open(services: Services, token: str) -> None:
    with services.database.read() as connection:
        if not is_setup_link_open(connection, digest_of(token)):
            raise SetupLinkSpent


def _form(
    request: Request, services: Services, fields: Fields, error: InvalidInput | AlreadyExists | None = None
) -> Response:
    visitor = visitor_of(request)
    page = SetUpPage(
        action=request.url.path,
        organization=fields.get("organization", ""),
        email=fields.get("email", ""),
        person=fields.get("person", ""),
        procedure=fields.get("procedure", _FIRST_PROCEDURE),
        min_password_length=MIN_PASSWORD_LENGTH,
        problems=problems_of(error),
        form_token=services.form_tokens.token(visitor),
    )
    response = render("people/set_up.html", page, status=answer_error(error).status if error else 200)
    remember_visitor(response, request, visitor)
    return response
