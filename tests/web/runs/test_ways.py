"""From a run to the next one and to the one before: of its unit, and of its procedure."""

import pytest

from tests.conftest import DatabaseKind
from tests.servers import Server
from tests.web.browser import Browser, Page
from tests.web.reporting import record, report


@pytest.fixture(scope="module")
def database_kind() -> DatabaseKind:
    """All that is asked of the store here, other tests ask of both kinds."""
    return "sqlite"


def ways(page: Page) -> list[tuple[str, str]]:
    """The links to other runs, as rel and address, in their order."""
    return [(one["rel"], one["href"]) for one in page.all("a") if one.get("rel") in ("prev", "next")]


def test_ways_lead_along_the_runs_of_a_unit_and_of_a_procedure(server: Server, ada: Browser):
    key = server.world.acme.fct.api_key

    def run(serial_number: str, procedure: str, minute: int) -> str:
        start = f"1999-05-06T07:{minute:02}:00Z"
        return record(server, report(serial_number, procedure, started_at=start), key)

    first = run("WAY-A", "FVT2", 0)
    other_unit = run("WAY-B", "FVT2", 1)
    together, again = run("WAY-A", "FVT1", 2), run("WAY-A", "FVT1", 2)
    last = run("WAY-A", "FVT2", 3)
    assert ways(ada.open(first)) == [("next", together), ("next", other_unit)]
    assert ways(ada.open(other_unit)) == [("prev", first), ("next", last)]
    assert ways(ada.open(together))[:2] == [("prev", first), ("next", again)]
    assert ways(ada.open(again))[:2] == [("prev", together), ("next", last)]
    assert ways(ada.open(last)) == [("prev", again), ("prev", other_unit)]
    assert "first run" in ada.open(first).text
    assert "Next run of this unit" in ada.open(first).text
