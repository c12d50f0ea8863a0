"""Repair reports of WATS (UUR) as repairs of units.

The unit that is repaired is number 0 among the sub-units of the report. What was found wrong with it or with another of
them are failures; the others are parts. Misc infos beyond the bounds of metadata and the execution time are left out.
"""

from collections.abc import Iterator, Mapping

from runcard.domain.errors import InvalidInput, Issue
from runcard.domain.floor.repair import RepairedPart, RepairFailure, RepairReport
from runcard.importers.wats.header import metadata_of, names_of, outcome_of, started_at_of
from runcard.importers.wats.report import Report, ReportedFailure, SubUnit, Uur
from runcard.importers.wats.values import code_of, text_of


def repair_of(report: Report) -> RepairReport:
    """The repair that a report tells of.

    Raises UnreadableReport for values that cannot be read, InvalidInput where no operation or no unit is named.
    """
    uur = report.uur or Uur()
    operation, serial_number = names_of(report)
    if not operation or not serial_number:
        raise InvalidInput(_missing(operation, serial_number))
    dates = {"confirmed_at": text_of(uur.confirm_date), "finalized_at": text_of(uur.finalize_date)}
    said, _ = metadata_of(report, dates)
    others = {code_of(one.idx): one for one in report.sub_units or [] if not _is_unit(one, serial_number)}
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
        parts=tuple(_part(one, others) for one in report.sub_units or [] if not _is_unit(one, serial_number)),
        metadata=said,
    )


def _missing(operation: str, serial_number: str) -> Iterator[Issue]:
    if not operation:
        yield Issue(("processName",), "required: name the operation, or give its processCode")
    if not serial_number:
        yield Issue(("sn",), "required: give the serial number of the unit")


def _is_unit(one: SubUnit, serial_number: str) -> bool:
    """Whether this is the unit itself."""
    return code_of(one.idx) == 0 or (one.idx is None and text_of(one.sn) == serial_number)


def _failures(report: Report, serial_number: str) -> Iterator[RepairFailure]:
    for one in report.sub_units or []:
        found_on = None if _is_unit(one, serial_number) else text_of(one.sn)
        for failure in one.failures or []:
            yield _failure(failure, found_on)


def _failure(said: ReportedFailure, found_on: str | None) -> RepairFailure:
    return RepairFailure(
        code=text_of(said.code),
        category=text_of(said.category),
        comment=text_of(said.comment),
        component=text_of(said.com_ref),
        function_block=text_of(said.func_block),
        component_number=text_of(said.art_number),
        component_revision=text_of(said.art_rev),
        component_vendor=text_of(said.art_vendor),
        component_description=text_of(said.art_description),
        step_id=code_of(said.ref_step_id),
        step_name=text_of(said.ref_step_name),
        serial_number=found_on,
    )


def _part(said: SubUnit, others: Mapping[int | str | None, SubUnit]) -> RepairedPart:
    replaced_idx = code_of(said.replaced_idx)
    replaced = None if replaced_idx is None else others.get(replaced_idx)
    return RepairedPart(
        serial_number=text_of(said.sn),
        part_number=text_of(said.pn),
        revision_number=text_of(said.rev),
        part_type=text_of(said.part_type),
        replaced=None if replaced is None else text_of(replaced.sn),
    )
