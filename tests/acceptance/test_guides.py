"""What the guides show to a newcomer works on a fresh server, word by word."""

import re
import shlex
from pathlib import Path

import httpx
import pytest

from tests.acceptance.environments import current_environment
from tests.acceptance.wire import runs_of
from tests.conftest import DatabaseKind
from tests.servers import Server

ROOT = Path(__file__).parents[2]
UNIT = "PCB01-0001"


@pytest.fixture(scope="module")
def database_kind() -> DatabaseKind:
    """It makes no difference here."""
    return "sqlite"


def section(paper: str, title: str) -> str:
    text = (ROOT / paper).read_text("utf-8")
    found = re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    assert found, title
    return found[1]


def python_of(paper: str, title: str) -> str:
    """The first program of a section."""
    found = re.search(r"^```python\n(.*?)^```", section(paper, title), re.MULTILINE | re.DOTALL)
    assert found, title
    return found[1]


def command_of(paper: str, title: str) -> list[str]:
    """The first command of a section."""
    found = re.search(r"^    (.+)$", section(paper, title), re.MULTILINE)
    assert found, title
    return shlex.split(found[1])


def station_of(server: Server, folder: Path) -> dict[str, str]:
    """The variables of a station that has FVT1."""
    return {
        "HOME": str(folder),
        "TOFUPILOT_URL": server.url,
        "TOFUPILOT_API_KEY": server.world.acme.ict.api_key,
        "RUNCARD_URL": server.url,
        "RUNCARD_API_KEY": server.world.acme.ict.api_key,
        "RUNCARD_SPOOL": str(folder / "spool.sqlite3"),
    }


def test_the_openhtf_guide(server: Server, admin: httpx.Client, tmp_path: Path):
    program = python_of("docs/guide/openhtf.md", "A test").replace(UNIT, "OPENHTF-1")
    said = current_environment().run(tmp_path, "-c", program, variables=station_of(server, tmp_path))
    assert "deprecated" not in said.lower()
    [run] = runs_of(admin, "OPENHTF-1")
    assert (run["outcome"], run["unit"]["part"]["number"]) == ("PASS", "PCB01")
    [measurement] = run["phases"][-1]["measurements"]
    assert (measurement["name"], measurement["value"]) == ("supply_voltage", 3.3)


def test_the_pytest_guide(server: Server, admin: httpx.Client, tmp_path: Path):
    (tmp_path / "test_board.py").write_text(python_of("docs/guide/client.md", "pytest"))
    pytest_, *options = command_of("docs/guide/client.md", "pytest")
    assert pytest_ == "pytest"
    variables = station_of(server, tmp_path)
    said = current_environment().run(
        tmp_path, "-m", "pytest", "-p", "no:cacheprovider", *options, variables=variables
    )
    assert "1 passed" in said
    [run] = runs_of(admin, UNIT)
    assert (run["outcome"], run["unit"]["part"]["number"]) == ("PASS", "PCB01")


def test_the_curl_command_of_the_readme(server: Server, admin: httpx.Client):
    shown = section("README.md", "Report a run")
    found = re.search(
        r"^    curl http://127.0.0.1:8000(\S+) .*-d '\n(.*?)'$", shown, re.MULTILINE | re.DOTALL
    )
    assert found
    path, body = found[1], found[2].replace(UNIT, "CURL-1")
    answer = admin.post(f"{server.url}{path}", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 200, answer.text
    assert path == "/api/v1/runs"
    assert len(runs_of(admin, "CURL-1")) == 1
