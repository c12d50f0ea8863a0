"""A run as a JSON file, with all that is recorded of it."""

import math
from collections.abc import Sequence

import msgspec

from runcard.domain.metadata import Metadata
from runcard.domain.runs.clock import reported_times
from runcard.domain.runs.run import RunDocument
from runcard.store.files.attachments import Attachment
from runcard.store.runs.records import RunRecord, SubUnitRef

# What is no part of the report, or not in this form: times that count, and what people noted on the run.
_NO_PART = ("reported_", "tags", "cause", "as_reported")


def run_report(
    record: RunRecord,
    document: RunDocument,
    sub_units: Sequence[SubUnitRef],
    attachments: Sequence[Attachment],
    metadata: Metadata,
    stated: Sequence[str],
) -> bytes:
    """The run as JSON: its header, then its contents, by the names of the record; NaN and infinities as texts.

    Times are as the station reported them, unless a person corrected them. as_reported: what the report said of the
    fields that were corrected. stated: the fields that come from the person who brought the file, and not from the
    station.
    """
    header = record._replace(**reported_times(record)._asdict())._asdict()
    report = {
        **_fields({name: value for name, value in header.items() if not name.startswith(_NO_PART)}),
        "as_reported": record.corrected,
        "metadata": metadata,
        "stated": stated,
        "sub_units": [unit.serial_number for unit in sub_units],
        "attachments": [
            {"id": one.id, "name": one.name, "content_type": one.content_type, "size_bytes": one.size_bytes}
            for one in attachments
        ],
        **_fields(msgspec.structs.asdict(document)),
    }
    return msgspec.json.format(msgspec.json.encode(report), indent=2)


def _fields(values: dict[str, object]) -> dict[str, object]:
    return {name: _plain(value) for name, value in values.items()}


def _plain(value: object) -> object:
    match value:
        case msgspec.Struct():
            return _fields(msgspec.structs.asdict(value))
        case tuple() if hasattr(value, "_asdict"):
            return _fields(value._asdict())
        case list() | tuple():
            return [_plain(one) for one in value]
        case dict():
            return _fields(value)
        case float() if not math.isfinite(value):
            return str(value)
    return value
