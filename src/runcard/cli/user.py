"""`runcard user`: members of an organization."""

import secrets
from typing import Annotated

import typer

from runcard.auth.passwords import check_password_strength, hash_password
from runcard.cli.installation import open_installation
from runcard.cli.options import DatabaseUrl, DataDir, Json, OrganizationSlug
from runcard.cli.output import Record, show_record, show_rows
from runcard.domain.actor import Role
from runcard.store.users import User, create_user, get_user, list_users, suspend_user

app = typer.Typer(no_args_is_help=True, help="Create, list and suspend members.")

Password = Annotated[
    str | None,
    typer.Option(help="At least 10 characters. Default: one is made up and shown once.", show_default=False),
]


def chosen_password(password: str | None) -> str:
    """The password given, else a fresh one. Raises InvalidInput for a weak one."""
    if password is None:
        return secrets.token_urlsafe(12)
    check_password_strength(password)
    return password


@app.command()
def create(
    email: str,
    *,
    name: Annotated[str, typer.Option(help="How the member is called. Default: the e-mail.")] = "",
    role: Annotated[Role, typer.Option(help="What the member may do.")] = "engineer",
    password: Password = None,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    organization: OrganizationSlug = None,
    as_json: Json = False,
) -> None:
    """Make a member. An operator can be named in `operated_by` of runs from then on."""
    chosen = chosen_password(password)
    password_hash = hash_password(chosen)
    with open_installation(data_dir, database_url) as installation:
        home = installation.organization(organization)
        user = installation.writer.run(
            lambda tx: create_user(tx, home.id, email, name=name, role=role, password_hash=password_hash)
        )
    shown = _record(user) if password else {**_record(user), "password": chosen}
    show_record(shown, as_json=as_json, note=None if password else "The password is not shown again.")


@app.command("list")
def list_(
    *,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    organization: OrganizationSlug = None,
    as_json: Json = False,
) -> None:
    """Show all members."""
    with open_installation(data_dir, database_url) as installation:
        home = installation.organization(organization)
        with installation.database.read() as connection:
            members = list_users(connection, home.id)
    show_rows([_record(user) for user in members], as_json=as_json, none="No members yet.")


@app.command()
def suspend(
    email: str,
    *,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    organization: OrganizationSlug = None,
    as_json: Json = False,
) -> None:
    """Shut a member out at once: keys stop, log-ins end, records stay."""
    with open_installation(data_dir, database_url) as installation:
        home = installation.organization(organization)
        with installation.database.read() as connection:
            user = get_user(connection, home.id, email)
        installation.writer.run(lambda tx: suspend_user(tx, home.id, user.id))
        with installation.database.read() as connection:
            suspended = get_user(connection, home.id, email)
    show_record(_record(suspended), as_json=as_json)


def _record(user: User) -> Record:
    return {
        "id": user.id,
        "email": user.email,
        "name": user.name,
        "role": user.role,
        "suspended_at": user.suspended_at,
    }
