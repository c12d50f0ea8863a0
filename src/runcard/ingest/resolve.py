"""The records that a report names: which of them exist, and which it would create."""

from typing import NamedTuple
from uuid import UUID

from runcard.domain.actor import Actor, StationActor, UserActor
from runcard.domain.errors import (
    CreationForbidden,
    DeploymentNotFound,
    InvalidInput,
    OperatorNotFound,
    PartNumberMissing,
    PartNumberUnreadable,
    ProcedureNotFound,
    StationNotAuthorized,
)
from runcard.domain.floor.organization import Organization
from runcard.domain.floor.serial import part_number_of
from runcard.domain.runs.report import RunReport, UnitDescription
from runcard.store.commit.catalog import Catalog
from runcard.store.commit.lookups import UnitRow
from runcard.store.commit.transaction import Transaction
from runcard.store.creator import Creator
from runcard.store.procedures.rows import create_procedure, stage_version
from runcard.store.products.staged import DEFAULT_REVISION, stage_batch, stage_part, stage_revision
from runcard.store.stations.deployments import find_deployed_procedure


class Reference(NamedTuple):
    """A record that a run names, by its id, or by its name if it must be created. Both None: the run names none."""

    name: str | None = None
    id: UUID | None = None

    @property
    def is_missing(self) -> bool:
        return self.name is not None and self.id is None


class Placement(NamedTuple):
    """The part, revision and batch of the unit under test after this run."""

    part: Reference
    revision: Reference
    batch: Reference


def resolve_procedure(catalog: Catalog, actor: Actor, reference: str) -> UUID:
    """The id of the procedure with this id or identifier.

    Raises ProcedureNotFound if a user names a procedure that does not exist. Raises StationNotAuthorized if a station
    does, or if it is not linked to the procedure now: a station does not learn which of the two.
    """
    procedure_id = _find_procedure(catalog, actor.organization_id, reference)
    if procedure_id is None:
        raise StationNotAuthorized if isinstance(actor, StationActor) else ProcedureNotFound(reference)
    if isinstance(actor, StationActor):
        check_station_link(catalog, actor, procedure_id)
    return procedure_id


def resolve_named_procedure(tx: Transaction, actor: Actor, name: str) -> UUID:
    """The id of the procedure with this name, in any case. If there is none, it is created if the actor may do that.

    Raises what `resolve_procedure` raises.
    """
    procedure_id = tx.catalog.procedure_by_name(actor.organization_id, name)
    if procedure_id is None and isinstance(actor, UserActor) and actor.role in ("admin", "engineer"):
        return create_procedure(tx, name, Creator.of(actor, by_report=True)).id
    return resolve_procedure(tx.catalog, actor, name if procedure_id is None else str(procedure_id))


def check_station_link(catalog: Catalog, station: StationActor, procedure_id: UUID) -> None:
    """Check that the station may report this procedure now. Raises StationNotAuthorized."""
    if catalog.link(station.station_id, procedure_id) is None:
        raise StationNotAuthorized


def _find_procedure(catalog: Catalog, organization_id: UUID, reference: str) -> UUID | None:
    try:
        found = catalog.procedure(organization_id, UUID(reference))
    except ValueError:
        found = None
    return found or catalog.procedure_by_identifier(organization_id, reference)


class Operator(NamedTuple):
    """A member by id, or somebody else by name. Both None: nobody was named."""

    id: UUID | None = None
    name: str | None = None


def resolve_operator(catalog: Catalog, organization_id: UUID, report: RunReport) -> Operator:
    """Who operated the station. Raises OperatorNotFound if `operated_by` names no member."""
    if report.operated_by is not None:
        found = catalog.user(organization_id, report.operated_by)
        if found is None:
            raise OperatorNotFound(report.operated_by)
        return Operator(found)
    return operator_called(catalog, organization_id, report.operator)


def operator_called(catalog: Catalog, organization_id: UUID, name: str | None) -> Operator:
    """The member with this e-mail, or else somebody else with this name. name: None: nobody."""
    if name is None:
        return Operator()
    member = catalog.user(organization_id, name)
    return Operator(name=name) if member is None else Operator(member)


def check_deployment(tx: Transaction, procedure_id: UUID, report: RunReport) -> None:
    """Check that a deployment that the run names is of its procedure. Raises DeploymentNotFound and InvalidInput."""
    if report.deployment_id is None:
        return
    of_procedure = find_deployed_procedure(tx.scope, report.deployment_id)
    if of_procedure is None:
        raise DeploymentNotFound(report.deployment_id)
    if of_procedure != procedure_id:
        raise InvalidInput.at(
            "deployment_id",
            f"Deployment {report.deployment_id} is of another procedure; name one of the run's procedure, or none",
        )


def resolve_placement(
    catalog: Catalog,
    organization: Organization,
    unit: UnitRow | None,
    report: RunReport | UnitDescription,
) -> Placement:
    """The part, revision and batch that the report names, or else those that the unit already has.

    Raises PartNumberMissing or PartNumberUnreadable if a new unit comes without a part.
    """
    part = _resolve_part(catalog, organization, unit, report)
    stays = unit is not None and part.id == unit.part_id
    if report.revision_number is not None:
        found = None if part.id is None else catalog.revision(part.id, report.revision_number)
        revision = Reference(report.revision_number, found)
    elif unit is not None and stays:
        revision = Reference(id=unit.revision_id)
    else:
        found = None if part.id is None else catalog.default_revision(part.id)
        revision = Reference(DEFAULT_REVISION, found)
    if report.batch_number is not None:
        batch = Reference(report.batch_number, catalog.batch(organization.id, report.batch_number))
    else:
        batch = Reference(id=None if unit is None else unit.batch_id)
    return Placement(part, revision, batch)


def _resolve_part(
    catalog: Catalog,
    organization: Organization,
    unit: UnitRow | None,
    report: RunReport | UnitDescription,
) -> Reference:
    number = report.part_number
    if number is None and organization.serial_number_pattern is not None:
        number = part_number_of(report.serial_number, organization.serial_number_pattern)
    if number is not None:
        return Reference(number, catalog.part(organization.id, number))
    if unit is not None:
        return Reference(id=unit.part_id)
    if organization.serial_number_pattern is None:
        raise PartNumberMissing
    raise PartNumberUnreadable(report.serial_number)


def check_creation(
    organization: Organization,
    actor: Actor,
    placement: Placement,
    *,
    unit_is_new: bool,
    version: Reference,
) -> None:
    """Check that the actor may create the missing records. Raises CreationForbidden with all that are refused.
    The default revision comes with its part and needs no permission of its own.
    """
    if not isinstance(actor, StationActor):
        return
    brings_default = placement.part.is_missing and placement.revision.name == DEFAULT_REVISION
    refusals = {
        "Part": placement.part.is_missing and not organization.station_may_create_parts,
        "Revision": placement.revision.is_missing
        and not brings_default
        and not organization.station_may_create_revisions,
        "Batch": placement.batch.is_missing and not organization.station_may_create_batches,
        "Unit": unit_is_new and not organization.station_may_create_units,
        "Version": version.is_missing and not organization.station_may_create_versions,
    }
    refused = [entity for entity, is_refused in refusals.items() if is_refused]
    if refused:
        raise CreationForbidden(refused)


class ResolvedPlace(NamedTuple):
    """The ids of a placement, whose records all exist or are staged."""

    part_id: UUID
    revision_id: UUID
    batch_id: UUID | None


def create_missing(tx: Transaction, placement: Placement, creator: Creator) -> ResolvedPlace:
    """Stage the records of a placement that do not exist, and return the ids of all."""
    part, revision, batch = placement
    part_id = part.id or stage_part(tx, part.name or "", creator)
    revision_id = revision.id
    if revision_id is None:
        number = revision.name or DEFAULT_REVISION
        revision_id = tx.catalog.revision(part_id, number) or stage_revision(tx, part_id, number, creator)
    batch_id = batch.id
    if batch_id is None and batch.name is not None:
        batch_id = stage_batch(tx, batch.name, creator)
    return ResolvedPlace(part_id, revision_id, batch_id)


def create_missing_version(
    tx: Transaction, procedure_id: UUID, version: Reference, creator: Creator
) -> UUID | None:
    """The id of the version, which is staged if it is new; None if the run names none."""
    if version.id is None and version.name is not None:
        return stage_version(tx, procedure_id, version.name, creator)
    return version.id
