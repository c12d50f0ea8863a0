"""Units that are created because a report describes them."""

from uuid import UUID

from runcard.domain.actor import Actor
from runcard.domain.errors import CircularParentage
from runcard.domain.floor.organization import Organization
from runcard.domain.ids import new_id
from runcard.domain.runs.report import RunReport, UnitDescription
from runcard.domain.text import lookup_key
from runcard.ingest.resolve import Reference, check_creation, create_missing, resolve_placement
from runcard.store.commit.catalog import Catalog
from runcard.store.commit.lookups import UnitRow
from runcard.store.commit.transaction import Transaction
from runcard.store.creator import Creator
from runcard.store.units.rows import stage_unit


def missing_sub_units(
    catalog: Catalog, actor: Actor, organization: Organization, report: RunReport
) -> dict[str, UnitDescription]:
    """The sub-units that do not exist and that the report describes, by the lookup key of their serial number.

    Raises CircularParentage if one is the unit under test, and CreationForbidden if the actor may not create one.
    """
    # Of two descriptions of the same unit, the first counts.
    described = {lookup_key(unit.serial_number): unit for unit in reversed(report.new_sub_units)}
    missing = {
        key: described[key]
        for key in map(lookup_key, report.sub_units)
        if key in described and catalog.unit(organization.id, key) is None
    }
    if lookup_key(report.serial_number) in missing:
        raise CircularParentage
    for description in missing.values():
        check_described(catalog, actor, organization, description)
    return missing


def check_described(
    catalog: Catalog, actor: Actor, organization: Organization, described: UnitDescription
) -> None:
    """Check that the actor may create this unit, its part and its revision. Raises CreationForbidden."""
    placement = resolve_placement(catalog, organization, None, described)
    check_creation(organization, actor, placement, unit_is_new=True, version=Reference())


def create_described(
    tx: Transaction,
    organization: Organization,
    described: UnitDescription,
    creator: Creator,
    run_id: UUID | None,
) -> UnitRow:
    """Stage the unit, with its part and revision if they are new, and return it. It is part of no other unit yet.

    run_id: the run that named it; None if no run did.
    """
    placement = resolve_placement(tx.catalog, organization, None, described)
    place = create_missing(tx, placement, creator)
    unit = UnitRow(new_id(), described.serial_number, *place, parent_id=None)
    stage_unit(tx, unit, creator, run_id)
    return unit
