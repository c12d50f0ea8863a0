"""`runcard quarantine`: files that could not be read or recorded."""

from typing import Annotated
from uuid import UUID

import typer
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn

from runcard.cli.files.import_files import (
    CLIENT,
    FormatOption,
    ReplaceOption,
    SkipOption,
    format_called,
    procedure_called,
)
from runcard.cli.files.import_report import ImportReport
from runcard.cli.installation.opened import Installation, command_author, open_installation
from runcard.cli.terminal.options import (
    ContentPatternOption,
    DatabaseUrl,
    DataDir,
    Json,
    NamePatternOption,
    OrganizationSlug,
    OverrideOption,
    PartOption,
    ProcedureOption,
    SerialOption,
    SerialTemplateOption,
    StationOption,
    UserOption,
)
from runcard.cli.terminal.output import Record, progress_bar, show_record, show_rows
from runcard.domain.actor import Actor
from runcard.domain.errors import InvalidInput
from runcard.domain.floor.organization import Organization
from runcard.domain.floor.statement import Statement, check_statement
from runcard.intake.arrived_files import Stores
from runcard.intake.choices import ImportChoice
from runcard.intake.quarantine import choice_for_retry, discard, retry_file, sender_of
from runcard.opening import open_blobs
from runcard.store.intake.quarantine import QuarantinedFile, list_quarantined

app = typer.Typer(no_args_is_help=True, help="List, retry and discard files that could not be imported.")

Ids = Annotated[list[UUID] | None, typer.Argument(metavar="ID…", help="Ids of files, as `list` shows them.")]
All = Annotated[bool, typer.Option("--all", help="All files that are in quarantine.")]


@app.command("list")
def list_(
    *,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    slug: OrganizationSlug = None,
    as_json: Json = False,
) -> None:
    """Show the files in quarantine, and why they are there."""
    with open_installation(data_dir, database_url) as installation:
        organization = installation.organization(slug)
        with installation.database.read_in(organization.id) as scope:
            found = list_quarantined(scope)
    show_rows(
        [_record(file) for file in found],
        as_json=as_json,
        none="Nothing is in quarantine.",
        only_in_json=["size_bytes", "recorded_reports", "created_at", "client"],
    )


@app.command()
def retry(  # noqa: PLR0913 (the options of a command)
    ids: Ids = None,
    *,
    everything: All = False,
    file_format: FormatOption = None,
    procedure: ProcedureOption = None,
    part_number: PartOption = None,
    serial_number: SerialOption = None,
    serial_number_template: SerialTemplateOption = None,
    name_pattern: NamePatternOption = None,
    content_pattern: ContentPatternOption = None,
    override: OverrideOption = False,
    replace: ReplaceOption = False,
    skip_bad_rows: SkipOption = False,
    station: StationOption = None,
    user: UserOption = None,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    slug: OrganizationSlug = None,
    as_json: Json = False,
) -> None:
    """Try files again, after a fix. Each is recorded by the user or station that brought it, unless one is named."""
    statement = Statement(serial_number, serial_number_template, name_pattern, content_pattern, override)
    with open_installation(data_dir, database_url) as installation:
        organization = installation.organization(slug)
        check_statement(statement)
        files = _chosen(installation, organization, ids, everything=everything)
        choice = ImportChoice(
            format_called(file_format),
            procedure_called(installation, organization, procedure),
            part_number,
            replaces=replace,
            skips_bad_rows=skip_bad_rows,
            statement=statement,
        )
        named = None if station is None and user is None else installation.sender(organization, station, user)
        report = ImportReport(rehearses=False)
        stores = Stores(installation.database, installation.writer, open_blobs(installation.settings))
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        with progress_bar(*columns) as progress:
            for file in progress.track(files, description="Retrying files"):
                sender = named or _sender(installation, organization, file)
                report.add(
                    file.name, retry_file(stores, sender, CLIENT, file, choice_for_retry(file, choice))
                )
    report.end(as_json=as_json)


@app.command("discard")
def discard_(
    ids: Ids = None,
    *,
    everything: All = False,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    slug: OrganizationSlug = None,
    as_json: Json = False,
) -> None:
    """Discard files. Their bytes are removed, unless a run that was recorded from them needs them."""
    with open_installation(data_dir, database_url) as installation:
        organization = installation.organization(slug)
        files = _chosen(installation, organization, ids, everything=everything)
        stores = Stores(installation.database, installation.writer, open_blobs(installation.settings))
        for file in files:
            discard(stores, command_author(organization.id), file)
    show_record({"discarded": len(files)}, as_json=as_json)


def _chosen(
    installation: Installation, organization: Organization, ids: list[UUID] | None, *, everything: bool
) -> list[QuarantinedFile]:
    if everything == bool(ids):
        raise InvalidInput.at("id", "Give either ids or --all.")
    with installation.database.read_in(organization.id) as scope:
        return list(list_quarantined(scope, ids or None))


def _sender(installation: Installation, organization: Organization, file: QuarantinedFile) -> Actor:
    otherwise = installation.admin(organization)
    with installation.database.read_in(organization.id) as scope:
        return sender_of(scope, file, otherwise)


def _record(file: QuarantinedFile) -> Record:
    return {
        "id": file.id,
        "name": file.name,
        "format": file.importer,
        "reason": file.reason,
        "attempts": file.attempts,
        "tried_at": file.tried_at,
        "size_bytes": file.size_bytes,
        "recorded_reports": file.recorded_count,
        "created_at": file.created_at,
        "client": file.client,
    }
