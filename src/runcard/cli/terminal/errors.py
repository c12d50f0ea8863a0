"""How a command reports a failure: one clear line and no traceback."""

from typing import Any

import msgspec
import typer

from runcard.auth.secret_keys import SecretKeyUnusable
from runcard.cli.terminal.help_texts import WholeSummaries
from runcard.domain.errors import InvalidInput, Issue, RuncardError
from runcard.evidence.head_files import HeadUnreadable
from runcard.evidence.signing import SigningKeyUnusable
from runcard.settings import SettingsError
from runcard.store.engine.database import DatabaseFailed, DatabaseUrlInvalid

# Errors of the input and of the machine. Any other exception is a defect of Runcard and keeps its traceback.
_EXPECTED = (
    RuncardError,
    SettingsError,
    SecretKeyUnusable,
    SigningKeyUnusable,
    HeadUnreadable,
    DatabaseUrlInvalid,
    DatabaseFailed,
    OSError,
    UnicodeError,
)


class ClearErrors(WholeSummaries):
    """A group of commands. A command that fails ends with one line on stderr and exit code 1."""

    def invoke(self, ctx: Any) -> Any:
        as_json = "--json" in ctx.args
        try:
            return super().invoke(ctx)
        except _EXPECTED as error:
            typer.echo(_as_json(error) if as_json else f"Error: {_as_line(error)}", err=True)
            raise typer.Exit(1) from error


def _as_line(error: Exception) -> str:
    issues = _issues(error)
    text = "; ".join(f"{issue.location}: {issue.message}" for issue in issues) or _message(error)
    return " ".join(text.split())


def _as_json(error: Exception) -> str:
    issues = [{"path": issue.path, "message": issue.message} for issue in _issues(error)]
    return msgspec.json.encode({"error": {"message": _message(error), "issues": issues}}).decode()


def _issues(error: Exception) -> tuple[Issue, ...]:
    return error.issues if isinstance(error, InvalidInput) else ()


def _message(error: Exception) -> str:
    match error:
        case OSError(filename=str() as name, strerror=str() as reason):
            return f"{name}: {reason}."
        case UnicodeError():
            return "An argument contains bytes that are no UTF-8 text. Give it in UTF-8."
        case _:
            return str(error)
