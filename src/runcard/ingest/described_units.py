"""Units that come into being with a report that describes them."""

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
    """Those among the sub-units that nobody has recorded and the report describes, by the key of their serial number.

    Raises CircularParentage where one of them is the unit itself, CreationForbidden where the actor may not create it.
    """
    # Of two descriptions of one unit, the first counts.
    described = {lookup_key(one.serial_number): one for one in reversed(report.new_sub_units)}
    missing = {
        key: described[key]
        for key in map(lookup_key, report.sub_units)
        if key in described and catalog.unit(organization.id, key) is None
    }
    if lookup_key(report.serial_number) in missing:
        raise CircularParentage
    for one in missing.values():
        check_described(catalog, actor, organization, one)
    return missing


def check_described(
    catalog: Catalog, actor: Actor, organization: Organization, described: UnitDescription
) -> None:
    """Raises CreationForbidden where the actor may not create this unit, its part or its revision."""
    placement = resolve_placement(catalog, organization, None, described)
    check_creation(organization, actor, placement, unit_is_new=True, version=Reference())


def create_described(
    tx: Transaction,
    organization: Organization,
    described: UnitDescription,
    creator: Creator,
    run_id: UUID | None,
) -> UnitRow:
    """The unit, staged with whatever part and revision of it is new, and not part of any other yet.

    run_id: the run that named it; None where none did.
    """
    placement = resolve_placement(tx.catalog, organization, None, described)
    place = create_missing(tx, placement, creator)
    unit = UnitRow(new_id(), described.serial_number, *place, parent_id=None)
    stage_unit(tx, unit, creator, run_id)
    return unit
