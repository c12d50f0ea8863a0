"""`runcard quarantine`: files that could not be read or recorded."""

import tempfile
from typing import Annotated, BinaryIO, cast
from uuid import UUID

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from runcard.app import open_blobs
from runcard.cli.import_files import CLIENT, FormatOption, format_called, procedure_called
from runcard.cli.import_report import ImportReport
from runcard.cli.installation import Installation, open_installation
from runcard.cli.options import (
    DatabaseUrl,
    DataDir,
    Json,
    OrganizationSlug,
    PartOption,
    ProcedureOption,
    StationOption,
    UserOption,
)
from runcard.cli.output import Record, show_record, show_rows
from runcard.domain.actor import Actor
from runcard.domain.errors import InvalidInput
from runcard.domain.organization import Organization
from runcard.edge.report_files import Choice, Fate, ReportFiles, Stores
from runcard.importers.formats import FORMATS
from runcard.ingest.quarantine_file import discard_file
from runcard.store.blobs import Blobs, blob_key
from runcard.store.quarantine import QuarantinedFile, list_quarantined

app = typer.Typer(no_args_is_help=True, help="List, retry and discard files that could not be imported.")

Ids = Annotated[list[UUID] | None, typer.Argument(metavar="ID…", help="Ids of files, as `list` shows them.")]
All = Annotated[bool, typer.Option("--all", help="All files that are in quarantine.")]
_IN_MEMORY_BYTES = 8 << 20


@app.command("list")
def list_(
    *,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    organization: OrganizationSlug = None,
    as_json: Json = False,
) -> None:
    """Show what is in quarantine, and why."""
    with open_installation(data_dir, database_url) as installation:
        home = installation.organization(organization)
        with installation.database.read() as connection:
            found = list_quarantined(connection, home.id)
    show_rows(
        [_record(file) for file in found],
        as_json=as_json,
        none="Nothing is in quarantine.",
        only_in_json=["size_bytes", "recorded_reports", "created_at"],
    )


@app.command()
def retry(
    ids: Ids = None,
    *,
    everything: All = False,
    file_format: FormatOption = None,
    procedure: ProcedureOption = None,
    part_number: PartOption = None,
    station: StationOption = None,
    user: UserOption = None,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    organization: OrganizationSlug = None,
    as_json: Json = False,
) -> None:
    """Try files again, after a fix. Each is recorded by whoever brought it, where nobody else is named."""
    with open_installation(data_dir, database_url) as installation:
        home = installation.organization(organization)
        files = _chosen(installation, home, ids, everything=everything)
        blobs = open_blobs(installation.settings)
        choice = Choice(
            format_called(file_format), procedure_called(installation, home, procedure), part_number
        )
        report = ImportReport(rehearses=False)
        stores = Stores(installation.database, installation.writer, blobs)
        console = Console(stderr=True)
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
            for file in progress.track(files, description="Retrying files"):
                actor = _recorder(installation, home, file, station, user)
                report.add(file.name, _retry(stores, actor, choice, file))
    if as_json:
        report.show_json()
    else:
        report.show()
    if report.has_refused:
        raise typer.Exit(1)


@app.command()
def discard(
    ids: Ids = None,
    *,
    everything: All = False,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    organization: OrganizationSlug = None,
    as_json: Json = False,
) -> None:
    """Give files up: their bytes are removed, unless a run that was recorded from them needs them."""
    with open_installation(data_dir, database_url) as installation:
        home = installation.organization(organization)
        files = _chosen(installation, home, ids, everything=everything)
        blobs = open_blobs(installation.settings)
        for file in files:
            _discard(installation, blobs, home, file)
    show_record({"discarded": len(files)}, as_json=as_json)


def _chosen(
    installation: Installation, home: Organization, ids: list[UUID] | None, *, everything: bool
) -> list[QuarantinedFile]:
    if everything == bool(ids):
        raise InvalidInput.at("id", "Give ids, or --all.")
    with installation.database.read() as connection:
        return list(list_quarantined(connection, home.id, ids or None))


def _recorder(
    installation: Installation,
    home: Organization,
    file: QuarantinedFile,
    station: str | None,
    user: str | None,
) -> Actor:
    if station is None and user is None:
        brought_by = file.created_by
        station = None if brought_by.station_id is None else str(brought_by.station_id)
        user = None if brought_by.user_id is None else str(brought_by.user_id)
    return installation.recorder(home, station, user)


def _retry(stores: Stores, actor: Actor, choice: Choice, file: QuarantinedFile) -> Fate:
    """A file that was read as a format before is read as that again, unless another is chosen."""
    pieces = stores.blobs.stream(blob_key(actor.organization_id, file.attachment_id))
    if pieces is None:
        return Fate(
            "refused", reason="Its bytes are gone from the attachment store. Restore them, or discard it."
        )
    with tempfile.SpooledTemporaryFile(_IN_MEMORY_BYTES) as content:
        for piece in pieces:
            content.write(piece)
        read_as = next((one.name for one in FORMATS if one.name == file.importer), None)
        importer = choice.importer or read_as
        files = ReportFiles(stores, actor, CLIENT, choice._replace(importer=importer))
        return files.bring_in(file.name, cast(BinaryIO, content))


def _discard(installation: Installation, blobs: Blobs, home: Organization, file: QuarantinedFile) -> None:
    gone = installation.writer.run(lambda tx: discard_file(tx, home.id, file), changes_catalog=False)
    if gone is not None:
        blobs.delete(gone.blob_key)


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
    }
