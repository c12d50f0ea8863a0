"""Each door says which runs by the conditions of one filter, and refuses a condition that it does not know."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import msgspec
import pytest
from typer.testing import CliRunner

from runcard.cli.main import app
from runcard.domain.errors import InvalidInput
from runcard.edge.requests.run_filters import RunFilterQuery
from runcard.notebook import Notebook
from runcard.store.lists.run_filter import RunFilter
from tests.conftest import DatabaseKind
from tests.servers import Server
from tests.web.browser import logged_in

# A query that names each condition; a text that its type can be read from.
_TEXTS = {
    "outcomes": "FAIL",
    "environments": "production",
    "samples": "golden",
    "voided": "true",
    "corrected": "true",
    "duration_min": "PT1S",
    "duration_max": "PT2S",
    "metadata": '{"line": {"in": ["A"]}}',
}


@pytest.fixture(scope="module")
def database_kind() -> DatabaseKind:
    """Refused before the store is asked."""
    return "sqlite"


def _text_of(name: str) -> str:
    if name.endswith(("_after", "_before")):
        return "2026-03-01T12:00:00+02:00"
    return _TEXTS.get(name) or str(uuid4())


def test_each_condition_of_a_query_is_one_of_the_filter_by_the_same_name() -> None:
    assert set(RunFilterQuery.__struct_fields__) == set(RunFilter.__struct_fields__)
    kinds = {field.name: field.type for field in msgspec.structs.fields(RunFilterQuery)}
    for name, kind in kinds.items():
        text = _text_of(name)
        value: Any = msgspec.convert([text] if "list" in str(kind) else text, kind, strict=False)
        said = RunFilterQuery(**{name: value}).run_filter()
        assert [one for one in RunFilter.__struct_fields__ if getattr(said, one)] == [name]
    assert RunFilterQuery(duration_min="PT1S").run_filter().duration_min == timedelta(seconds=1)


def test_what_is_wrong_with_several_bounds_is_told_at_once() -> None:
    with pytest.raises(InvalidInput) as raised:
        RunFilterQuery(duration_min="P1M", duration_max="soon").run_filter()
    assert [issue.path for issue in raised.value.issues] == [("duration_min",), ("duration_max",)]


@pytest.mark.parametrize("door", ["v2/runs", "v2/measurements", "export/runs"])
def test_each_door_tells_what_is_wrong_with_several_bounds_at_once(
    server: Server, admin: httpx.Client, door: str
) -> None:
    procedure = {"procedure_id": str(server.world.acme.board.id)} if door == "v2/measurements" else {}
    bounds = {"duration_min": "P1M", "duration_max": "soon"}
    answer = admin.get(f"{server.url}/api/{door}", params={**procedure, **bounds})
    assert answer.status_code == 400
    assert [issue["path"] for issue in answer.json()["issues"]] == [["duration_min"], ["duration_max"]]


@pytest.mark.parametrize(
    "door", ["analytics/yield", "analytics/throughput", "export/runs", "export/measurements"]
)
def test_a_misspelt_condition_is_refused(server: Server, admin: httpx.Client, door: str) -> None:
    answer = admin.get(f"{server.url}/api/{door}", params={"serial_number": "SN-1"})
    assert answer.status_code == 400
    (issue,) = answer.json()["issues"]
    assert issue["path"] == ["serial_number"]
    assert "serial_numbers" in issue["message"]


@pytest.mark.parametrize("kind", ["runs", "phases", "measurements", "logs"])
def test_a_door_of_the_contract_tells_of_a_misspelt_condition(
    server: Server, admin: httpx.Client, kind: str
) -> None:
    procedure = (
        {"procedure_id": str(server.world.acme.board.id)} if kind in ("phases", "measurements") else {}
    )
    answer = admin.get(f"{server.url}/api/v2/{kind}", params={**procedure, "serial_number": "SN-1"})
    assert answer.status_code == 200
    assert answer.headers["runcard-ignored"] == "serial_number"


def test_a_page_refuses_a_misspelt_condition(server: Server) -> None:
    ada = logged_in(server.url, server.world.acme.admin)
    for path in ("/", "/runs", "/runs.csv", "/units"):
        page = ada.open(f"{path}?serial_number=SN-1")
        assert (page.status, "serial_number: unknown parameter" in page.text) == (400, True), path
    ada.close()


def test_the_command_line_refuses_a_misspelt_condition() -> None:
    done = CliRunner().invoke(app, ["export", "runs", "--serial-numbers", "SN-1"])
    assert done.exit_code == 2
    assert "No such option" in done.output


def test_a_notebook_refuses_a_misspelt_condition(server: Server) -> None:
    with (
        Notebook(server.data_dir, organization=server.world.acme.slug) as notebook,
        pytest.raises(InvalidInput) as raised,
    ):
        notebook.throughput(serial_number=["SN-1"])  # type: ignore[call-arg]
    assert raised.value.issues[0].path == ("serial_number",)
