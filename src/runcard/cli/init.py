"""`runcard init`: an organization and its first admin."""

from typing import Annotated

import typer

from runcard.auth.api_keys import new_api_key
from runcard.auth.passwords import hash_password
from runcard.cli.installation import open_or_create
from runcard.cli.options import DatabaseUrl, DataDir, Json
from runcard.cli.output import Record, show_record
from runcard.cli.user import Password, chosen_password
from runcard.settings import load_settings
from runcard.store.api_keys import create_user_key
from runcard.store.organizations import create_organization
from runcard.store.sessions import close_setup_links
from runcard.store.transaction import Transaction
from runcard.store.users import create_user


def init(
    organization: Annotated[str, typer.Option(help="Name of the organization.")],
    email: Annotated[str, typer.Option(help="E-mail of its first admin.")],
    *,
    password: Password = None,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    as_json: Json = False,
) -> None:
    """Make an organization, its first admin, and an API key for the admin, which is shown once."""
    chosen = chosen_password(password)
    password_hash, key = hash_password(chosen), new_api_key()

    def apply(tx: Transaction) -> Record:
        made = create_organization(tx, organization)
        admin = create_user(tx, made.id, email, name="", role="admin", password_hash=password_hash)
        row = create_user_key(tx, made.id, admin.id, key.secret)
        close_setup_links(tx)
        return {
            "id": made.id,
            "organization": made.slug,
            "user_id": admin.id,
            "email": admin.email,
            "key_id": row.id,
            "api_key": key.api_key,
        }

    with open_or_create(load_settings(data_dir=data_dir, database_url=database_url)) as installation:
        record = installation.writer.run(apply)
    shown = record if password else {**record, "password": chosen}
    show_record(shown, as_json=as_json, note="Keep the key and the password now: neither is shown again.")
