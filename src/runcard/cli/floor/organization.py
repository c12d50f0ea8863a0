"""`runcard organization`: an organization and its policies."""

from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
import typer

from runcard.cli.installation.opened import Installation, command_author, open_installation
from runcard.cli.terminal.options import DatabaseUrl, DataDir, Json, OrganizationSlug
from runcard.cli.terminal.output import show_record, show_rows
from runcard.domain.floor.organization import Organization
from runcard.domain.floor.retention import BIN_DAYS
from runcard.store.commit.lookups import get_organization
from runcard.store.commit.transaction import Transaction
from runcard.store.people.organizations import MAX_QUOTA, list_organizations, update_organization
from runcard.store.retention.old_records import forecast

app = typer.Typer(no_args_is_help=True, help="Show organizations and set their policies.")


Pattern = Annotated[
    str | None,
    typer.Option(
        help="RE2 pattern whose group part_number, or else group 1, finds the part number in a serial number."
    ),
]
NoPattern = Annotated[
    bool, typer.Option("--no-serial-number-pattern", help="Read no part number from serial numbers.")
]
Quota = Annotated[
    int | None, typer.Option(min=0, max=MAX_QUOTA, help="Runs that may be recorded in a calendar month.")
]
NoQuota = Annotated[bool, typer.Option("--no-monthly-run-quota", help="Let any number of runs be recorded.")]
RunDays = Annotated[
    int | None,
    typer.Option(help="Delete the runs of a unit this many days after its last run was recorded."),
]
NoRunDays = Annotated[bool, typer.Option("--no-run-retention", help="Keep runs forever.")]
FileDays = Annotated[
    int | None,
    typer.Option(help="Delete files of runs this many days after they were recorded."),
]
NoFileDays = Annotated[bool, typer.Option("--no-file-retention", help="Keep files as long as their runs.")]

BinDays = Annotated[
    int | None,
    typer.Option(
        help=f"Days that deleted things stay in the bin, from where they can be restored; {BIN_DAYS}."
    ),
]
NoBinDays = Annotated[bool, typer.Option("--no-bin-days", help=f"Keep deleted things for {BIN_DAYS} days.")]


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
    slug: OrganizationSlug = None,
    as_json: Json = False,
) -> None:
    """Show an organization and its policies."""
    with open_installation(data_dir, database_url) as installation:
        organization = installation.organization(slug)
    show_record(msgspec.structs.asdict(organization), as_json=as_json)


@app.command("list")
def list_(*, data_dir: DataDir = None, database_url: DatabaseUrl = None, as_json: Json = False) -> None:
    """Show all organizations of this installation."""
    with (
        open_installation(data_dir, database_url) as installation,
        installation.database.read() as connection,
    ):
        existing = list_organizations(connection)
    rows = [{"id": found.id, "slug": found.slug, "name": found.name} for found in existing]
    show_rows(rows, as_json=as_json, none="No organization yet. `runcard init` makes one.")


@app.command("set")
def set_(  # noqa: PLR0913 (the options of a command)
    *,
    name: Annotated[str | None, typer.Option(help="A new name; the slug stays.")] = None,
    serial_number_pattern: Pattern = None,
    no_serial_number_pattern: NoPattern = False,
    monthly_run_quota: Quota = None,
    no_monthly_run_quota: NoQuota = False,
    run_retention_days: RunDays = None,
    no_run_retention: NoRunDays = False,
    file_retention_days: FileDays = None,
    no_file_retention: NoFileDays = False,
    bin_days: BinDays = None,
    no_bin_days: NoBinDays = False,
    parts: Annotated[bool | None, _may_create("parts")] = None,
    revisions: Annotated[bool | None, _may_create("revisions")] = None,
    batches: Annotated[bool | None, _may_create("batches")] = None,
    units: Annotated[bool | None, _may_create("units")] = None,
    versions: Annotated[bool | None, _may_create("versions")] = None,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    slug: OrganizationSlug = None,
    as_json: Json = False,
) -> None:
    """Set policies of an organization, which take effect at once. Options that are not given change nothing."""
    given: dict[str, str | int | None] = {
        "name": name,
        "serial_number_pattern": serial_number_pattern,
        "monthly_run_quota": monthly_run_quota,
        "run_retention_days": run_retention_days,
        "file_retention_days": file_retention_days,
        "bin_days": bin_days,
        "station_may_create_parts": parts,
        "station_may_create_revisions": revisions,
        "station_may_create_batches": batches,
        "station_may_create_units": units,
        "station_may_create_versions": versions,
    }
    removed = {
        "serial_number_pattern": no_serial_number_pattern,
        "monthly_run_quota": no_monthly_run_quota,
        "run_retention_days": no_run_retention,
        "file_retention_days": no_file_retention,
        "bin_days": no_bin_days,
    }
    given |= {field: None for field, is_removed in removed.items() if is_removed}
    changes = {field: value for field, value in given.items() if value is not None or removed.get(field)}
    if not changes:
        raise typer.BadParameter("Name at least one policy to set.")
    with open_installation(data_dir, database_url) as installation:
        organization = installation.organization(slug)

        def apply(tx: Transaction) -> Organization:
            changed = msgspec.structs.replace(get_organization(tx.scope), **changes)
            update_organization(tx, changed)
            return changed

        changed = installation.writer.write_catalog(command_author(organization.id), apply)
        due = _due_by(installation, changed) if changed.retention != organization.retention else ""
    show_record(msgspec.structs.asdict(changed), as_json=as_json, note=due or None)


def _due_by(installation: Installation, organization: Organization) -> str:
    """A note about what the new retention deletes; empty where it deletes nothing."""
    with installation.database.read_in(organization.id) as scope:
        due = forecast(scope, organization.retention.cutoffs(datetime.now(UTC)))
    if due.is_empty:
        return ""
    return (
        f"{due.runs.total} runs and {due.files.total} files are older than that. A server deletes them within the "
        "hour, unless you change the setting before. `runcard retention --dry-run` shows more."
    )
