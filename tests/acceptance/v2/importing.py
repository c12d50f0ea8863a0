"""Files on their way to become runs."""

from typing import Any

import httpx
from tofupilot.v2 import TofuPilot

from tests.acceptance.v2.floor import put

# The tables that tell of a refused file.
QUARANTINE = ("quarantined_files", "changes")


def uploaded(client: TofuPilot, content: bytes, name: str = "report.json") -> str:
    """Id of an upload whose bytes have arrived."""
    slot = client.attachments.initialize(name=name)
    answer = put(slot.upload_url, content, "application/octet-stream")
    assert answer.status_code == 200, answer.text
    return slot.id


def imported(client: TofuPilot, upload_id: str, **given: Any) -> dict[str, Any]:
    """What becomes of one OpenHTF file."""
    importer = given.pop("importer", "OPENHTF")
    items: list[Any] = [{"upload_id": upload_id, "importer": importer}]
    (result,) = client.imports.structured(items=items, **given).results
    assert result.upload_id == upload_id
    return {name: value for name, value in result.model_dump().items() if value is not None}


def wire_imported(wire: httpx.Client, upload_id: str, importer: str) -> dict[str, Any]:
    """What becomes of one file of a format that the client may not know by name."""
    return structured(wire, {"items": [{"upload_id": upload_id, "importer": importer}]})


def structured(wire: httpx.Client, body: dict[str, Any]) -> dict[str, Any]:
    """What becomes of one file, with what the official client does not know how to say."""
    answer = wire.post("/imports/structured", json=body)
    assert answer.status_code == 200, answer.text
    result: dict[str, Any]
    (result,) = answer.json()["results"]
    return result


def reports_of(client: TofuPilot, run_id: str) -> list[str]:
    """Names of the files that a run was imported from."""
    return [one.name for one in client.runs.get(id=run_id).attachments or [] if one.is_report]


def run_ids(client: TofuPilot, serial_number: str) -> list[str]:
    return [run.id for run in client.runs.list(serial_numbers=[serial_number]).data]
