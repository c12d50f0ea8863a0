"""Repair reports of WATS (UUR) as repairs of units.

The repaired unit is number 0 among the sub-units of the report. The failures of all sub-units become failures of the
repair, and the other sub-units become its parts. The execution time is left out, and so are misc infos that do not fit
into metadata.
"""

from collections.abc import Iterator, Mapping

from runcard.domain.errors import InvalidInput, Issue
from runcard.domain.floor.repair import RepairedPart, RepairFailure, RepairReport
from runcard.importers.wats.header import metadata_of, names_of, outcome_of, started_at_of
from runcard.importers.wats.report import Report, ReportedFailure, SubUnit, Uur
from runcard.importers.wats.values import code_of, text_of


def repair_of(report: Report) -> RepairReport:
    """The repair in a report.

    Raises UnreadableReport for values that cannot be read, and InvalidInput where operation or unit is missing.
    """
    uur = report.uur or Uur()
    operation, serial_number = names_of(report)
    if not operation or not serial_number:
        raise InvalidInput(_missing(operation, serial_number))
    dates = {"confirmed_at": text_of(uur.confirm_date), "finalized_at": text_of(uur.finalize_date)}
    metadata, _ = metadata_of(report, dates)
    others = [sub_unit for sub_unit in report.sub_units or [] if not _is_unit(sub_unit, serial_number)]
    by_index = {code_of(sub_unit.idx): sub_unit for sub_unit in others}
    return RepairReport(
        serial_number=serial_number,
        operation=operation,
        outcome=outcome_of(report),
        started_at=started_at_of(report),
        part_number=text_of(report.pn),
        revision_number=text_of(report.rev),
        operator=text_of(uur.user),
        comment=text_of(uur.comment),
        of_report=(text_of(uur.ref_uut) or "").lower() or None,
        of_operation=text_of(uur.process_name) or text_of(uur.process_code),
        failures=tuple(_failures(report, serial_number)),
        parts=tuple(_part(sub_unit, by_index) for sub_unit in others),
        metadata=metadata,
    )


def _missing(operation: str, serial_number: str) -> Iterator[Issue]:
    if not operation:
        yield Issue(("processName",), "required: name the operation, or give its processCode")
    if not serial_number:
        yield Issue(("sn",), "required: give the serial number of the unit")


def _is_unit(sub_unit: SubUnit, serial_number: str) -> bool:
    """Whether a sub-unit is the repaired unit itself."""
    return code_of(sub_unit.idx) == 0 or (sub_unit.idx is None and text_of(sub_unit.sn) == serial_number)


def _failures(report: Report, serial_number: str) -> Iterator[RepairFailure]:
    for sub_unit in report.sub_units or []:
        found_on = None if _is_unit(sub_unit, serial_number) else text_of(sub_unit.sn)
        for failure in sub_unit.failures or []:
            yield _failure(failure, found_on)


def _failure(failure: ReportedFailure, found_on: str | None) -> RepairFailure:
    return RepairFailure(
        code=text_of(failure.code),
        category=text_of(failure.category),
        comment=text_of(failure.comment),
        component=text_of(failure.com_ref),
        function_block=text_of(failure.func_block),
        component_number=text_of(failure.art_number),
        component_revision=text_of(failure.art_rev),
        component_vendor=text_of(failure.art_vendor),
        component_description=text_of(failure.art_description),
        step_id=code_of(failure.ref_step_id),
        step_name=text_of(failure.ref_step_name),
        serial_number=found_on,
    )


def _part(sub_unit: SubUnit, by_index: Mapping[int | str | None, SubUnit]) -> RepairedPart:
    replaced_idx = code_of(sub_unit.replaced_idx)
    replaced = None if replaced_idx is None else by_index.get(replaced_idx)
    return RepairedPart(
        serial_number=text_of(sub_unit.sn),
        part_number=text_of(sub_unit.pn),
        revision_number=text_of(sub_unit.rev),
        part_type=text_of(sub_unit.part_type),
        replaced=None if replaced is None else text_of(replaced.sn),
    )
