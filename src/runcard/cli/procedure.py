"""`runcard procedure`: what the floor tests by."""

import typer

from runcard.cli.installation import open_installation
from runcard.cli.options import DatabaseUrl, DataDir, Json, OrganizationSlug
from runcard.cli.output import Record, show_record, show_rows
from runcard.store.creator import Creator
from runcard.store.procedures import Procedure, create_procedure, list_procedures

app = typer.Typer(no_args_is_help=True, help="Create and list procedures.")


@app.command()
def create(
    name: str,
    *,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    organization: OrganizationSlug = None,
    as_json: Json = False,
) -> None:
    """Make a procedure. It is given the next free identifier: FVT1, FVT2, …"""
    with open_installation(data_dir, database_url) as installation:
        home = installation.organization(organization)
        creator = Creator.of(installation.admin(home))
        procedure = installation.writer.run(lambda tx: create_procedure(tx, home.id, name, creator))
    show_record(_record(procedure), as_json=as_json)


@app.command("list")
def list_(
    *,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    organization: OrganizationSlug = None,
    as_json: Json = False,
) -> None:
    """Show all procedures."""
    with open_installation(data_dir, database_url) as installation:
        home = installation.organization(organization)
        with installation.database.read() as connection:
            procedures = list_procedures(connection, home.id)
    show_rows([_record(procedure) for procedure in procedures], as_json=as_json, none="No procedures yet.")


def _record(procedure: Procedure) -> Record:
    return {"id": procedure.id, "identifier": procedure.identifier, "name": procedure.name}
