"""`runcard user`: members of an organization."""

import secrets
import sys
from collections.abc import Callable
from getpass import getpass
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from runcard.auth.passwords import check_password_strength, hash_password
from runcard.cli.installation.opened import Installation, command_author, open_installation
from runcard.cli.terminal.options import DatabaseUrl, DataDir, Json, OrganizationSlug
from runcard.cli.terminal.output import Record, show_record, show_rows
from runcard.domain.actor import Role
from runcard.domain.errors import InvalidInput
from runcard.store.commit.transaction import Transaction
from runcard.store.people.users import (
    User,
    create_user,
    get_user,
    list_users,
    reinstate_user,
    set_password,
    suspend_user,
)

app = typer.Typer(
    no_args_is_help=True, help="Create, list, suspend and reinstate members, and set passwords."
)

Email = Annotated[str, typer.Argument(metavar="EMAIL", help="E-mail or id of the member.")]
Password = Annotated[
    str | None,
    typer.Option(
        help="At least 10 characters. The list of processes shows it, so prefer --password-file. "
        "Default: a password is made up and shown once.",
        show_default=False,
    ),
]
PasswordFile = Annotated[
    Path | None,
    typer.Option(
        help="File whose first line is the password; - prompts for it, or reads it from standard input.",
        allow_dash=True,
        show_default=False,
    ),
]


def given_password(password: str | None, file: Path | None) -> str | None:
    """The password given as text or in a file; None where neither is given. Raises InvalidInput where both are."""
    if file is None:
        return password
    if password is not None:
        raise InvalidInput.at("password", "Both --password and --password-file are given; keep one of them")
    if str(file) != "-":
        with file.open(encoding="utf-8") as lines:
            return lines.readline().rstrip("\r\n")
    if sys.stdin.isatty():
        return getpass()
    return sys.stdin.readline().rstrip("\r\n")


def chosen_password(password: str | None, *about: str) -> str:
    """The given password, else a new random one. about: words about its owner, which it must not contain.

    Raises InvalidInput for a weak password.
    """
    if password is None:
        return secrets.token_urlsafe(12)
    check_password_strength(password, about)
    return password


@app.command()
def create(  # noqa: PLR0913 (the options of a command)
    email: str,
    *,
    name: Annotated[str, typer.Option(help="Name of the member. Default: the e-mail.")] = "",
    role: Annotated[Role, typer.Option(help="What the member may do.")] = "engineer",
    password: Password = None,
    password_file: PasswordFile = None,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    slug: OrganizationSlug = None,
    as_json: Json = False,
) -> None:
    """Create a member. From then on, runs can name the member in `operated_by`."""
    password = given_password(password, password_file)
    with open_installation(data_dir, database_url) as installation:
        organization = installation.organization(slug)
        chosen = chosen_password(password, organization.name, email)
        password_hash = hash_password(chosen)
        user = installation.writer.write_catalog(
            command_author(organization.id),
            lambda tx: create_user(tx, email, name=name, role=role, password_hash=password_hash),
        )
    _show(user, password, chosen, as_json=as_json)


@app.command("list")
def list_(
    *,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    slug: OrganizationSlug = None,
    as_json: Json = False,
) -> None:
    """Show all members."""
    with open_installation(data_dir, database_url) as installation:
        organization = installation.organization(slug)
        with installation.database.read_in(organization.id) as scope:
            members = list_users(scope)
    show_rows([_record(user) for user in members], as_json=as_json, none="No members yet.")


@app.command()
def suspend(
    email: Email,
    *,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    organization: OrganizationSlug = None,
    as_json: Json = False,
) -> None:
    """Suspend a member at once: keys stop working, log-ins end, records stay."""
    with open_installation(data_dir, database_url) as installation:
        user = _change(installation, organization, email, suspend_user)
    show_record(_record(user), as_json=as_json)


@app.command()
def reinstate(
    email: Email,
    *,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    organization: OrganizationSlug = None,
    as_json: Json = False,
) -> None:
    """Let a suspended member in again. The password works again, and so do keys that were not revoked."""
    with open_installation(data_dir, database_url) as installation:
        user = _change(installation, organization, email, reinstate_user)
    show_record(_record(user), as_json=as_json)


@app.command("password")
def change_password(  # noqa: PLR0913 (the options of a command)
    email: Email,
    *,
    password: Password = None,
    password_file: PasswordFile = None,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    organization: OrganizationSlug = None,
    as_json: Json = False,
) -> None:
    """Set a new password for a member. Log-ins end at once; keys keep working."""
    password = given_password(password, password_file)
    chosen = chosen_password(password, email)
    password_hash = hash_password(chosen)
    with open_installation(data_dir, database_url) as installation:
        user = _change(
            installation,
            organization,
            email,
            lambda tx, user_id: set_password(tx, user_id, password_hash),
        )
    _show(user, password, chosen, as_json=as_json)


def _change(
    installation: Installation,
    slug: str | None,
    reference: str,
    change: Callable[[Transaction, UUID], None],
) -> User:
    """Apply `change` to a member, and return the member after it."""
    organization = installation.organization(slug)

    def apply(tx: Transaction) -> User:
        change(tx, get_user(tx.scope, reference).id)
        return get_user(tx.scope, reference)

    return installation.writer.write_catalog(command_author(organization.id), apply)


def _show(user: User, given: str | None, chosen: str, *, as_json: bool) -> None:
    """Print a member, with the new password where none was given."""
    shown = _record(user) if given else {**_record(user), "password": chosen}
    show_record(shown, as_json=as_json, note=None if given else "The password is not shown again.")


def _record(user: User) -> Record:
    return {
        "id": user.id,
        "email": user.email,
        "name": user.name,
        "role": user.role,
        "suspended_at": user.suspended_at,
    }
