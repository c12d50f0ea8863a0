"""Repairs as WATS reports them, brought in over the v2 API."""

import json
from typing import Any
from uuid import uuid4

import httpx

from tests.servers import DEADLINE_S

STARTED_AT = "2026-02-01T08:00:00Z"


def repair_of(serial_number: str, **changes: Any) -> dict[str, Any]:
    """A report (WSJF) of a repair that found one cold joint, but for `changes`. Its unit is of part PCB-01."""
    failure = {"category": "Soldering", "code": "Cold joint", "comRef": "R12", "refStepName": "Rail 3.3 V"}
    return {
        "type": "R",
        "id": str(uuid4()),
        "pn": "PCB-01",
        "sn": serial_number,
        "processName": "Repair",
        "result": "P",
        "startUTC": STARTED_AT,
        "uur": {"user": "Robin", "comment": "Soldered anew", "processName": "Board", "refUUT": None},
        "subUnits": [{"sn": serial_number, "idx": 0, "failures": [failure]}],
    } | changes


def import_reports(client: httpx.Client, *reports: dict[str, Any]) -> None:
    """Bring in one file of these reports. client: on the v2 API, as somebody who may record."""
    slot = client.post("/attachments", json={"name": "repairs.json"}).json()
    httpx.put(slot["upload_url"], content=json.dumps(reports), timeout=DEADLINE_S).raise_for_status()
    item = {"upload_id": slot["id"], "importer": "WATS"}
    answer = client.post("/imports/structured", json={"items": [item]})
    (result,) = answer.json()["results"]
    assert result["success"], result
