"""Repairs of a unit: the faults, the parts that were replaced, and the run that sent the unit to repair."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from runcard.domain.floor.repair import REPORT_ID, RepairedPart, RepairFailure
from runcard.domain.metadata import MetadataValue
from runcard.domain.runs.outcome import RunOutcome
from runcard.domain.text import lookup_key
from runcard.store.commit.lookups import find_units
from runcard.store.engine.scope import Scope
from runcard.store.units.repairs import RepairRecord
from runcard.web.bin.deleting import DeleteForm, delete_form
from runcard.web.frame.facts import Fact, creator_name, metadata_facts
from runcard.web.frame.formats import Moment, moment_of
from runcard.web.frame.urls import run_url, unit_url
from runcard.web.frame.visit import Visit

_STATION = "station_name"


class NamedUnit(NamedTuple):
    """A unit by its serial number. url: empty if the unit is not recorded."""

    name: str
    url: str


class RepairedFailure(NamedTuple):
    """unit: the sub-unit with the fault; None: the unit itself."""

    fault: str
    place: str
    component: str
    unit: NamedUnit | None
    step: str
    comment: str


class RepairedPartLine(NamedTuple):
    """replaced: the unit whose place it took; None: it was only inspected."""

    unit: NamedUnit
    kind: str
    replaced: NamedUnit | None


class RepairCard(NamedTuple):
    """more: the other facts of its report. deletion: None if the reader may not delete it."""

    anchor: str
    operation: str
    outcome: RunOutcome
    at: Moment
    facts: Sequence[Fact]
    failures: Sequence[RepairedFailure]
    parts: Sequence[RepairedPartLine]
    more: Sequence[Fact]
    deletion: DeleteForm | None


def repair_anchor(repair_id: UUID) -> str:
    """The id of a repair's card inside the page of its unit."""
    return f"repair-{repair_id}"


def operator_of(record: RepairRecord) -> str:
    return record.operator.name if record.operator else record.operator_name or ""


def fault_text(failure: RepairFailure) -> str:
    """A fault in short: its category and its code; if it has neither, its comment."""
    code = " / ".join(one for one in (failure.category, failure.code) if one)
    return code or failure.comment or "Fault"


def repair_cards(scope: Scope, records: Sequence[RepairRecord], visit: Visit) -> Sequence[RepairCard]:
    """A card for each repair, in the order of the records."""
    names = {lookup_key(name): name for record in records for name in _named(record)}
    found = find_units(scope.connection, [(scope.organization_id, key) for key in names])
    urls = {key: unit_url(names[key]) for _, key in found}
    return [_card(record, urls, visit) for record in records]


def _named(record: RepairRecord) -> Iterator[str]:
    for part in record.report.parts:
        yield from (name for name in (part.serial_number, part.replaced) if name)
    yield from (failure.serial_number for failure in record.report.failures if failure.serial_number)


def _card(record: RepairRecord, urls: Mapping[str, str], visit: Visit) -> RepairCard:
    report = record.report
    rest = {key: value for key, value in report.metadata.items() if key not in (_STATION, REPORT_ID)}
    return RepairCard(
        repair_anchor(record.id),
        report.operation,
        report.outcome,
        moment_of(report.started_at, visit.zone),
        [fact for fact in _facts(record, report.metadata.get(_STATION)) if fact.value],
        [_failure(one, urls) for one in report.failures],
        [_part(one, urls) for one in report.parts],
        metadata_facts(rest),
        delete_form(visit, "repair", record.id, "This repair is deleted; the unit stays."),
    )


def _facts(record: RepairRecord, station: MetadataValue | None) -> Iterator[Fact]:
    report = record.report
    yield Fact("Repaired by", operator_of(record))
    yield Fact("Station", "" if station is None else str(station))
    if record.run_id is not None:
        yield Fact("Failed in", report.of_operation or "a run", run_url(record.run_id))
    else:
        yield Fact("Failed in", report.of_operation or "")
    yield Fact("Comment", report.comment or "")
    yield Fact("Recorded by", creator_name(record.created_by))


def _failure(failure: RepairFailure, urls: Mapping[str, str]) -> RepairedFailure:
    number = " ".join(
        one
        for one in (
            failure.component_number,
            failure.component_revision and f"rev {failure.component_revision}",
            failure.component_vendor and f"({failure.component_vendor})",
        )
        if one
    )
    step = failure.step_name or ("" if failure.step_id is None else f"step {failure.step_id}")
    fault = fault_text(failure)
    return RepairedFailure(
        fault,
        ", ".join(one for one in (failure.component, failure.function_block) if one),
        ", ".join(one for one in (number, failure.component_description) if one),
        None if failure.serial_number is None else _linked(failure.serial_number, urls),
        step,
        "" if failure.comment in (None, fault) else failure.comment or "",
    )


def _part(part: RepairedPart, urls: Mapping[str, str]) -> RepairedPartLine:
    revision = part.revision_number and f"rev {part.revision_number}"
    return RepairedPartLine(
        _linked(part.serial_number or "A unit without a number", urls),
        " ".join(one for one in (part.part_type, part.part_number, revision) if one),
        None if part.replaced is None else _linked(part.replaced, urls),
    )


def _linked(name: str, urls: Mapping[str, str]) -> NamedUnit:
    return NamedUnit(name, urls.get(lookup_key(name), ""))
