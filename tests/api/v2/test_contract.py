"""The served OpenAPI document says of every operation of v2 what the contract says; what differs has a reason."""

import asyncio
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.types import ASGIApp

from runcard.app import create_app
from runcard.settings import Settings
from tests.api.v2.schemas import Document, Json, differences

_CONTRACT = Path(__file__).with_name("contract.json")
_SNAPSHOT = Path(__file__).parents[3] / "docs" / "api" / "openapi.json"
_REASONS = Path(__file__).parents[3] / "docs" / "api" / "differences.md"
_ROW = re.compile(r"^\| `([^`]+)` \| (.+) \|$", re.MULTILINE)


@pytest.fixture(scope="module")
def contract() -> Document:
    """What the vendor's API looks like."""
    return Document(json.loads(_CONTRACT.read_text("utf-8")), "")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Document:
    """What this server says of itself."""
    app = create_app(Settings(data_dir=tmp_path_factory.mktemp("unused")))
    answer = asyncio.run(_get(app, "/api/openapi.json"))
    return Document(answer.json(), "/api")


async def _get(app: ASGIApp, path: str) -> httpx.Response:
    """Past the start of the server, which this needs nothing of."""
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://server") as client:
        return await client.get(path)


def test_every_operation_is_served(contract: Document, served: Document) -> None:
    names = {(path, method): one["operationId"] for path, method, one in contract.operations()}
    ours = {(path, method): one.get("operationId") for path, method, one in served.operations()}
    assert {key: ours.get(key) for key in names} == names


def test_each_difference_has_a_reason(contract: Document, served: Document) -> None:
    found = {
        difference
        for path, method, theirs in contract.operations()
        for difference in _of_operation(contract, served, theirs, served.operation(path, method))
    }
    reasons = [_pattern(row) for row in _ROW.findall(_REASONS.read_text("utf-8"))]
    assert [one for one in sorted(found) if not any(reason.fullmatch(one) for reason in reasons)] == []
    # Nor is there a reason for what is no difference any more.
    assert [reason.pattern for reason in reasons if not any(map(reason.fullmatch, found))] == []


def _pattern(row: tuple[str, str]) -> re.Pattern[str]:
    """What a row of the page is about: its `*` stands for anything, and its `|` is written so that it ends no cell."""
    return re.compile(".*".join(map(re.escape, row[0].replace(r"\|", "|").split("*"))))


def test_the_snapshot_is_what_is_served(served: Document) -> None:
    written = json.loads(_SNAPSHOT.read_text("utf-8"))
    assert written == served.document, "run `make openapi` and look at what it changes"


def _of_operation(contract: Document, served: Document, theirs: Json, ours: Json) -> Iterator[str]:
    name = theirs["operationId"]
    parameters = {(one["name"], one["in"]): one["schema"] for one in ours.get("parameters", [])}
    for one in theirs.get("parameters", []):
        key = (one["name"], one["in"])
        if key not in parameters:
            yield f"{name} {one['in']}.{one['name']}: missing"
            continue
        if "schema" not in one:
            yield f"{name} {one['in']}.{one['name']}: JSON in a text"
            continue
        yield from differences(
            contract,
            served,
            one["schema"],
            parameters[key],
            f"{name} {one['in']}.{one['name']}",
            is_request=True,
        )
    for part, is_request in (("requestBody", True), ("responses", False)):
        mine, yours = (_schema(operation, part) for operation in (theirs, ours))
        if mine is not None:
            where = f"{name} {'request' if is_request else 'response'}"
            assert yours is not None, where
            yield from differences(contract, served, mine, yours, where, is_request=is_request)


def _schema(operation: Json, part: str) -> Json | None:
    described: Any = operation.get(part)
    if part == "responses":
        described = described["200"]
    return None if described is None else described["content"]["application/json"]["schema"]
