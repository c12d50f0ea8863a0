"""Repairs on the page of their unit."""

from collections.abc import Iterator
from urllib.parse import quote

import httpx
import pytest

from tests.conftest import DatabaseKind
from tests.repairing import import_reports, repair_of
from tests.servers import Server
from tests.web.browser import Browser, Page
from tests.web.reporting import record, report
from tests.web.units.test_unit import SCRIPT, words
from tests.web.v2 import v2_client


@pytest.fixture(scope="module")
def database_kind() -> DatabaseKind:
    """All that is asked of the store here, other tests ask of both kinds."""
    return "sqlite"


@pytest.fixture(scope="module")
def engineer(server: Server) -> Iterator[httpx.Client]:
    with v2_client(server) as client:
        yield client


def cards(page: Page) -> list[str]:
    """The ids of the cards, in order."""
    return [one["id"] for one in page.all("article")]


def test_what_was_repaired_is_told(server: Server, ada: Browser, engineer: httpx.Client):
    record(server, report("MENDED", "FVT1", run_passed=False, started_at="2026-01-01T00:00:00Z"))
    run = record(server, report("MENDED", "FVT1", run_passed=False, started_at="2026-01-02T00:00:00Z"))
    engineer.patch(f"{run}/metadata", json={"metadata": {"report_id": "abc"}})
    record(server, report("PSU-NEW"))
    units = [
        *repair_of("MENDED")["subUnits"],
        {"sn": "PSU-OLD", "idx": 1, "failures": [{"code": "Shorted", "artNumber": "C-10U", "artRev": "B"}]},
        {"sn": "PSU-NEW", "pn": "PSU", "rev": "C", "idx": 2, "replacedIdx": 1},
    ]
    uur = {"user": "Robin", "comment": "Soldered anew", "processName": "Burn-in", "refUUT": "ABC"}
    said = repair_of("MENDED", uur=uur, subUnits=units, machineName="Bench 7")
    said["miscInfos"] = [{"description": "Symptom", "text": "No 3.3 V"}]
    import_reports(engineer, said)
    page = ada.open("/units/MENDED")
    [anchor] = cards(page)
    shown = words(page)
    for text in (
        "Repair PASS",
        "Repaired by Robin",
        "Station Bench 7",
        "Failed in Burn-in",
        "Comment Soldered anew",
        "Symptom No 3.3 V",
        "PSU-NEW PSU rev C replaced PSU-OLD",
        "Repaired: Repair: Soldering / Cold joint at R12, Shorted PASS Robin",
    ):
        assert text in shown
    assert ["Soldering / Cold joint", "R12", "", "this unit", "Rail 3.3 V", ""] in page.rows
    assert ["Shorted", "", "C-10U rev B", "PSU-OLD", "", ""] in page.rows
    assert "/units/PSU-NEW" in page.links
    assert "/units/PSU-OLD" not in page.links, "nobody has recorded it"
    assert f"/units/MENDED#{anchor}" in page.links
    # Among the attempts, on the time line, and as what failed.
    assert page.run_links.count(run) == 3


def test_a_repair_stands_where_it_happened(server: Server, ada: Browser, engineer: httpx.Client):
    record(server, report("BETWEEN", run_passed=False, started_at="2026-01-01T00:00:00Z"))
    record(server, report("BETWEEN", started_at="2026-03-01T00:00:00Z"))
    import_reports(engineer, repair_of("BETWEEN"))
    activity = words(ada.open("/units/BETWEEN"))
    activity = activity[activity.index("Timeline") :]
    places = [activity.index(one) for one in ("attempt 2 PASS", "Repaired: Repair", "attempt 1 FAIL")]
    assert places == sorted(places)


def test_many_repairs_come_in_pages(ada: Browser, engineer: httpx.Client):
    days = [f"2026-03-{day:02}T00:00:00Z" for day in range(1, 26)]
    import_reports(engineer, *(repair_of("OFTEN", startUTC=day) for day in days))
    page = ada.open("/units/OFTEN")
    first = cards(page)
    assert "Older repairs are not shown here" in words(page)
    found = list(first)
    while later := [link for link in page.links if "repairs=" in link and link not in page.path]:
        page = ada.open(later[-1])
        if cards(page)[0] in found:
            break
        found += cards(page)
    assert len(found) == len(set(found)) == 25
    # Whichever page of cards is shown, the time line has the newest ones, and leads to where they are.
    assert [link for link in page.links if link.endswith(f"#{first[0]}")] == [f"/units/OFTEN#{first[0]}"]


def test_a_unit_that_was_never_repaired_says_nothing_of_it(server: Server, ada: Browser):
    record(server, report("SOUND"))
    assert "Repairs" not in ada.open("/units/SOUND").text


@pytest.mark.parametrize("cursor", ["x", "-1", str(1 << 53)])
def test_a_malformed_page_is_a_400_page(server: Server, ada: Browser, cursor: str):
    record(server, report("ODD-PAGE"))
    assert ada.open(f"/units/ODD-PAGE?repairs={cursor}").status == 400


def test_a_page_beyond_the_last_leads_back(ada: Browser, engineer: httpx.Client):
    import_reports(engineer, repair_of("ONCE"))
    page = ada.open("/units/ONCE?repairs=10")
    assert "There are no more repairs of this unit." in page.text
    assert "/units/ONCE#repairs" in page.links


def test_all_that_a_repair_says_is_text(ada: Browser, engineer: httpx.Client):
    names = (
        *("code", "category", "comment", "comRef", "funcBlock", "refStepName"),
        *("artNumber", "artRev", "artVendor", "artDescription"),
    )
    failure = dict.fromkeys(names, SCRIPT)
    serial = f"mended{SCRIPT}"
    units = [
        {"sn": serial, "idx": 0, "failures": [failure]},
        {"sn": SCRIPT, "pn": SCRIPT, "rev": SCRIPT, "partType": SCRIPT, "idx": 1},
        {"sn": SCRIPT, "idx": 2, "replacedIdx": 1, "failures": [failure]},
    ]
    said = {"user": SCRIPT, "comment": SCRIPT, "processName": SCRIPT}
    header = {"processName": SCRIPT, "machineName": SCRIPT, "location": SCRIPT}
    import_reports(engineer, repair_of(serial, uur=said, subUnits=units, **header))
    page = ada.open(f"/units/{quote(serial, safe='')}")
    assert page.status == 200
    assert page.text.count(SCRIPT) >= 25
    assert all(one.get("src", "").startswith("/static/") for one in page.all("script"))


def test_nobody_else_sees_a_repair(ada: Browser, gus: Browser, engineer: httpx.Client):
    import_reports(engineer, repair_of("HIDDEN"))
    assert ada.open("/units/HIDDEN").status == 200
    assert gus.open("/units/HIDDEN").status == 404
