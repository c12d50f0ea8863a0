"""`runcard station`: the stations that report runs."""

from collections.abc import Callable
from typing import Annotated
from uuid import UUID

import typer

from runcard.auth.api_keys import new_api_key
from runcard.cli.installation.opened import Installation, command_author, open_installation
from runcard.cli.terminal.options import DatabaseUrl, DataDir, Json, OrganizationSlug
from runcard.cli.terminal.output import Record, show_record, show_rows
from runcard.domain.floor.organization import Organization
from runcard.store.commit.transaction import Transaction
from runcard.store.people.api_keys import create_station_key
from runcard.store.procedures.rows import get_procedure
from runcard.store.stations.rows import (
    Station,
    create_station,
    get_station,
    link_procedures,
    list_linked_procedures,
    list_stations,
    unlink_procedures,
)

app = typer.Typer(no_args_is_help=True, help="Create and list stations, and choose their procedures.")

StationName = Annotated[str, typer.Argument(metavar="NAME", help="Name or id of the station.")]
Procedures = Annotated[
    list[str], typer.Option("--procedure", help="Identifier (FVT1) or id of a procedure; may be repeated.")
]


@app.command()
def create(  # noqa: PLR0913 (the options of a command)
    name: str,
    *,
    procedures: Annotated[
        list[str] | None,
        typer.Option(
            "--procedure", help="Identifier (FVT1) or id of a procedure to report; may be repeated."
        ),
    ] = None,
    all_procedures: Annotated[
        bool, typer.Option("--all-procedures", help="Let it report every procedure, including future ones.")
    ] = False,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    slug: OrganizationSlug = None,
    as_json: Json = False,
) -> None:
    """Create a station, and an API key for it, which is shown once."""
    key = new_api_key()
    with open_installation(data_dir, database_url) as installation:
        organization = installation.organization(slug)
        linked = _procedure_ids(installation, organization, procedures or [])

        def apply(tx: Transaction) -> tuple[Station, UUID]:
            station = create_station(tx, name, all_procedures=all_procedures)
            link_procedures(tx, station.id, linked)
            return station, create_station_key(tx, station.id, key.secret).id

        station, key_id = installation.writer.write_catalog(command_author(organization.id), apply)
        record = _record(installation, organization, station)
    show_record(
        {**record, "key_id": key_id, "api_key": key.api_key},
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
    """Show all stations and what each may report."""
    with open_installation(data_dir, database_url) as installation:
        organization = installation.organization(slug)
        with installation.database.read_in(organization.id) as scope:
            stations = list_stations(scope)
        rows = [_record(installation, organization, station) for station in stations]
    show_rows(rows, as_json=as_json, none="No stations yet.")


@app.command()
def link(
    name: StationName,
    procedures: Procedures,
    *,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    slug: OrganizationSlug = None,
    as_json: Json = False,
) -> None:
    """Let a station report these procedures too. This takes effect at once."""
    with open_installation(data_dir, database_url) as installation:
        organization = installation.organization(slug)
        record = _change_links(installation, organization, name, procedures, link_procedures)
    show_record(record, as_json=as_json)


@app.command()
def unlink(
    name: StationName,
    procedures: Procedures,
    *,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    slug: OrganizationSlug = None,
    as_json: Json = False,
) -> None:
    """Let a station no longer report these procedures. This takes effect at once."""
    with open_installation(data_dir, database_url) as installation:
        organization = installation.organization(slug)
        record = _change_links(installation, organization, name, procedures, unlink_procedures)
    show_record(record, as_json=as_json)


def _change_links(
    installation: Installation,
    organization: Organization,
    name: str,
    procedures: list[str],
    change: Callable[[Transaction, UUID, list[UUID]], None],
) -> Record:
    """Apply `change` to a station and these procedures, and return the station's record after it."""
    with installation.database.read_in(organization.id) as scope:
        station = get_station(scope, name)
    named = _procedure_ids(installation, organization, procedures)
    installation.writer.write_catalog(
        command_author(organization.id), lambda tx: change(tx, station.id, named)
    )
    return _record(installation, organization, station)


def _procedure_ids(
    installation: Installation, organization: Organization, references: list[str]
) -> list[UUID]:
    with installation.database.read_in(organization.id) as scope:
        return [get_procedure(scope, reference).id for reference in references]


def _record(installation: Installation, organization: Organization, station: Station) -> Record:
    with installation.database.read_in(organization.id) as scope:
        linked = list_linked_procedures(scope, station.id)
    return {
        "id": station.id,
        "name": station.name,
        "all_procedures": station.all_procedures,
        "procedures": [procedure.identifier for procedure in linked],
    }
