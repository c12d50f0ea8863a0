"""Files on their way to a run and back (section 4 of the v1 contract)."""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import httpx

from tests.acceptance.wire import Json, runs_of

SAMPLES = Path(__file__).parents[1] / "importers" / "cases" / "openhtf"


def initialize(client: httpx.Client, name: str = "log.txt", **members: Any) -> Json:
    answer = client.post("/uploads/initialize", json={"name": name, **members})
    assert answer.status_code == 200, answer.text
    slot: Json = answer.json()
    assert list(slot) == ["id", "uploadUrl"]
    assert all(slot.values())
    return slot


def put(slot: Json, content: bytes | Iterable[bytes], content_type: str | None = None) -> httpx.Response:
    """Send bytes as clients do: without any key."""
    headers = {} if content_type is None else {"Content-Type": content_type}
    return httpx.put(slot["uploadUrl"], content=content, headers=headers, timeout=60)


def uploaded(client: httpx.Client, content: bytes, name: str = "log.txt", **members: Any) -> str:
    """Id of an upload whose bytes have arrived."""
    slot = initialize(client, name, **members)
    answer = put(slot, content)
    assert answer.status_code == 200, answer.text
    upload_id: str = slot["id"]
    return upload_id


def sync(client: httpx.Client, upload_id: str, run_id: str) -> httpx.Response:
    return client.post("/uploads/sync", json={"upload_id": upload_id, "run_id": run_id})


def attachments_of(client: httpx.Client, serial: str) -> list[Json]:
    """Those of the only run of a unit."""
    (run,) = runs_of(client, serial)
    attachments: list[Json] = run["attachments"]
    return attachments


def downloaded(attachment: Json) -> bytes:
    """The bytes, got as a browser does: without any key."""
    answer = httpx.get(attachment["url"], timeout=60)
    assert answer.status_code == 200, answer.text
    return answer.content


def openhtf_report(serial: str, sample: str = "pass", **metadata: Any) -> bytes:
    """A record that OpenHTF wrote, of another unit; metadata that is None is left out."""
    record = json.loads((SAMPLES / f"{sample}.json").read_text("utf-8"))
    record["dut_id"] = serial
    record["metadata"] |= {"sub_units": [], **metadata}
    record["metadata"] = {name: value for name, value in record["metadata"].items() if value is not None}
    return json.dumps(record).encode()


def import_report(client: httpx.Client, upload_id: str, /, **members: Any) -> httpx.Response:
    return client.post("/import", json={"upload_id": upload_id, "importer": "OPENHTF", **members})


def sha1(content: bytes) -> str:
    return hashlib.sha1(content, usedforsecurity=False).hexdigest()
