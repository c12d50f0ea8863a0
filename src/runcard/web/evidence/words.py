"""An entry of the audit trail in plain English. No I/O: what is known of the thing is given."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from runcard.domain.evidence.entry import By
from runcard.domain.text import shortened
from runcard.store.commit.changes import ChangeKind
from runcard.store.trail.things import noun_of
from runcard.web.frame.formats import moment_of, number_text

# A longer value is cut inside a sentence, and a much longer one in the details.
_MOST_IN_SENTENCE = 80
_MOST_IN_DETAILS = 500

# {by}: who made the change. {thing}: such as "unit SN-0042".
SENTENCES: Mapping[ChangeKind, str] = {
    "run_recorded": "{by} recorded {thing}",
    "run_changed": "{by} changed {thing}",
    "run_deleted": "{by} deleted {thing}",
    "run_restored": "{by} restored {thing} from the bin",
    "run_purged": "{by} removed {thing} from the bin for good",
    "run_voided": "{by} voided {thing}",
    "run_unvoided": "{by} let {thing} count again",
    "run_corrected": "{by} corrected {thing}",
    "attachment_linked": "{by} attached a file to {thing}",
    "attachment_created": "{by} sent {thing}",
    "attachment_changed": "{by} changed {thing}",
    "attachment_deleted": "{by} deleted {thing}",
    "attachment_restored": "{by} restored {thing} from the bin",
    "attachment_purged": "{by} removed {thing} from the bin for good",
    "repair_recorded": "{by} recorded {thing}",
    "repair_changed": "{by} changed {thing}",
    "repair_deleted": "{by} deleted {thing}",
    "repair_restored": "{by} restored {thing} from the bin",
    "repair_purged": "{by} removed {thing} from the bin for good",
    "unit_created": "{by} created {thing}",
    "unit_moved": "{by} moved {thing}",
    "unit_followed": "{by} let {thing} follow its part, which was merged or split",
    "unit_changed": "{by} changed {thing}",
    "unit_corrected": "{by} corrected {thing}",
    "unit_deleted": "{by} deleted {thing}",
    "unit_restored": "{by} restored {thing} from the bin",
    "unit_purged": "{by} removed {thing} from the bin for good",
    "unit_merged": "{by} merged {thing} into another",
    "unit_took_over": "{by} merged another unit into {thing}",
    "unit_split": "{by} split {thing} from another",
    "tombstone_changed": "{by} gave {thing} to another unit",
    "part_created": "{by} created {thing}",
    "part_changed": "{by} changed {thing}",
    "part_deleted": "{by} deleted {thing}",
    "part_merged": "{by} merged {thing} into another",
    "part_split": "{by} took back the merge of {thing}",
    "revision_created": "{by} created {thing}",
    "revision_changed": "{by} changed {thing}",
    "revision_deleted": "{by} deleted {thing}",
    "batch_created": "{by} created {thing}",
    "batch_changed": "{by} changed {thing}",
    "batch_deleted": "{by} deleted {thing}",
    "batch_restored": "{by} restored {thing} from the bin",
    "batch_purged": "{by} removed {thing} from the bin for good",
    "procedure_created": "{by} created {thing}",
    "procedure_changed": "{by} changed {thing}",
    "procedure_deleted": "{by} deleted {thing}",
    "procedure_restored": "{by} restored {thing} from the bin",
    "procedure_purged": "{by} removed {thing} from the bin for good",
    "procedure_merged": "{by} merged {thing} into another",
    "procedure_split": "{by} took back the merge of {thing}",
    "version_created": "{by} created {thing}",
    "version_changed": "{by} changed {thing}",
    "version_deleted": "{by} deleted {thing}",
    "version_restored": "{by} restored {thing} from the bin",
    "version_purged": "{by} removed {thing} from the bin for good",
    "station_created": "{by} created {thing}",
    "station_changed": "{by} changed {thing}",
    "station_deleted": "{by} deleted {thing}",
    "team_created": "{by} created {thing}",
    "deployment_created": "{by} ordered {thing}",
    "deployment_changed": "{by} changed {thing}",
    "deployment_deleted": "{by} deleted {thing}",
    "deployment_restored": "{by} restored {thing} from the bin",
    "deployment_purged": "{by} removed {thing} from the bin for good",
    "import_template_created": "{by} created {thing}",
    "import_template_deleted": "{by} deleted {thing}",
    "import_deleted": "{by} deleted {thing}",
    "file_imported": "{by} imported {thing}",
    "file_quarantined": "{by} sent {thing}, which went to quarantine",
    "file_tried_again": "{by} tried {thing} again, which stays in quarantine",
    "file_released": "{by} let {thing} out of quarantine",
    "file_discarded": "{by} discarded {thing} in quarantine",
    "organization_created": "{by} created {thing}",
    "organization_changed": "{by} changed the settings of {thing}",
    "organization_exported": "{by} exported {thing}",
    "organization_added": "{by} added {thing} from another installation",
    "backup_restored": "{by} restored {thing} from a backup",
    "record_adopted": "The digest of {thing}, which is from before the history, was noted",
    "user_created": "{by} created {thing}",
    "user_changed": "{by} changed {thing}",
    "user_logged_in": "{thing} logged in",
    "user_logged_out": "{thing} logged out",
    "user_log_in_failed": "Somebody failed to log in as {thing}",
    "user_sessions_ended": "{by} ended log-ins of {thing}",
    "key_created": "{by} created {thing}",
    "key_changed": "{by} changed {thing}",
    "key_deleted": "{by} deleted {thing}",
    "invitation_created": "{by} invited {thing}",
    "invitation_deleted": "{by} removed the invitation of {thing}",
    "comment_created": "{by} commented on {thing}",
    "comment_changed": "{by} edited a comment on {thing}",
    "comment_moved": "{by} moved a comment on {thing} to another unit",
    "comment_withdrawn": "{by} deleted a comment on {thing}",
    "comment_deleted": "{by} removed a comment on {thing} for good",
    "tag_created": "{by} created {thing}",
    "tag_changed": "{by} changed {thing}",
    "tag_deleted": "{by} deleted {thing}",
    "cause_created": "{by} created {thing}",
    "cause_changed": "{by} changed {thing}",
    "cause_deleted": "{by} deleted {thing}",
    "thing_tagged": "{by} changed the tags of {thing}",
    "thing_cause_changed": "{by} changed the cause of {thing}",
}
_THINGS: Mapping[str, str] = {
    "attachment": "file",
    "comment": "",
    "thing": "",
    "file": "a file",
    "import": "an import",
    "import_template": "import template",
    "invitation": "",
    "key": "API key",
    "repair": "a repair",
    "tombstone": "deleted run of unit",
    "user": "member",
    "deployment": "deployment",
    "backup": "organization",
}
_FIELDS: Mapping[str, str] = {
    "all_procedures": "may report every procedure",
    "attempts": "tries",
    "auto_push_enabled": "deploys on push",
    "created_at": "created",
    "created_by_station_id": "created by station",
    "created_by_user_id": "created by",
    "formerly": "former serial numbers",
    "file_retention_days": "days that files are kept",
    "bin_days": "days in the bin",
    "image_id": "picture",
    "is_default": "default revision",
    "is_report": "imported report",
    "merged_into_id": "merged into",
    "operated_by_id": "operator",
    "parent_id": "part of unit",
    "password_hash": "password",
    "run_retention_days": "days that runs are kept",
    "sample": "class",
    "serial_number_pattern": "pattern of part numbers",
    "size_bytes": "size in bytes",
}
# Of a kind that a later version knows, or that somebody wrote past Runcard.
_UNKNOWN = "{by} did something to {thing}"
_NONE = "none"
# The ends of the kinds that tell of a thing which had other values before.
HAD_VALUES = (
    "_changed",
    "_corrected",
    "_moved",
    "_followed",
    "_merged",
    "_took_over",
    "_split",
    "_tagged",
    "_withdrawn",
)
# Before the key of a value of the metadata.
_METADATA = "metadata."
_PLACES = re.compile(r"(\{by\}|\{thing\})")


class Piece(NamedTuple):
    """A part of a sentence. is_name: somebody chose the text. url: empty if it leads nowhere."""

    text: str
    is_name: bool = False
    url: str = ""


class KnownThing(NamedTuple):
    """What is known of the thing of an entry. name: empty if it has none. url: empty if it leads nowhere."""

    id: str
    name: str
    url: str = ""


class FieldChange(NamedTuple):
    """A field before and after a change, in words. old: empty if the change only tells a value."""

    field: str
    old: str
    new: str


def sentence_of(kind: ChangeKind, by: By | None, thing: KnownThing, by_url: str = "") -> Sequence[Piece]:
    """What happened, as a sentence in pieces.

    by: None if a report caused it that does not say who sent it. by_url: where the name of who made it leads.
    """
    told: list[Piece] = []
    for text in filter(None, _PLACES.split(SENTENCES.get(kind, _UNKNOWN))):
        match text:
            case "{by}":
                told += _author_pieces(by, by_url)
            case "{thing}":
                told += thing_pieces(kind, thing)
            case _:
                told.append(Piece(text))
    return told


def thing_pieces(kind: ChangeKind, thing: KnownThing) -> Sequence[Piece]:
    """What a change is about, such as "unit SN-0042"."""
    noun = noun_of(kind)
    if kind.startswith("user_log"):
        return [Piece(thing.name or f"member {thing.id}", is_name=True, url=thing.url)]
    if noun == "run" or kind == "attachment_linked":
        known = bool(thing.name)
        return [
            Piece("a run of unit " if known else "run "),
            Piece(thing.name or thing.id, is_name=True, url=thing.url),
        ]
    words = _THINGS.get(noun, noun)
    if not thing.name and words.startswith(("a ", "an ")):
        return [Piece(words)] if not thing.url else [Piece(words, url=thing.url)]
    before = [Piece(f"{words} ")] if words else []
    return [*before, Piece(thing.name or thing.id, is_name=True, url=thing.url)]


def changes_of(kind: ChangeKind, what: Mapping[str, Sequence[Any]], zone: ZoneInfo) -> Sequence[FieldChange]:
    """The fields of an entry in words, each with its values. zone: of the reader's clock."""
    had_values = kind.endswith(HAD_VALUES)
    return [
        FieldChange(
            field_words(field),
            _shown(field, old, zone) if had_values else "",
            _shown(field, new, zone),
        )
        for field, (old, new) in what.items()
    ]


def in_sentence(change: FieldChange) -> FieldChange:
    """The change with values that are short enough for a sentence."""
    old, new = (shortened(value, _MOST_IN_SENTENCE) for value in (change.old, change.new))
    return FieldChange(shortened(change.field, _MOST_IN_SENTENCE), old, new)


def field_words(field: str) -> str:
    """The words for a field of a record."""
    if field.startswith(_METADATA):
        return f"metadata {field.removeprefix(_METADATA)}"
    return _FIELDS.get(field, field.removesuffix("_id").replace("_", " "))


def _author_pieces(by: By | None, url: str) -> Sequence[Piece]:
    """Who made a change: a member by e-mail, a station by name, Runcard itself by its task."""
    if by is None:
        return [Piece("A report")]
    name = Piece(by.name, is_name=True, url=url)
    return [Piece("Station "), name] if by.kind == "station" else [name]


def _shown(field: str, value: Any, zone: ZoneInfo) -> str:
    """A value in words. Only our own columns hold moments; a text that somebody wrote stays as it is."""
    if field.endswith("_at") and not field.startswith(_METADATA) and isinstance(value, str):
        try:
            moment = moment_of(datetime.fromisoformat(value), zone)
        except ValueError:
            return shortened(value, _MOST_IN_DETAILS)
        return f"{moment.date} {moment.time}"
    return shortened(_value_words(value), _MOST_IN_DETAILS) or _NONE


def _value_words(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case int() | float():
            return number_text(value)
        case {"id": thing_id, **others}:
            return str(others.get("name", thing_id))
        case list():
            return ", ".join(_value_words(one) for one in value)
    return str(value)
