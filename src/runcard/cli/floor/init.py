"""`runcard init`: an organization and its first admin."""

from typing import Annotated

import typer

from runcard.auth.api_keys import new_api_key
from runcard.auth.passwords import hash_password
from runcard.auth.set_up import set_up_organization
from runcard.cli.floor.user import Password, PasswordFile, chosen_password, given_password
from runcard.cli.installation.opened import open_or_create
from runcard.cli.terminal.options import DatabaseUrl, DataDir, Json
from runcard.cli.terminal.output import Record, show_record
from runcard.settings import load_settings


def init(  # noqa: PLR0913 (the options of a command)
    organization: Annotated[str, typer.Option(help="Name of the organization.")],
    email: Annotated[str, typer.Option(help="E-mail of its first admin.")],
    *,
    name: Annotated[str, typer.Option(help="Name of the first admin. Default: the e-mail.")] = "",
    password: Password = None,
    password_file: PasswordFile = None,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    as_json: Json = False,
) -> None:
    """Create an organization, its first admin, and an API key for the admin, which is shown once."""
    password = given_password(password, password_file)
    chosen = chosen_password(password, organization, email)
    password_hash, key = hash_password(chosen), new_api_key()

    with open_or_create(load_settings(data_dir=data_dir, database_url=database_url)) as installation:
        made = installation.writer.write_shared(
            lambda shared: set_up_organization(
                shared, organization, email, password_hash=password_hash, secret=key.secret, person=name
            )
        )
    record: Record = {
        "id": made.organization.id,
        "organization": made.organization.slug,
        "user_id": made.admin.id,
        "email": made.admin.email,
        "key_id": made.key.id,
        "api_key": key.api_key,
    }
    shown = record if password else {**record, "password": chosen}
    show_record(shown, as_json=as_json, note="Keep the key and the password now: neither is shown again.")
