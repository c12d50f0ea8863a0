"""`runcard organization export` and `import`: move a whole organization from one installation to another."""

import shutil
import struct
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Annotated
from uuid import UUID

import msgspec
import typer
from msgspec import Struct

from runcard import __version__
from runcard.cli.copies.blobs import (
    ATTACHMENTS,
    DOCUMENTS,
    copy_blobs,
    copy_documents,
    put_back_blobs,
    put_back_documents,
)
from runcard.cli.copies.checksums import check_sums, write_sums
from runcard.cli.installation.opened import Installation, command_author, open_installation
from runcard.cli.terminal.options import DatabaseUrl, DataDir, Json, OrganizationSlug
from runcard.cli.terminal.output import show_record
from runcard.domain.errors import Conflict, InvalidInput, UnreadableReport
from runcard.domain.floor.organization import Organization
from runcard.opening import open_blobs, open_documents
from runcard.store.commit.transaction import Transaction
from runcard.store.engine.migrate import newest_schema
from runcard.store.installation.organization_copy import add_organization, count_rows, read_rows
from runcard.store.installation.sqlite_copy import list_stored
from runcard.store.trail.watching import note_event

_MANIFEST = "manifest.json"
_ROWS = "rows.msgpack"
_LENGTH = struct.Struct(">Q")


class Manifest(Struct, frozen=True):
    """schema: version of the tables; only a Runcard with the same schema imports them. rows: count by table."""

    runcard: str
    schema: str | None
    organization_id: UUID
    organization: str
    rows: dict[str, int]
    attachments: int
    missing: list[str]


def export_organization(
    folder: Annotated[Path, typer.Argument(help="Folder to create; it must not exist yet.")],
    *,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    organization: OrganizationSlug = None,
    as_json: Json = False,
) -> None:
    """Write a whole organization to a folder, for another installation: records, files, members and keys."""
    if folder.exists():
        raise InvalidInput.at("folder", f"{folder} exists already; name a folder that does not.")
    unfinished = folder.with_name(f"{folder.name}.part")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True, mode=0o700)
    with open_installation(data_dir, database_url) as installation:
        manifest = _write(installation, installation.organization(organization), unfinished)
        (unfinished / _MANIFEST).write_bytes(msgspec.json.encode(manifest))
        write_sums(unfinished)
        # Written before the folder has its name, so that no whole organization leaves without an entry.
        author = command_author(manifest.organization_id)
        note = partial(note_event, kind="organization_exported", thing_id=manifest.organization_id)
        installation.writer.write(author, partial(note, what={"folder": str(folder)}))
        unfinished.rename(folder)
    show_record({"path": str(folder), **_summary(manifest)}, as_json=as_json)


def import_organization(
    folder: Annotated[Path, typer.Argument(exists=True, file_okay=False, help="Folder that `export` made.")],
    *,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    as_json: Json = False,
) -> None:
    """Import an organization that `export` wrote, with its ids, members and keys: all of it, or nothing."""
    manifest = read_manifest(folder)
    organization_id = manifest.organization_id
    with open_installation(data_dir, database_url) as installation:
        check_schema(manifest)
        put_back_blobs(open_blobs(installation.settings), folder / ATTACHMENTS, str(organization_id))
        documents = open_documents(installation.settings)
        put_back_documents(documents, folder / DOCUMENTS, str(organization_id))
        add = partial(add_exported, folder=folder, manifest=manifest)
        installation.writer.write_catalog(command_author(organization_id), add)
    show_record(_summary(manifest), as_json=as_json)


def is_export(folder: Path) -> bool:
    """Whether `organization export` made this folder."""
    return (folder / _MANIFEST).exists()


def read_manifest(folder: Path) -> Manifest:
    """The manifest of an exported organization, whose files are whole. Raises Conflict and UnreadableReport."""
    check_sums(folder, _MANIFEST)
    try:
        return msgspec.json.decode((folder / _MANIFEST).read_bytes(), type=Manifest)
    except msgspec.DecodeError as error:
        raise UnreadableReport(f"{folder / _MANIFEST} cannot be read: {error}. Export again.") from error


def add_exported(tx: Transaction, folder: Path, manifest: Manifest) -> None:
    """Add the rows of an exported organization. Raises Conflict if some are missing, and as `add_organization`."""
    add_organization(tx, _read(folder / _ROWS))
    if count_rows(tx.scope) != manifest.rows:
        raise Conflict(f"{folder} has fewer or more rows than were exported. Export again.")


def _write(installation: Installation, organization: Organization, folder: Path) -> Manifest:
    """Write the rows of an organization, then its files: a file is stored before any row refers to it."""
    rows: Counter[str] = Counter()
    with (folder / _ROWS).open("wb") as file:
        for table, count, packed in read_rows(installation.database, organization.id):
            rows[table] += count
            for piece in (table.encode(), packed):
                file.write(_LENGTH.pack(len(piece)) + piece)
    with installation.database.read_in(organization.id) as scope:
        schema, empty = newest_schema(), dict.fromkeys(count_rows(scope), 0)
        keys = (file.blob_key for file in list_stored(scope.connection, organization.id))
        count, missing = copy_blobs(open_blobs(installation.settings), keys, folder / ATTACHMENTS)
        documents = open_documents(installation.settings)
        missing += copy_documents(documents, scope.connection, folder / DOCUMENTS, organization.id)
    return Manifest(__version__, schema, organization.id, organization.slug, empty | rows, count, missing)


def _read(path: Path) -> Iterator[tuple[str, bytes]]:
    with path.open("rb") as file:

        def piece() -> bytes | None:
            length = file.read(_LENGTH.size)
            return file.read(_LENGTH.unpack(length)[0]) if length else None

        while (table := piece()) is not None:
            yield table.decode(), piece() or b""


def check_schema(manifest: Manifest) -> None:
    """Check that this Runcard has the tables of the one that exported the organization. Raises Conflict."""
    if newest_schema() != manifest.schema:
        raise Conflict(
            f"The organization was exported by Runcard {manifest.runcard}, whose tables differ from those of "
            f"{__version__}. Bring both installations to the same version first."
        )


def _summary(manifest: Manifest) -> dict[str, object]:
    return {
        "organization": manifest.organization,
        "runs": manifest.rows["runs"],
        "units": manifest.rows["units"],
        "attachments": manifest.attachments,
        "missing": manifest.missing,
    }
