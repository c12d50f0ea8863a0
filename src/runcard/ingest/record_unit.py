"""Units that are created or changed without a run."""

from collections.abc import Sequence
from uuid import UUID

from msgspec import UNSET, Struct, UnsetType

from runcard.domain.actor import Actor
from runcard.domain.errors import RevisionNotFound
from runcard.domain.floor.sample import SampleClass
from runcard.domain.ids import new_id
from runcard.domain.metadata import Metadata, MetadataChange, check_metadata
from runcard.ingest.reach import check_may_add, check_may_create, check_reaches_unit
from runcard.store.commit.lookups import UnitRow
from runcard.store.commit.transaction import Transaction
from runcard.store.creator import Creator
from runcard.store.files.attachments import Owner, link_upload
from runcard.store.products.staged import stage_batch
from runcard.store.trail.metadata import change_metadata
from runcard.store.units.classes import classify_unit
from runcard.store.units.records import read_place_numbers, rename_unit
from runcard.store.units.rows import move_unit, stage_unit
from runcard.store.units.serials import check_serial_number_is_free


class NewUnit(Struct, frozen=True):
    """A unit to create. sample: None for a production unit."""

    serial_number: str
    part_number: str
    revision_number: str
    sample: SampleClass | None
    metadata: Metadata


class UnitChange(Struct, frozen=True, kw_only=True):
    """The new values of a unit. UNSET: no change. None: no batch, or no sample.

    runs_follow: whether its recorded runs get the sample class too. upload_ids: files to link to the unit as well.
    """

    serial_number: str | UnsetType = UNSET
    part_number: str | UnsetType = UNSET
    revision_number: str | UnsetType = UNSET
    batch_number: str | UnsetType | None = UNSET
    sample: SampleClass | UnsetType | None = UNSET
    runs_follow: bool = False
    metadata: MetadataChange = {}
    upload_ids: Sequence[UUID] = ()


def create_unit(tx: Transaction, actor: Actor, new: NewUnit) -> UUID:
    """Create a unit of a part revision that exists, and return its id.

    Raises PermissionDenied for a viewer; then InvalidInput, CreationForbidden, RevisionNotFound or AlreadyExists.
    """
    check_may_add(tx.connection, actor)
    check_metadata("metadata", new.metadata)
    check_may_create(tx, actor, "Unit")
    part_id, revision_id = _find_revision(tx, new.part_number, new.revision_number)
    check_serial_number_is_free(tx, new.serial_number)
    unit = UnitRow(new_id(), new.serial_number, part_id, revision_id, None, None, new.sample)
    stage_unit(tx, unit, Creator.of(actor), None, new.metadata)
    return unit.id


def change_unit(tx: Transaction, actor: Actor, serial_number: str, change: UnitChange) -> UUID:
    """Change a unit, and return its id. A new batch is created.

    A new serial number or sample class changes a record that catalogs remember. Raises PermissionDenied for a viewer;
    then UnitNotFound, UnitNotReached, RevisionNotFound, CreationForbidden, AlreadyExists, InvalidInput,
    AttachmentNotFound or UploadTaken.
    """
    check_may_add(tx.connection, actor)
    organization_id = actor.organization_id
    unit = tx.catalog.get_unit(organization_id, serial_number)
    check_reaches_unit(tx, actor, unit)
    placed = placed_unit(tx, actor, unit, change)
    if change.serial_number is not UNSET:
        _rename(tx, unit, change.serial_number)
    if change.sample is not UNSET:
        classify_unit(tx, unit.id, change.sample, with_runs=change.runs_follow)
        unit, placed = (one._replace(sample=change.sample) for one in (unit, placed))
    if change.metadata:
        change_metadata(tx, "unit", unit.id, "metadata", change.metadata)
    for upload_id in change.upload_ids:
        link_upload(tx, upload_id, Owner(unit_id=unit.id))
    move_unit(tx, unit, placed, None)
    return unit.id


def placed_unit(tx: Transaction, actor: Actor, unit: UnitRow, change: UnitChange) -> UnitRow:
    """The unit with the part, the revision and the batch that a change gives it. A new batch is staged.

    Raises RevisionNotFound and CreationForbidden.
    """
    part_id, revision_id = _place(tx, unit, change)
    return unit._replace(part_id=part_id, revision_id=revision_id, batch_id=_batch(tx, actor, unit, change))


def _find_revision(tx: Transaction, part_number: str, revision_number: str) -> tuple[UUID, UUID]:
    """The ids of a part and of its revision. Raises RevisionNotFound, also if there is no such part."""
    part_id = tx.catalog.part(tx.organization_id, part_number)
    revision_id = None if part_id is None else tx.catalog.revision(part_id, revision_number)
    if part_id is None or revision_id is None:
        raise RevisionNotFound(part_number, revision_number)
    return part_id, revision_id


def _place(tx: Transaction, unit: UnitRow, change: UnitChange) -> tuple[UUID, UUID]:
    """The ids of the part and the revision after a change. A number that the change does not give stays as it is."""
    if change.part_number is UNSET and change.revision_number is UNSET:
        return unit.part_id, unit.revision_id
    now = read_place_numbers(tx.scope, unit.id)
    part_number = now.part if change.part_number is UNSET else change.part_number
    revision_number = now.revision if change.revision_number is UNSET else change.revision_number
    return _find_revision(tx, part_number, revision_number)


def _batch(tx: Transaction, actor: Actor, unit: UnitRow, change: UnitChange) -> UUID | None:
    """The id of the batch after a change. A new batch is staged."""
    if change.batch_number is UNSET:
        return unit.batch_id
    if change.batch_number is None:
        return None
    organization_id = actor.organization_id
    found = tx.catalog.batch(organization_id, change.batch_number)
    if found is not None:
        return found
    check_may_create(tx, actor, "Batch")
    return stage_batch(tx, change.batch_number, Creator.of(actor))


def _rename(tx: Transaction, unit: UnitRow, serial_number: str) -> None:
    check_serial_number_is_free(tx, serial_number, but=unit.id)
    rename_unit(tx, unit, serial_number)
