"""Reports of units under test as runs.

- The procedure is the operation (process), by its name or else by its code. Its version is that of the main sequence.
- The run begins at the UTC time of the report, or else at its local time, which is taken as UTC where it has no offset.
  It lasts as long as the report says, or else until its last step ended.
- The outcome is the reported one: Passed and Done PASS, Failed FAIL, Error and Skipped ERROR, Terminated ABORTED.
- Metadata are the other values of the header, then the misc infos; see `header`. Misc infos that do not fit into
  metadata become logs.
- Sub-units that nobody has recorded are created with their part and revision. Their part types and positions are left
  out. A sub-unit without a serial number becomes a log.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from runcard.domain.metadata import MetadataValue
from runcard.domain.runs.phase import Log, phase_end, tidy_message
from runcard.domain.runs.report import RunReport, UnitDescription
from runcard.importers.wats.header import metadata_of, names_of, outcome_of, started_at_of
from runcard.importers.wats.report import Report, SubUnit, Uut
from runcard.importers.wats.steps import Inside, inside_of, left_out
from runcard.importers.wats.values import code_of, later, seconds_of, text_of, zone_of

_SOURCE = "report"


def run_of(report: Report) -> RunReport:
    """The run in a report. Procedure and serial number are empty where the report names none.

    Raises UnreadableReport for values that cannot be read.
    """
    uut = report.uut or Uut()
    procedure, serial_number = names_of(report)
    started_at = started_at_of(report)
    steps = [*([] if report.root is None else [report.root]), *(report.steps or [])]
    inside = inside_of(steps, started_at, zone_of(report.start, "start"))
    metadata, rest = metadata_of(report, _facts(uut, inside))
    duration = seconds_of(uut.exec_time, "uut.execTime")
    if duration is None:
        duration = (phase_end(inside.phases) or started_at) - started_at
    later(started_at, duration, "uut.execTime")
    named = [sub_unit for sub_unit in report.sub_units or [] if text_of(sub_unit.sn) is not None]
    return RunReport(
        procedure=procedure,
        procedure_is_name=True,
        procedure_version=_version(report),
        serial_number=serial_number,
        outcome=outcome_of(report),
        started_at=started_at,
        duration=duration,
        part_number=text_of(report.pn),
        revision_number=text_of(report.rev),
        batch_number=text_of(uut.batch_sn),
        operator=text_of(uut.user),
        sub_units=tuple(text_of(sub_unit.sn) or "" for sub_unit in named),
        new_sub_units=tuple(_described(named)),
        docstring=text_of(uut.comment),
        phases=inside.phases,
        sequences=inside.sequences,
        logs=(*inside.logs, *_logs(report, rest, started_at)),
        metadata=metadata,
    )


def _version(report: Report) -> str | None:
    main = report.root or next(iter(report.steps or ()), None)
    return None if main is None or main.seq_call is None else text_of(main.seq_call.version)


def _described(sub_units: Sequence[SubUnit]) -> Iterator[UnitDescription]:
    for sub_unit in sub_units:
        part_number = text_of(sub_unit.pn)
        if part_number is not None:
            yield UnitDescription(text_of(sub_unit.sn) or "", part_number, text_of(sub_unit.rev))


def _facts(uut: Uut, inside: Inside) -> Mapping[str, MetadataValue | None]:
    failed_step = code_of(uut.failed_step_id)
    return {
        "fixture_id": text_of(uut.fixture_id),
        "test_socket_index": code_of(uut.test_socket_index),
        "error_code": code_of(uut.error_code),
        "error_message": text_of(uut.error_message),
        "batch_fail_count": code_of(uut.batch_fail_count),
        "batch_loop_index": code_of(uut.batch_loop_index),
        "failed_step": None if failed_step is None else inside.places.get(failed_step, failed_step),
    }


def _logs(report: Report, misc: Sequence[str], moment: datetime) -> Iterator[Log]:
    for text in misc:
        yield Log("INFO", moment, tidy_message(text), _SOURCE, 0)
    for sub_unit in report.sub_units or []:
        if text_of(sub_unit.sn) is None:
            about = ", ".join(
                text for text in map(text_of, (sub_unit.part_type, sub_unit.pn, sub_unit.rev)) if text
            )
            yield Log(
                "WARNING", moment, tidy_message(f"Sub-unit without a serial number: {about}"), _SOURCE, 0
            )
    for attachment in report.binary_data or []:
        yield Log("WARNING", moment, tidy_message(left_out(attachment)), _SOURCE, 0)
