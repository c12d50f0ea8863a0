"""`runcard team`: the teams that stations are assigned to."""

import typer

from runcard.cli.installation.opened import command_author, open_installation
from runcard.cli.terminal.options import DatabaseUrl, DataDir, Json, OrganizationSlug
from runcard.cli.terminal.output import show_record, show_rows
from runcard.store.people.teams import create_team, list_teams

app = typer.Typer(no_args_is_help=True, help="Create and list teams, which stations can be assigned to.")


@app.command()
def create(
    name: str,
    *,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    slug: OrganizationSlug = None,
    as_json: Json = False,
) -> None:
    """Create a team. The v2 API assigns stations to it by its id."""
    with open_installation(data_dir, database_url) as installation:
        organization = installation.organization(slug)
        team = installation.writer.write_catalog(
            command_author(organization.id), lambda tx: create_team(tx, name)
        )
    show_record(team._asdict(), as_json=as_json)


@app.command("list")
def list_(
    *,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    slug: OrganizationSlug = None,
    as_json: Json = False,
) -> None:
    """Show all teams."""
    with open_installation(data_dir, database_url) as installation:
        organization = installation.organization(slug)
        with installation.database.read_in(organization.id) as scope:
            teams = list_teams(scope)
    show_rows([team._asdict() for team in teams], as_json=as_json, none="No teams yet.")
