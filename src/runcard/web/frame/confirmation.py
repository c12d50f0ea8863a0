"""Asks for the password of the reader again before a form does what a stolen browser must not do."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, NamedTuple

from fastapi import Depends, Request
from starlette.responses import Response

from runcard.auth.credentials import LogInCaller
from runcard.auth.sessions import confirm, is_confirmed
from runcard.auth.tokens import digest_of
from runcard.domain.errors import PermissionDenied, TooManyAttempts
from runcard.edge.requests.services import Services, WithServices
from runcard.edge.shares.hashes import WithHashingTurn
from runcard.web.frame.forms import TOKEN_FIELD, Fields, WithForm
from runcard.web.frame.render import render
from runcard.web.frame.visit import Visit, WithVisit

_PASSWORD_FIELD = "confirm_password"  # noqa: S105 (the name of a field)


class PasswordWanted(PermissionDenied):
    """A form is sent from a session in which nobody has given the password lately.

    url: where the form is sent. fields: what was filled in. problem: why the password that was given does not count.
    """

    default_message = "This asks for your password again."

    def __init__(self, url: str, fields: Fields, problem: str = "") -> None:
        super().__init__()
        self.url = url
        self.fields = fields
        self.problem = problem


class ConfirmPage(NamedTuple):
    """fields: what was filled in before, to be sent along."""

    url: str
    fields: Sequence[tuple[str, str]]
    problem: str


class Confirmation(NamedTuple):
    """A form that may need the password of the reader. fields: of the form."""

    request: Request
    services: Services
    visit: Visit
    fields: Fields

    def check(self) -> None:
        """Check that the reader has given the password lately, or gives it with this form. Raises PasswordWanted."""
        if is_confirmed(self.visit.confirmed_at, datetime.now(UTC)):
            return
        given = self.fields.get(_PASSWORD_FIELD)
        if given is None:
            raise self._wanted()
        try:
            is_right = self._is_right(given)
        except TooManyAttempts as error:
            raise self._wanted(str(error)) from error
        if not is_right:
            raise self._wanted("The password is wrong.")
        session = self.visit.session
        self.services.writer.write(self.visit.actor, lambda tx: confirm(tx, session))

    def _is_right(self, password: str) -> bool:
        """Whether this is the password of the reader. Raises TooManyAttempts."""
        address = self.request.client.host if self.request.client else ""
        caller = LogInCaller(address, digest_of(self.visit.session).hex())
        with self.services.database.read() as connection:
            found = self.services.credentials.find_user(connection, self.visit.email, password, caller)
        return found is not None

    def _wanted(self, problem: str = "") -> PasswordWanted:
        return PasswordWanted(self.request.url.path, self.fields, problem)


def _confirmation(
    request: Request, services: WithServices, visit: WithVisit, fields: WithForm, _turn: WithHashingTurn
) -> Confirmation:
    return Confirmation(request, services, visit, fields)


# The form of a deed that asks for the password again. Check first that the reader may do it at all.
WithConfirmation = Annotated[Confirmation, Depends(_confirmation)]


def page_that_asks(error: PasswordWanted, visit: Visit | None, status: int) -> Response:
    """The page that asks for the password, and then sends what was filled in."""
    kept = [(name, text) for name, text in error.fields.items() if name not in (TOKEN_FIELD, _PASSWORD_FIELD)]
    return render("frame/confirm.html", ConfirmPage(error.url, kept, error.problem), visit, status)
