"""Receipts and heads over REST, checked offline by the program that shares no code with the server."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.servers import Server
from tests.world import World


@pytest.fixture
def station(server: Server) -> Iterator[httpx.Client]:
    headers = {"authorization": f"Bearer {server.world.acme.fct.api_key}"}
    with httpx.Client(base_url=server.url, headers=headers) as client:
        yield client


@pytest.fixture
def stranger(server: Server) -> Iterator[httpx.Client]:
    headers = {"authorization": f"Bearer {server.world.globex.admin.api_key}"}
    with httpx.Client(base_url=server.url, headers=headers) as client:
        yield client


def _run(station: httpx.Client, world: World, serial: str) -> str:
    body = {
        "procedure_id": world.acme.board.identifier,
        "unit_under_test": {"serial_number": serial, "part_number": "PCB-1"},
        "run_passed": True,
        "steps": [],
    }
    answer = station.post("/v1/runs", json=body)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["id"])


def _check(*arguments: str | Path) -> tuple[int, dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, "-m", "runcard_verify", *map(str, arguments), "--json"],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, json.loads(done.stdout or "{}")


def _saved(folder: Path, name: str, answer: httpx.Response) -> Path:
    assert answer.status_code == 200, answer.text
    path = folder / name
    path.write_bytes(answer.content)
    return path


def test_a_station_gets_a_receipt_of_its_run_that_fits_offline(
    station: httpx.Client, server: Server, world: World, tmp_path: Path
) -> None:
    run_id = _run(station, world, "PROVEN-1")
    receipt = _saved(tmp_path, "receipt.json", station.get(f"/api/proof/receipts/{run_id}"))
    content = json.loads(receipt.read_text())
    leaf, header = json.loads(content["leaf"]), json.loads(content["run"]["header"])
    assert (leaf["kind"], leaf["thing_id"]) == ("run_recorded", run_id)
    assert (header["id"], header["serial_number"]) == (run_id, "PROVEN-1")
    key = content["head"]["public_key"]
    assert _check("receipt", receipt, "--key", key)[0] == 0
    content["run"]["header"] = content["run"]["header"].replace("PROVEN-1", "FORGED-1")
    receipt.write_text(json.dumps(content))
    assert _check("receipt", receipt, "--key", key)[0] == 1


def test_a_later_head_follows_from_one_that_was_kept(
    station: httpx.Client, world: World, tmp_path: Path
) -> None:
    _run(station, world, "BEFORE")
    old = _saved(tmp_path, "old.json", station.get("/api/proof/head"))
    _run(station, world, "AFTER")
    new = _saved(tmp_path, "new.json", station.get("/api/proof/head"))
    size = json.loads(old.read_text())["tree_size"]
    proof = _saved(tmp_path, "proof.json", station.get("/api/proof/consistency", params={"first": size}))
    key = json.loads(old.read_text())["public_key"]
    assert _check("heads", old, new, proof, "--key", key)[0] == 0
    assert _check("heads", new, old, proof, "--key", key)[0] == 1


def test_what_is_not_there_has_no_proof(station: httpx.Client, stranger: httpx.Client, world: World) -> None:
    run_id = _run(station, world, "OURS")
    unknown = "01980000-0000-7000-8000-000000000000"
    for client, path in (
        (station, f"/api/proof/receipts/{unknown}"),
        (station, "/api/proof/receipts/none"),
        (stranger, f"/api/proof/receipts/{run_id}"),
        (station, "/api/proof/consistency?first=9007199254740991"),
    ):
        assert client.get(path).status_code == 404, path
    for query in ("first=0", "first=x", "", "first=1&last=2"):
        assert station.get(f"/api/proof/consistency?{query}").status_code in (400, 422), query
