"""A parked run that a person has put right: as JSON to be read and changed, and back."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from runcard_client.errors import InvalidReport, InvalidSettings
from runcard_client.run_body import NAMES, Json, check_body
from runcard_client.spool import SpooledRun

# Fields that take one text, so that they can be set on the command line.
SETTABLE = (
    "procedure",
    *(name for name in NAMES if name != "client_run_ref"),
    "outcome",
    "started_at",
    "ended_at",
    "docstring",
)


def shown(run: SpooledRun, body: bytes) -> Json:
    """A spooled run as it is edited: the procedure as the station names it, and what is sent to the server."""
    inside: Json = json.loads(body)
    return {"procedure": run.procedure, **inside}


def with_set(edited: Json, settings: Sequence[str]) -> Json:
    """The same with these settings, `FIELD=VALUE` each; an empty value takes the field out. Raises InvalidReport."""
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
    """A run as it was edited. Raises InvalidReport where it is no JSON object."""
    try:
        edited = json.loads(text, parse_constant=_refuse)
    except ValueError as error:
        raise InvalidReport(f"the run is no valid JSON any more: {error}; put that right") from error
    if not isinstance(edited, dict):
        raise InvalidReport("the run is no JSON object any more; keep its braces and its fields")
    return edited


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON number")


def in_editor(command: Sequence[str], file: Path, edited: Mapping[str, object]) -> Json:
    """The run as a person leaves it in an editor, in this file. Raises InvalidReport, InvalidSettings."""
    file.write_text(json.dumps(edited, indent=2, ensure_ascii=False) + "\n", "utf-8")
    try:
        status = subprocess.run([*command, str(file)], check=False).returncode  # noqa: S603 -- the user's own choice
    except OSError as error:
        raise InvalidSettings(
            f"the editor {command[0]} cannot be started: {error}; name another in EDITOR, or use --set"
        ) from error
    if status:
        raise InvalidSettings(f"the editor {command[0]} ended with {status}; the run is as it was")
    return read_edited(file.read_text("utf-8"))


def body_of(run: SpooledRun, edited: Json) -> tuple[str, str, bytes]:
    """Procedure, serial number and body of an edited run, checked as far as it can be here. Raises InvalidReport."""
    inside = {name: value for name, value in edited.items() if name != "procedure"}
    if inside.get("client_run_ref") != run.client_run_ref:
        raise InvalidReport(
            f"client_run_ref is {inside.get('client_run_ref')!r:.80}; leave it at {run.client_run_ref!r}: "
            "by it the server knows the run when it comes again"
        )
    procedure = edited.get("procedure")
    check_body(procedure, inside)
    written = json.dumps(inside, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return str(procedure), str(inside["serial_number"]), written.encode("utf-8", "replace")
