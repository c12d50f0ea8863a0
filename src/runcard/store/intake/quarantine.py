"""Quarantine: files that could not be read or recorded, each with its reason. An attachment holds the bytes."""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, Select, delete, func, insert, or_, select, update

from runcard.domain.errors import MOST_MESSAGE, QuarantinedFileNotFound
from runcard.domain.floor.statement import NOTHING_STATED, Statement
from runcard.domain.ids import new_id
from runcard.domain.text import shortened
from runcard.store.commit.changes import ChangeKind
from runcard.store.commit.transaction import Transaction
from runcard.store.creator import Creator
from runcard.store.engine.scope import Scope, owned_by
from runcard.store.engine.tables import attachments, quarantined_files
from runcard.store.lists.pages import Listed, Page, fetch_page, known_at
from runcard.store.lists.refs import CREATOR_COLUMNS, CreatedBy, created_by, with_creator
from runcard.store.trail.watching import note_event


class Refusal(NamedTuple):
    """Why a file was refused.

    importer: the format that it was read as; None if no format was found.
    recorded_count: how many of its reports are recorded all the same.
    """

    importer: str | None
    reason: str
    recorded_count: int = 0


class KeptChoice(NamedTuple):
    """The choices with which a file was tried last, as far as the next try uses them.

    procedure: identifier or id of the procedure of all its runs. part_number: of units whose report names none.
    template_id: the import template that it was read by. statement: what else was stated.
    """

    procedure: str | None = None
    part_number: str | None = None
    template_id: UUID | None = None
    statement: Statement = NOTHING_STATED


NO_CHOICE = KeptChoice()


class QuarantinedFile(NamedTuple):
    """size_bytes: None if it is not known. attempts: how often the file was tried. client: the program that sent it;
    None if it gave no name. created_by: who sent it.
    """

    id: UUID
    name: str
    size_bytes: int | None
    digest: bytes
    attachment_id: UUID
    importer: str | None
    reason: str
    recorded_count: int
    attempts: int
    tried_at: datetime
    created_at: datetime
    client: str | None
    choice: KeptChoice
    created_by: CreatedBy


class QuarantineFilter(NamedTuple):
    """Conditions that a file must all meet. None: no condition. search: part of the name or of the reason.

    importers: the formats that it may have been read as; a None among them stands for files of no known format.
    """

    search: str | None = None
    importers: Collection[str | None] | None = None


_OWN = QuarantinedFile._fields[3:-2]


class RefusedFile(NamedTuple):
    """A file whose content could not be read or recorded. client: the program that sent it."""

    digest: bytes
    attachment_id: UUID
    refusal: Refusal
    choice: KeptChoice = NO_CHOICE
    client: str | None = None


def quarantine(tx: Transaction, file: RefusedFile, creator: Creator) -> UUID:
    """Put a file into quarantine, and return its id there.

    If a file with this content is there already, it is noted that it was tried again.
    """
    digest, attachment_id, refusal, choice, client = file
    q = quarantined_files.c
    mine = (tx.owns(q), q.digest == digest)
    # The reason may quote the content of the file, and PostgreSQL stores no NUL.
    reason = shortened(refusal.reason, MOST_MESSAGE).replace("\0", "\ufffd")
    stated = None if choice.statement == NOTHING_STATED else msgspec.json.encode(choice.statement).decode()
    why = {**refusal._asdict(), "reason": reason, **choice._asdict(), "statement": stated}
    known: UUID | None = tx.connection.execute(
        update(quarantined_files)
        .where(*mine)
        .values(**why, tried_at=tx.now, attempts=q.attempts + 1)
        .returning(q.id)
    ).scalar_one_or_none()
    if known is not None:
        note_event(tx, "file_tried_again", known, why=reason)
        return known
    made = new_id()
    row = {
        "id": made,
        "organization_id": tx.organization_id,
        "digest": digest,
        "attachment_id": attachment_id,
    }
    moments = {"tried_at": tx.now, "created_at": tx.now}
    tx.connection.execute(
        insert(quarantined_files).values(
            **row, **why, **moments, attempts=1, client=client, **creator.columns
        )
    )
    note_event(tx, "file_quarantined", made, what={"attachment_id": str(attachment_id)}, why=reason)
    return made


def release(tx: Transaction, digest: bytes, kind: ChangeKind = "file_released") -> None:
    """Take the file with this content out of quarantine, if it is there. kind: of the entry in the audit trail."""
    q = quarantined_files.c
    mine = (tx.owns(q), q.digest == digest)
    gone = tx.connection.execute(delete(quarantined_files).where(*mine).returning(q.id)).scalars().all()
    for quarantined_id in gone:
        note_event(tx, kind, quarantined_id)


def find_quarantined(scope: Scope, digest: bytes) -> UUID | None:
    """The id of the attachment with the bytes of the quarantined file with this content; None if there is none."""
    q = quarantined_files.c
    return scope.connection.execute(
        select(q.attachment_id).where(scope.owns(q), q.digest == digest)
    ).scalar_one_or_none()


def find_quarantined_id(scope: Scope, digest: bytes) -> UUID | None:
    """The id of the quarantined file with this content; None if there is none."""
    q = quarantined_files.c
    query = select(q.id).where(scope.owns(q), q.digest == digest)
    return scope.connection.execute(query).scalar_one_or_none()


def get_quarantined(scope: Scope, file_id: UUID) -> QuarantinedFile:
    """The quarantined file with this id. Raises QuarantinedFileNotFound."""
    row = scope.connection.execute(
        _files(scope.organization_id).where(quarantined_files.c.id == file_id)
    ).one_or_none()
    if row is None:
        raise QuarantinedFileNotFound(file_id)
    return _file(*row)


def list_quarantined(scope: Scope, ids: Collection[UUID] | None = None) -> Sequence[QuarantinedFile]:
    """The files in quarantine, oldest first. ids: only these; raises QuarantinedFileNotFound for an id of no file.

    Each file is returned once.
    """
    q = quarantined_files.c
    query = _files(scope.organization_id).order_by(q.created_at, q.id)
    if ids is not None:
        query = query.where(q.id.in_(ids))
    found = [_file(*row) for row in scope.connection.execute(query)]
    for missing in set(ids or ()) - {file.id for file in found}:
        raise QuarantinedFileNotFound(missing)
    return found


def list_quarantined_page(
    scope: Scope, quarantine_filter: QuarantineFilter, page: Page
) -> Listed[QuarantinedFile]:
    """A page of the files in quarantine, newest first."""
    q = quarantined_files.c
    conditions = (*known_at(page, "file_quarantined", q.id), *_conditions(quarantine_filter))
    query = _files(scope.organization_id).where(*conditions).order_by(q.created_at.desc(), q.id.desc())
    return fetch_page(scope.connection, query, page, _file)


def count_quarantined(scope: Scope) -> int:
    q = quarantined_files.c
    query = select(func.count()).select_from(quarantined_files).where(scope.owns(q))
    return scope.connection.execute(query).scalar_one()


def _conditions(quarantine_filter: QuarantineFilter) -> Iterator[ColumnElement[bool]]:
    a, q = attachments.c, quarantined_files.c
    if quarantine_filter.search is not None:
        texts = (a.name, q.reason)
        yield or_(*(column.icontains(quarantine_filter.search, autoescape=True) for column in texts))
    if quarantine_filter.importers is not None:
        named = q.importer.in_([name for name in quarantine_filter.importers if name is not None])
        yield or_(named, q.importer.is_(None)) if None in quarantine_filter.importers else named


def _files(organization_id: UUID) -> Select[Any]:
    a, q = attachments.c, quarantined_files.c
    named = quarantined_files.join(attachments, a.id == q.attachment_id)
    # Reasons that were kept by older versions may be of any length.
    columns = [
        func.substr(q.reason, 1, MOST_MESSAGE) if name == "reason" else q[name]
        for name in (*_OWN, *KeptChoice._fields)
    ]
    return (
        select(q.id, a.name, a.size_bytes, *columns, *CREATOR_COLUMNS)
        .select_from(with_creator(quarantined_files, named))
        .where(owned_by(organization_id, q))
    )


def _file(*row: Any) -> QuarantinedFile:
    own, rest = row[: -len(CREATOR_COLUMNS)], row[-len(CREATOR_COLUMNS) :]
    own, chosen = own[: -len(KeptChoice._fields)], own[-len(KeptChoice._fields) :]
    choice = KeptChoice(*chosen)._replace(statement=_statement(chosen[-1]))
    return QuarantinedFile._make([*own, choice, created_by(*rest)])


def _statement(stated: str | None) -> Statement:
    return NOTHING_STATED if stated is None else msgspec.json.decode(stated, type=Statement)
