"""`runcard procedure`: the procedures of an organization."""

from typing import Annotated

import typer

from runcard.cli.installation.opened import command_author, open_installation
from runcard.cli.terminal.options import DatabaseUrl, DataDir, Json, OrganizationSlug
from runcard.cli.terminal.output import Record, show_record, show_rows
from runcard.store.commit.transaction import Transaction
from runcard.store.creator import Creator
from runcard.store.procedures.rows import Procedure, check_name_is_free, create_procedure, list_procedures

app = typer.Typer(no_args_is_help=True, help="Create and list procedures.")

_ANOTHER = "give --same-name"


@app.command()
def create(  # noqa: PLR0913 (the options of a command)
    name: str,
    *,
    identifier: Annotated[
        str | None,
        typer.Option(
            help="The short name that station programs use, such as VANILLA. Default: the next free FVT1, FVT2, …"
        ),
    ] = None,
    same_name: Annotated[
        bool, typer.Option("--same-name", help="Create it even if another procedure has this name.")
    ] = False,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    slug: OrganizationSlug = None,
    as_json: Json = False,
) -> None:
    """Create a procedure."""
    with open_installation(data_dir, database_url) as installation:
        organization = installation.organization(slug)
        creator = Creator.of(installation.admin(organization))

        def apply(tx: Transaction) -> Procedure:
            if not same_name:
                check_name_is_free(tx.scope, name, _ANOTHER)
            return create_procedure(tx, name, creator, identifier)

        procedure = installation.writer.write_catalog(command_author(organization.id), apply)
    show_record(_record(procedure), as_json=as_json)


@app.command("list")
def list_(
    *,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    slug: OrganizationSlug = None,
    as_json: Json = False,
) -> None:
    """Show all procedures, including archived ones."""
    with open_installation(data_dir, database_url) as installation:
        organization = installation.organization(slug)
        with installation.database.read_in(organization.id) as scope:
            procedures = list_procedures(scope)
    show_rows([_record(procedure) for procedure in procedures], as_json=as_json, none="No procedures yet.")


def _record(procedure: Procedure) -> Record:
    return {
        "id": procedure.id,
        "identifier": procedure.identifier,
        "name": procedure.name,
        "archived_at": procedure.archived_at,
    }
