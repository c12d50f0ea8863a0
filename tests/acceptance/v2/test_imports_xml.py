"""XML report files of each format come through the door, and their runs read back."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from tofupilot.v2 import TofuPilot

from tests.acceptance.conftest import Unchanged
from tests.acceptance.v2.importing import QUARANTINE, uploaded, wire_imported
from tests.conftest import DatabaseKind
from tests.importers.golden import CASES

Fresh = Callable[[str], str]

# A file of each format, the serial number in it, and what to look for in its first run.
FILES: dict[str, tuple[str, str, str]] = {
    "JUNIT": ("junit/board.xml", "PCB01-0001", "Board functional"),
    "ROBOT": ("robot/board_7.xml", "SN9", "Board"),
    "TESTSTAND": ("teststand/board.xml", "PCB01-0002", "Board"),
    "ATML": ("atml/board_6.xml", "PCB01-0003", "Board functional"),
}


@pytest.fixture(scope="module")
def database_kind() -> DatabaseKind:
    """All that is asked of the store here, other tests ask of both kinds."""
    return "sqlite"


@pytest.mark.parametrize("importer", list(FILES))
def test_a_file_becomes_runs(user: TofuPilot, wire: httpx.Client, fresh: Fresh, importer: str) -> None:
    name, serial_number, procedure = FILES[importer]
    own = fresh("SN")
    content = (CASES / name).read_bytes()
    assert serial_number.encode() in content
    result = wire_imported(
        wire, uploaded(user, content.replace(serial_number.encode(), own.encode())), importer
    )
    assert result["success"], result
    run: dict[str, Any] = user.runs.get(id=result["id"]).model_dump()
    assert (run["unit"]["serial_number"], run["procedure"]["name"]) == (own, procedure)
    assert run["phases"]
    again = wire_imported(
        wire, uploaded(user, content.replace(serial_number.encode(), own.encode())), importer
    )
    assert (again["id"], again["already_imported"]) == (result["id"], True)


@pytest.mark.parametrize("importer", list(FILES))
def test_half_a_file_leaves_nothing(
    user: TofuPilot, wire: httpx.Client, importer: str, unchanged: Unchanged
) -> None:
    content = (CASES / FILES[importer][0]).read_bytes()
    upload_id = uploaded(user, content[: len(content) // 2])
    with unchanged(but=QUARANTINE):
        result = wire_imported(wire, upload_id, importer)
    assert (result["success"], "cannot be read as XML" in result["error"]) == (False, True), result
