"""`runcard verify`: check that nobody changed a record behind Runcard's back."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn

from runcard.cli.copies.blobs import DOCUMENTS
from runcard.cli.copies.organization import add_exported, check_schema, is_export, read_manifest
from runcard.cli.terminal.options import DatabaseUrl, DataDir, Json
from runcard.cli.terminal.output import progress_bar, show_json
from runcard.domain.actor import SystemActor
from runcard.domain.errors import InvalidInput
from runcard.domain.floor.organization import Organization
from runcard.domain.proof.head import SignedHead
from runcard.evidence.head_files import HEADS_FILE, read_heads
from runcard.evidence.verification import Discrepancy, Tally, Verification
from runcard.opening import open_unmigrated
from runcard.settings import check_is_there, load_settings
from runcard.store.commit.changes import last_seq
from runcard.store.commit.writer import Writer
from runcard.store.documents.document_store import DocumentStore
from runcard.store.engine.database import Database, naming_failures
from runcard.store.engine.migrate import is_newest_schema, migrate
from runcard.store.files.blobs import Blobs
from runcard.store.moving.journal import check_not_moved
from runcard.store.people.organizations import list_organizations

_DATABASE = "runcard.sqlite3"


def verify(
    folder: Annotated[
        Path | None,
        typer.Argument(
            exists=True,
            file_okay=False,
            help="A backup or an exported organization. Without it: the installation.",
        ),
    ] = None,
    *,
    heads: Annotated[
        list[Path] | None,
        typer.Option(
            "--heads", exists=True, dir_okay=False, help="File of signed heads kept outside; may be repeated."
        ),
    ] = None,
    keys: Annotated[
        list[str] | None,
        typer.Option(
            "--key",
            metavar="ID",
            help="Id of a key whose heads are trusted; may be repeated. Without it: any.",
        ),
    ] = None,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    as_json: Json = False,
) -> None:
    """Compare entries, heads and records with the proof, and name what does not fit.

    Ends with 1 if anything does not fit.
    """
    outside = [head for path in heads or () for head in read_heads(path)]
    trusted = None if keys is None else frozenset(keys)
    with _opened(folder, data_dir, database_url, outside) as database, naming_failures():
        results = list(_check_all(database, outside, trusted))
    if as_json:
        show_json(
            {
                "ok": not any(found for _, _, found in results),
                "organizations": [_record(*one) for one in results],
            }
        )
    else:
        for one in results:
            _show(*one)
    if any(found for _, _, found in results):
        raise typer.Exit(1)


@contextmanager
def _opened(
    folder: Path | None, data_dir: Path | None, database_url: str | None, outside: list[SignedHead]
) -> Iterator[Database]:
    """The database to check. The heads that lie beside it are added to those kept outside."""
    if folder is None:
        settings = load_settings(data_dir=data_dir, database_url=database_url)
        check_is_there(settings)
        beside = settings.heads_file or settings.data_dir / HEADS_FILE
        if beside.exists():
            outside += read_heads(beside)
        with (
            naming_failures(),
            closing(open_unmigrated(settings)) as database,
        ):
            check_not_moved(database)
            yield _checked(database)
    elif is_export(folder):
        with tempfile.TemporaryDirectory() as scratch, _taken_in(folder, Path(scratch)) as database:
            yield database
    elif (folder / _DATABASE).exists():
        with naming_failures(), closing(_opened_copy(folder / _DATABASE, folder)) as database:
            yield _checked(database)
    else:
        raise InvalidInput.at(
            "folder",
            f"{folder} is neither a backup nor an exported organization; name a folder that `runcard backup` "
            "or `runcard organization export` made.",
        )


@contextmanager
def _taken_in(folder: Path, scratch: Path) -> Iterator[Database]:
    """A database of its own with an exported organization."""
    manifest = read_manifest(folder)
    with naming_failures(), closing(_opened_copy(scratch / _DATABASE, folder)) as database:
        migrate(database)
        check_schema(manifest)
        with closing(Writer(database)) as writer:
            author = SystemActor(manifest.organization_id, "runcard verify")
            writer.write_catalog(author, partial(add_exported, folder=folder, manifest=manifest))
        yield database


def _opened_copy(path: Path, folder: Path) -> Database:
    """A database whose documents of old runs lie in the folder of a backup or of an exported organization."""
    documents = DocumentStore(lambda: Blobs.open(None, None, folder / DOCUMENTS))
    return Database.open(None, path, documents)


def _checked(database: Database) -> Database:
    with database.read() as connection:
        if not is_newest_schema(connection):
            raise InvalidInput.at(
                "schema",
                "The database has the schema of another version of Runcard. Verify it with that version.",
            )
    return database


def _check_all(
    database: Database, outside: Sequence[SignedHead], trusted: frozenset[str] | None
) -> Iterator[tuple[Organization, Tally, list[Discrepancy]]]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with database.read() as connection:
        organizations = list_organizations(connection)
        total = last_seq(connection)
    with progress_bar(*columns) as progress:
        task = progress.add_task("Checking", total=total)
        for organization in organizations:
            with database.read_in(organization.id) as scope:
                checking = Verification(
                    scope, outside, trusted, lambda count: progress.update(task, advance=count)
                )
                findings = list(checking.run())
            yield organization, checking.tally, findings


def _record(organization: Organization, tally: Tally, findings: Sequence[Discrepancy]) -> dict[str, object]:
    return {
        "organization": organization.slug,
        **tally._asdict(),
        "findings": [finding._asdict() for finding in findings],
    }


def _show(organization: Organization, tally: Tally, findings: Sequence[Discrepancy]) -> None:
    typer.echo(
        f"{'FAULT' if findings else 'ok':<5}  {organization.name}: {tally.entries} entries, {tally.heads} heads and "
        f"{tally.records} records checked"
    )
    for finding in findings:
        typer.echo(f"       {finding.about}: {finding.problem}")
    if tally.waiting:
        typer.echo(f"       {tally.waiting} entries are so new that they are not in the proof yet.")
    if tally.without_digest:
        typer.echo(
            f"       {tally.without_digest} records are from before the trail, and have no digest yet. A server that "
            "runs gives them one."
        )
