"""Types that several operations of v2 share. Fields that may be null are always present."""

from typing import Annotated
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType

from runcard.domain.metadata import MetadataValue
from runcard.store.lists.refs import Named, Numbered, UserRef
from runcard.store.lists.refs import SerialRef as UnitRefRow

# At least one character that is not a space, and no NUL, which PostgreSQL cannot store.
SOME_TEXT = r"^[^\x00]*[^\s\x00][^\x00]*$"
# Serial, part and revision numbers, and version tags.
Name60 = Annotated[str, Meta(min_length=1, max_length=60, pattern=SOME_TEXT)]
MetadataBody = dict[str, MetadataValue]
# A null removes its key.
MetadataChangeBody = dict[str, MetadataValue | None]


class IdResult(Struct):
    id: UUID


class IdListResult(Struct):
    id: list[UUID]


class UploadSlot(Struct):
    id: UUID
    upload_url: str


class IdName(Struct):
    id: UUID
    name: str


class IdNumber(Struct):
    id: UUID
    number: str


class UnitRef(Struct):
    id: UUID
    serial_number: str


class CreatorRef(Struct):
    id: UUID
    name: str | None


class CreatorRefEmail(Struct):
    id: UUID
    name: str | None
    email: str | None


class NameBody(Struct):
    name: Annotated[str, Meta(min_length=1, max_length=1000, pattern=SOME_TEXT)]


def given(text: str | UnsetType) -> str | None:
    """The text of a change, trimmed; None if it was left out."""
    return None if text is UNSET else text.strip()


def named(row: Named | None) -> IdName | None:
    return None if row is None else IdName(row.id, row.name)


def numbered(row: Numbered) -> IdNumber:
    return IdNumber(row.id, row.number)


def unit_ref(row: UnitRefRow) -> UnitRef:
    return UnitRef(row.id, row.serial_number)


def creator(row: UserRef | None) -> CreatorRef | None:
    return None if row is None else CreatorRef(row.id, row.name)


def creator_with_email(row: UserRef | None) -> CreatorRefEmail | None:
    return None if row is None else CreatorRefEmail(row.id, row.name, row.email)
