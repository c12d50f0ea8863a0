"""`runcard key`: API keys of users and stations."""

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID
from zoneinfo import ZoneInfo

import typer

from runcard.auth.api_keys import NewKey, new_api_key, replace_key
from runcard.cli.installation.opened import command_author, open_installation
from runcard.cli.terminal.options import DatabaseUrl, DataDir, Json, OrganizationSlug
from runcard.cli.terminal.output import Record, show_record, show_rows
from runcard.domain.actor import KEY_SCOPES, KeyScope
from runcard.domain.errors import Conflict, InvalidInput
from runcard.domain.floor.key import (
    USUAL_OVERLAP_DAYS,
    KeyTerms,
    key_end_of,
    key_name_of,
    key_scopes_of,
    overlap_of,
)
from runcard.store.commit.transaction import Transaction
from runcard.store.people.api_keys import (
    ApiKey,
    create_station_key,
    create_user_key,
    get_key,
    list_keys,
    revoke_key,
)
from runcard.store.people.users import get_user, list_users
from runcard.store.stations.rows import get_station, list_stations

KeyId = Annotated[str, typer.Argument(metavar="ID", help="Id of the key, as `key list` shows it.")]

app = typer.Typer(no_args_is_help=True, help="Create, list, replace and revoke API keys.")


@app.command()
def create(  # noqa: PLR0913 (the options of a command)
    *,
    user: Annotated[str | None, typer.Option(help="E-mail or id of the user it belongs to.")] = None,
    station: Annotated[str | None, typer.Option(help="Name or id of the station it belongs to.")] = None,
    name: Annotated[str, typer.Option(help="What uses the key, such as the name of a program.")] = "",
    expires: Annotated[
        str,
        typer.Option(
            metavar="DATE-OR-DAYS",
            help="Its last day by UTC (2027-01-31), or for how many days it works (90d). Default: it never expires.",
        ),
    ] = "",
    scopes: Annotated[
        list[str] | None,
        typer.Option(
            "--scope",
            metavar="SCOPE",
            help="What it may: record, read or manage; may be repeated. Default: all that its owner may.",
        ),
    ] = None,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    slug: OrganizationSlug = None,
    as_json: Json = False,
) -> None:
    """Create an API key for a user or a station. It is shown once."""
    if (user is None) == (station is None):
        raise typer.BadParameter("Give either --user or --station.")
    end = key_end_of(expires, datetime.now(UTC), ZoneInfo("UTC"))
    terms = KeyTerms(key_name_of(name), end, key_scopes_of(scopes or ()))
    key = new_api_key()
    with open_installation(data_dir, database_url) as installation:
        organization = installation.organization(slug)

        def apply(tx: Transaction) -> ApiKey:
            if user is not None:
                member = get_user(tx.scope, user)
                if member.suspended_at is not None:
                    raise Conflict(
                        f"User {member.email} is suspended; a key would not work. Run `runcard user reinstate` first."
                    )
                return create_user_key(tx, member.id, key.secret, terms)
            owner = get_station(tx.scope, station or "")
            return create_station_key(tx, owner.id, key.secret, terms)

        row = installation.writer.write_catalog(command_author(organization.id), apply)
    show_record(
        _made(row, key),
        as_json=as_json,
        note="Keep the key now: it is not shown again.",
    )


@app.command("list")
def list_(
    *,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    slug: OrganizationSlug = None,
    as_json: Json = False,
) -> None:
    """Show all keys by their first characters, including those that no longer work."""
    now = datetime.now(UTC)
    with open_installation(data_dir, database_url) as installation:
        organization = installation.organization(slug)
        with installation.database.read_in(organization.id) as scope:
            keys = list_keys(scope)
            owners: dict[UUID | None, str] = {user.id: user.email for user in list_users(scope)}
            owners |= {station.id: station.name for station in list_stations(scope)}
    rows = [
        {
            "id": key.id,
            "owner": owners.get(key.user_id or key.station_id),
            "begins": key.prefix,
            "name": key.name,
            "state": key.state(now),
            "user_id": key.user_id,
            "station_id": key.station_id,
            "created_at": key.created_at,
            "expires_at": key.expires_at,
            "scopes": _in_order(key.scopes),
            "revoked_at": key.revoked_at,
            "replaced_by": key.replaced_by,
            "used_at": key.used_at,
        }
        for key in keys
    ]
    show_rows(rows, as_json=as_json, none="No keys yet.", only_in_json=("user_id", "station_id"))


@app.command()
def replace(
    key_id: KeyId,
    *,
    overlap: Annotated[
        str, typer.Option(metavar="DAYS", help="For how many days the old key works yet; 0: it stops now.")
    ] = f"{USUAL_OVERLAP_DAYS}d",
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    slug: OrganizationSlug = None,
    as_json: Json = False,
) -> None:
    """Create a key in place of another, which works for some days yet. It is shown once."""
    old_id, lasts, key = _id_of(key_id), overlap_of(overlap), new_api_key()

    def apply(tx: Transaction) -> tuple[ApiKey, ApiKey]:
        return replace_key(tx, old_id, key, lasts), get_key(tx.scope, old_id)

    with open_installation(data_dir, database_url) as installation:
        organization = installation.organization(slug)
        new, old = installation.writer.write_catalog(command_author(organization.id), apply)
    show_record(
        {
            **_made(new, key),
            "replaces": old.id,
            "old_expires_at": old.expires_at,
        },
        as_json=as_json,
        note="Keep the key now: it is not shown again.",
    )


@app.command()
def revoke(
    key_id: KeyId,
    *,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    slug: OrganizationSlug = None,
    as_json: Json = False,
) -> None:
    """Revoke a key. It stops working at once."""
    revoked_id = _id_of(key_id)
    with open_installation(data_dir, database_url) as installation:
        organization = installation.organization(slug)
        installation.writer.write_catalog(
            command_author(organization.id), lambda tx: revoke_key(tx, revoked_id)
        )
    show_record({"id": revoked_id, "revoked": True}, as_json=as_json)


def _id_of(key_id: str) -> UUID:
    try:
        return UUID(key_id)
    except ValueError as error:
        raise InvalidInput.at("id", f"{key_id!r} is no key id; `runcard key list` shows them") from error


def _made(row: ApiKey, key: NewKey) -> Record:
    """What is told of a key that was just made."""
    return {
        "id": row.id,
        "user_id": row.user_id,
        "station_id": row.station_id,
        "name": row.name,
        "expires_at": row.expires_at,
        "scopes": _in_order(row.scopes),
        "api_key": key.api_key,
    }


def _in_order(scopes: frozenset[KeyScope] | None) -> list[KeyScope] | None:
    """The scopes of a key; None: all that its owner may."""
    return None if scopes is None else [one for one in KEY_SCOPES if one in scopes]
