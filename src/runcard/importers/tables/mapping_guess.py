"""Guess what the columns of a table are, from their titles and contents, as a proposal for a user who maps them."""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple, get_args

from runcard.domain.runs.outcome import RunOutcome
from runcard.importers.tables.head import TableHead
from runcard.importers.tables.outcome_words import outcome_of


class GuessedMeasurement(NamedTuple):
    column: str
    name: str
    uom: str


class Guess(NamedTuple):
    """columns: the likely column for each field. passing, failing: texts of the outcome's column that mean these."""

    columns: Mapping[str, str]
    passing: Sequence[str]
    failing: Sequence[str]
    measurements: Sequence[GuessedMeasurement]


# Titles in lower case, with only their letters and digits.
_TITLES = {
    "serial_number": [
        "serial",
        "serialnumber",
        "serialno",
        "serialnr",
        "sn",
        "snr",
        "seriennummer",
        "seriennr",
        "uut",
        "dut",
        "barcode",
        "unitid",
    ],
    "outcome": [
        "outcome",
        "result",
        "status",
        "verdict",
        "passfail",
        "testresult",
        "ergebnis",
        "resultat",
        "bewertung",
    ],
    "started_at": [
        "start",
        "started",
        "startedat",
        "starttime",
        "date",
        "datetime",
        "testdate",
        "timestamp",
        "time",
        "datum",
        "zeit",
        "startzeit",
    ],
    "ended_at": ["end", "ended", "endedat", "endtime", "stop", "stoptime", "finished", "ende", "endzeit"],
    "part_number": [
        "part",
        "partnumber",
        "partno",
        "pn",
        "partnr",
        "artikel",
        "artikelnummer",
        "sachnummer",
        "material",
        "product",
    ],
    "revision_number": ["revision", "rev", "revisionnumber", "hwrev", "index"],
    "batch_number": ["batch", "batchnumber", "lot", "lotnumber", "lotid", "charge", "los", "losnummer"],
    "operated_by": ["operator", "operatedby", "user", "bediener"],
    "docstring": ["comment", "remark", "remarks", "note", "notes", "bemerkung", "kommentar"],
}
_PASSING = {"ok", "pass", "passed", "p", "good", "gut", "io", "1", "true", "yes"}
_FAILING = {"nok", "ng", "fail", "failed", "f", "bad", "schlecht", "nio", "0", "false", "no"}
_WITH_UOM = re.compile(r"(.*\S)\s*[\[(]\s*([^\])]{1,20}?)\s*[\])]")


def guess(head: TableHead) -> Guess:
    """What the columns of a table seem to be. A title that occurs twice is never taken: no mapping can name it."""
    titles = [title for title in head.columns if title and head.columns.count(title) == 1]
    columns: dict[str, str] = {}
    for field, words in _TITLES.items():
        found = [title for title in titles if _plain(title) in words and title not in columns.values()]
        if found:
            columns[field] = min(found, key=lambda title: words.index(_plain(title)))
    if "started_at" in columns:
        columns.setdefault("ended_at", columns["started_at"])
    outcomes = head.texts[head.columns.index(columns["outcome"])] if "outcome" in columns else []
    unknown = [text for text in outcomes if not _is_outcome(text)]
    return Guess(
        columns,
        [text for text in unknown if _plain(text) in _PASSING],
        [text for text in unknown if _plain(text) in _FAILING],
        [_measurement(title) for title in titles if _is_measured(head, title, columns)],
    )


def _is_measured(head: TableHead, title: str, columns: Mapping[str, str]) -> bool:
    return title not in columns.values() and head.numeric[head.columns.index(title)]


def _measurement(title: str) -> GuessedMeasurement:
    found = _WITH_UOM.fullmatch(title)
    return GuessedMeasurement(title, *(found.groups() if found else (title, "")))


def _plain(text: str) -> str:
    return "".join(character for character in text.lower() if character.isalnum())


def _is_outcome(text: str) -> bool:
    try:
        outcome_of(text, get_args(RunOutcome), {})
    except ValueError:
        return False
    return True
