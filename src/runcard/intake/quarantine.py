"""Files in quarantine, as every door handles them: they are tried again or discarded."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, cast
from uuid import UUID

from runcard.auth.permissions import may_manage
from runcard.domain.actor import Actor, Author, StationActor, UserActor, check_may_record
from runcard.domain.errors import BytesGone, NotFound, PermissionDenied
from runcard.domain.floor.statement import or_else
from runcard.ingest.quarantine_file import discard_file
from runcard.ingest.record_run import RunClient
from runcard.intake.arrived_files import Stores
from runcard.intake.byte_removal import remove_soon
from runcard.intake.choices import ImportChoice, check_may_replace, checked, last_choice
from runcard.intake.report_files import Fate, ReportFiles
from runcard.store.engine.scope import Scope
from runcard.store.files.attachments import find_attachments
from runcard.store.intake.quarantine import QuarantinedFile, release
from runcard.store.lists.refs import CreatedBy
from runcard.store.people.users import get_user
from runcard.store.stations.records import get_station_in_use

_IN_MEMORY_BYTES = 8 << 20


def may_retry(actor: Actor, file: QuarantinedFile) -> bool:
    """Whether the actor may try a file again: its sender may, while they may record; managers may try any file."""
    if isinstance(actor, UserActor) and actor.role == "viewer":
        return False
    return may_manage(actor) or _brought(actor, file.created_by)


def retry_as_brought(
    stores: Stores, actor: Actor, client: RunClient, file: QuarantinedFile, choice: ImportChoice
) -> Fate:
    """Try a file again with this choice, and return what became of it. It is recorded in the name of its sender.

    Raises PermissionDenied, what `choices.checked` raises, and StorageUnavailable.
    """
    check_may_record(actor)
    if not may_retry(actor, file):
        raise PermissionDenied("Only admins, engineers and the sender of a file may retry it. Ask an admin.")
    check_may_replace(actor, choice)
    with stores.database.read_in(actor.organization_id) as scope:
        choice = checked(scope, choice)
        sender = sender_of(scope, file, otherwise=actor)
    return retry_file(stores, sender, client, file, choice)


def sender_of(scope: Scope, file: QuarantinedFile, otherwise: Actor) -> Actor:
    """The sender of a file, with their present rights; `otherwise` if they may no longer record."""
    organization_id, (user, station) = scope.organization_id, file.created_by
    try:
        if station is not None:
            return StationActor(get_station_in_use(scope, station.id).id, organization_id)
        member = get_user(scope, str(user.id)) if user is not None else None
    except NotFound:
        return otherwise
    if member is None or member.suspended_at is not None or member.role == "viewer":
        return otherwise
    return UserActor(member.id, organization_id, member.role)


def retry_file(
    stores: Stores, sender: Actor, client: RunClient, file: QuarantinedFile, choice: ImportChoice
) -> Fate:
    """Try a file again with this choice, and return what became of it. Raises StorageUnavailable."""
    organization_id = sender.organization_id
    try:
        with opened_quarantined(stores, organization_id, file) as content:
            fate = ReportFiles(stores, sender, client, choice).bring_in(file.name, content)
    except BytesGone as error:
        return Fate("refused", file.importer, reason=str(error), quarantined_id=file.id)
    if fate.status == "known" and not choice.rehearses:
        # The file was recorded before; it was refused when somebody imported it a second time.
        stores.writer.write(sender, lambda tx: release(tx, file.digest))
    return fate


@contextmanager
def opened_quarantined(stores: Stores, organization_id: UUID, file: QuarantinedFile) -> Iterator[BinaryIO]:
    """The bytes of a file as they were sent, able to seek. Raises BytesGone and StorageUnavailable."""
    with stores.database.read_in(organization_id) as scope:
        kept = find_attachments(scope, [file.attachment_id]).get(file.attachment_id)
    pieces = None if kept is None else stores.blobs.stream(kept.blob_key)
    if pieces is None:
        raise BytesGone
    with tempfile.SpooledTemporaryFile(_IN_MEMORY_BYTES) as spooled:
        for piece in pieces:
            spooled.write(piece)
        spooled.seek(0)
        yield cast(BinaryIO, spooled)


def discard(stores: Stores, author: Author, file: QuarantinedFile) -> None:
    """Take a file out of quarantine for good. Its bytes are removed, unless a run that was recorded needs them."""
    stores.writer.write(author, lambda tx: discard_file(tx, file))
    remove_soon(stores, author.organization_id)


def choice_for_retry(file: QuarantinedFile, choice: ImportChoice) -> ImportChoice:
    """The choices for the next try of a file: those made now, and for the rest those of the last try."""
    last = last_choice(file)
    if choice.importer is None and choice.template_id is None:
        choice = choice._replace(importer=last.importer, template_id=last.template_id)
    return choice._replace(
        procedure=choice.procedure or last.procedure,
        part_number=choice.part_number or last.part_number,
        statement=or_else(choice.statement, last.statement),
    )


def _brought(actor: Actor, created_by: CreatedBy) -> bool:
    creator = created_by.station if isinstance(actor, StationActor) else created_by.user
    mine = actor.station_id if isinstance(actor, StationActor) else actor.user_id
    return creator is not None and creator.id == mine
