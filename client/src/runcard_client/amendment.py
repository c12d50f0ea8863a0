"""Correct a parked run by hand: show it as JSON, and read the changed JSON back."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from runcard_client.errors import InvalidReport, InvalidSettings
from runcard_client.run_body import NAMES, Json, check_body
from runcard_client.spool import SpooledRun

# Fields with a single text as value, which can be set on the command line.
SETTABLE = (
    "procedure",
    *(name for name in NAMES if name != "client_run_ref"),
    "outcome",
    "started_at",
    "ended_at",
    "docstring",
)


def shown(run: SpooledRun, body: bytes) -> Json:
    """A spooled run as JSON for editing: the procedure as the station names it, and the body for the server."""
    inside: Json = json.loads(body)
    return {"procedure": run.procedure, **inside}


def with_set(edited: Json, settings: Sequence[str]) -> Json:
    """The run with these settings, each `FIELD=VALUE`; an empty value removes the field. Raises InvalidReport."""
    changed = dict(edited)
    for setting in settings:
        field, is_set, text = setting.partition("=")
        if not is_set or field not in SETTABLE:
            raise InvalidReport(
                f"{setting!r:.80} sets nothing; give FIELD=VALUE, where FIELD is one of {', '.join(SETTABLE)}"
            )
        changed.pop(field, None)
        if text:
            changed[field] = text
    return changed


def read_edited(text: str) -> Json:
    """The edited run. Raises InvalidReport where the text is no JSON object."""
    try:
        edited = json.loads(text, parse_constant=_refuse)
    except ValueError as error:
        raise InvalidReport(f"the run is no valid JSON any more: {error}; correct it") from error
    if not isinstance(edited, dict):
        raise InvalidReport("the run is no JSON object any more; keep its braces and its fields")
    return edited


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON number")


def in_editor(command: Sequence[str], file: Path, edited: Mapping[str, object]) -> Json:
    """Write the run to a file, open it in an editor, and return the edited run.

    Raises InvalidReport and InvalidSettings.
    """
    file.write_text(json.dumps(edited, indent=2, ensure_ascii=False) + "\n", "utf-8")
    try:
        status = subprocess.run([*command, str(file)], check=False).returncode  # noqa: S603 -- the user's own choice
    except OSError as error:
        raise InvalidSettings(
            f"the editor {command[0]} cannot be started: {error}; name another in EDITOR, or use --set"
        ) from error
    if status:
        raise InvalidSettings(f"the editor {command[0]} ended with {status}; the run is not changed")
    return read_edited(file.read_text("utf-8"))


def body_of(run: SpooledRun, edited: Json) -> tuple[str, str, bytes]:
    """Procedure, serial number and body of an edited run, checked as far as the client can. Raises InvalidReport."""
    inside = {name: value for name, value in edited.items() if name != "procedure"}
    if inside.get("client_run_ref") != run.client_run_ref:
        raise InvalidReport(
            f"client_run_ref is {inside.get('client_run_ref')!r:.80}; leave it at {run.client_run_ref!r}: "
            "the server recognizes the run by it when it is sent again"
        )
    procedure = edited.get("procedure")
    check_body(procedure, inside)
    written = json.dumps(inside, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return str(procedure), str(inside["serial_number"]), written.encode("utf-8", "replace")
