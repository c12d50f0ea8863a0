"""`runcard organization`: an organization and its policies."""

from typing import Annotated, Any

import msgspec
import typer

from runcard.cli.installation import open_installation
from runcard.cli.options import DatabaseUrl, DataDir, Json, OrganizationSlug
from runcard.cli.output import show_record, show_rows
from runcard.domain.organization import Organization
from runcard.store.lookups import get_organization
from runcard.store.organizations import MAX_QUOTA, list_organizations, update_organization
from runcard.store.transaction import Transaction

app = typer.Typer(no_args_is_help=True, help="Show organizations and set their policies.")


def _may_create(what: str) -> Any:
    flag = f"stations-may-create-{what}"
    return typer.Option(
        f"--{flag}/--no-{flag}", help=f"Whether a run that a station reports may create {what}."
    )


@app.command()
def show(
    *,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    organization: OrganizationSlug = None,
    as_json: Json = False,
) -> None:
    """Show an organization and its policies."""
    with open_installation(data_dir, database_url) as installation:
        home = installation.organization(organization)
    show_record(msgspec.structs.asdict(home), as_json=as_json)


@app.command("list")
def list_(*, data_dir: DataDir = None, database_url: DatabaseUrl = None, as_json: Json = False) -> None:
    """Show all organizations of this installation."""
    with (
        open_installation(data_dir, database_url) as installation,
        installation.database.read() as connection,
    ):
        existing = list_organizations(connection)
    rows = [{"id": one.id, "slug": one.slug, "name": one.name} for one in existing]
    show_rows(rows, as_json=as_json, none="No organization yet. `runcard init` makes one.")


@app.command("set")
def set_(
    *,
    name: Annotated[str | None, typer.Option(help="A new name; the slug stays.")] = None,
    serial_number_pattern: Annotated[
        str | None,
        typer.Option(
            help="RE2 pattern whose group part_number, or group 1, is the part number of a serial number."
        ),
    ] = None,
    no_serial_number_pattern: Annotated[
        bool, typer.Option("--no-serial-number-pattern", help="Read no part number out of serial numbers.")
    ] = False,
    monthly_run_quota: Annotated[
        int | None, typer.Option(min=0, max=MAX_QUOTA, help="Runs that may be recorded in a calendar month.")
    ] = None,
    no_monthly_run_quota: Annotated[
        bool, typer.Option("--no-monthly-run-quota", help="Let any number of runs be recorded.")
    ] = False,
    parts: Annotated[bool | None, _may_create("parts")] = None,
    revisions: Annotated[bool | None, _may_create("revisions")] = None,
    batches: Annotated[bool | None, _may_create("batches")] = None,
    units: Annotated[bool | None, _may_create("units")] = None,
    versions: Annotated[bool | None, _may_create("versions")] = None,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    organization: OrganizationSlug = None,
    as_json: Json = False,
) -> None:
    """Set policies of an organization, at once; what is not named stays as it is."""
    given: dict[str, str | int | None] = {
        "name": name,
        "serial_number_pattern": serial_number_pattern,
        "monthly_run_quota": monthly_run_quota,
        "station_may_create_parts": parts,
        "station_may_create_revisions": revisions,
        "station_may_create_batches": batches,
        "station_may_create_units": units,
        "station_may_create_versions": versions,
    }
    changes: dict[str, str | int | None] = {
        field: value for field, value in given.items() if value is not None
    }
    if no_serial_number_pattern:
        changes["serial_number_pattern"] = None
    if no_monthly_run_quota:
        changes["monthly_run_quota"] = None
    if not changes:
        raise typer.BadParameter("Name at least one policy to set.")

    with open_installation(data_dir, database_url) as installation:
        home = installation.organization(organization)

        def apply(tx: Transaction) -> Organization:
            changed = msgspec.structs.replace(get_organization(tx.connection, home.id), **changes)
            update_organization(tx, changed)
            return changed

        changed = installation.writer.run(apply)
    show_record(msgspec.structs.asdict(changed), as_json=as_json)
