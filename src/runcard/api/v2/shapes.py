"""What several operations of v2 say in the same way. Members that may be null are always there."""

from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from runcard.domain.errors import InvalidInput
from runcard.domain.metadata import MetadataValue
from runcard.store.metadata import MetadataTest
from runcard.store.refs import Named, Numbered, UserRef
from runcard.store.refs import UnitRef as UnitRefRow

# Something other than spaces, and no NUL, which PostgreSQL does not keep.
SOME_TEXT = r"^[^\x00]*[^\s\x00][^\x00]*$"
# Serial, part and revision numbers, and version tags.
Name60 = Annotated[str, Meta(min_length=1, max_length=60, pattern=SOME_TEXT)]
MetadataBody = dict[str, MetadataValue]
# A null takes its key away.
MetadataChangeBody = dict[str, MetadataValue | None]
_MAX_TESTS = 5


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


class MetadataTestBody(Struct, forbid_unknown_fields=True):
    """What a value must keep: a text is one of some or contains one, a number lies within bounds, a boolean is so."""

    in_: list[str] | None = msgspec.field(default=None, name="in")
    contains: str | None = None
    eq: float | bool | None = None
    gte: float | None = None
    lte: float | None = None
    gt: float | None = None
    lt: float | None = None


_tests = msgspec.json.Decoder(dict[str, MetadataTestBody])


def metadata_tests(text: str | None) -> list[MetadataTest]:
    """What the `metadata` parameter of a list asks for: a JSON object in one text. Raises InvalidInput."""
    if text is None:
        return []
    try:
        asked = _tests.decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        raise InvalidInput.at("metadata", f"cannot be read: {error}") from error
    if len(asked) > _MAX_TESTS:
        raise InvalidInput.at("metadata", f"asks for {len(asked)} keys; use at most {_MAX_TESTS}")
    return [
        MetadataTest(key, one.in_, one.contains, one.eq, one.gte, one.lte, one.gt, one.lt)
        for key, one in asked.items()
    ]


def given(text: str | UnsetType) -> str | None:
    """A text that a change brings, trimmed; None where it does not."""
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
