"""Correcting runs and units in the browser, and following what they were called before."""

from uuid import uuid4

import pytest

from tests.conftest import DatabaseKind
from tests.servers import Server
from tests.web.browser import Browser
from tests.web.reporting import record, report


@pytest.fixture(scope="module")
def database_kind() -> DatabaseKind:
    """All that is asked of the store here, other tests ask of both kinds."""
    return "sqlite"


@pytest.fixture
def serial() -> str:
    return f"WRONG-{uuid4().hex[:8]}"


@pytest.fixture
def run(server: Server, serial: str) -> str:
    return record(server, report(serial, started_at="2026-05-04T05:06:07.250000Z"))


def correct_page(browser: Browser, run: str) -> str:
    [url] = [link for link in browser.open(run).links if link.endswith("/correct")]
    return url


def unit_page(browser: Browser, serial: str) -> str:
    [url] = [link for link in browser.open(f"/units/{serial}").links if link.startswith("/correct/")]
    return url


def test_a_run_says_what_is_true_and_what_was_reported(eve: Browser, run: str, serial: str) -> None:
    right = f"{serial}-右"
    url = correct_page(eve, run)
    shown = eve.fill(url, {"serial_number": right, "operator": "Łukasz", "reason": "Wrong scan"})
    assert (shown.status, shown.path) == (200, run)
    assert f"The report said: serial number {serial}, operator nothing" in " ".join(shown.text.split())
    assert "corrected a run of unit" in shown.text
    listed = eve.open(f"/runs?serial={right}")
    assert f"reported as {serial}" in listed.text
    assert run in eve.open("/runs?corrected=yes").run_links
    assert run not in eve.open(f"/runs?corrected=no&search={serial}").run_links
    exported = eve.http.get(f"/runs.csv?serial={right}&columns=reported_as")
    assert f"serial number {serial}, operator none" in exported.text

    back = eve.send(f"{run}/uncorrect", eve.open(run).hidden_fields)
    assert (back.path, "The report said" in back.text) == (run, False)
    assert eve.open(f"/runs?serial={serial}").run_links.count(run) == 1


def test_only_what_was_changed_is_corrected(eve: Browser, run: str, serial: str) -> None:
    """What somebody else corrected meanwhile stays, and the parts of a second of the start too."""
    url = correct_page(eve, run)
    stale = eve.open(url).hidden_fields
    assert eve.fill(url, {"operator": "Ana", "reason": "x"}).path == run
    shown = eve.send(
        url,
        {
            **stale,
            **{name.removeprefix("was."): value for name, value in stale.items() if name.startswith("was.")},
            "batch_number": "B-7",
            "reason": "x",
        },
    )
    said = " ".join(shown.text.split())
    assert "operator nothing" in said
    assert "batch number nothing" in said
    assert "started at" not in said
    assert "Ana" in said


def test_the_start_is_read_by_the_clock_of_the_reader(eve: Browser, run: str) -> None:
    url = correct_page(eve, run)
    assert eve.fill(url, {"started_at": "2026-05-03T01:02:03", "reason": "Clock was a day late"}).path == run
    shown = eve.open(run)
    assert "started 2026-05-03 01:02:03" in " ".join(shown.text.split())
    refused = eve.fill(url, {"started_at": "tomorrow", "reason": "x"})
    assert (refused.status, "is no moment" in refused.text) == (400, True)


@pytest.mark.parametrize(
    ("fields", "status", "said"),
    [
        ({"reason": "x"}, 400, "Nothing is corrected"),
        ({"serial_number": "", "reason": "x"}, 400, "serial_number is empty"),
        ({"operator": "Ana"}, 400, "Reason is empty"),
        ({"operator": "Ana", "reason": "x" * 501}, 400, "Reason has 501 characters"),
        ({"part_number": "NO-SUCH-PART", "reason": "x"}, 404, "NO-SUCH-PART"),
        ({"procedure": str(uuid4()), "reason": "x"}, 404, "Procedure"),
    ],
    ids=["nothing", "empty", "no reason", "long reason", "no part", "no procedure"],
)
def test_what_is_wrong_is_said_and_kept(
    eve: Browser, run: str, fields: dict[str, str], status: int, said: str
) -> None:
    refused = eve.fill(correct_page(eve, run), fields)
    assert (refused.status, said in refused.text) == (status, True), refused.text
    kept = {field.get("name"): field.get("value") for field in refused.all("input")}
    assert kept["reason"] == fields.get("reason", "")
    assert "The report said" not in eve.open(run).text


def test_an_old_serial_number_leads_to_the_unit(eve: Browser, vic: Browser, run: str, serial: str) -> None:
    right = f"R-{serial}"
    url = unit_page(eve, serial)
    fields = {"serial_number": right, "leads_on": "yes", "reason": "The label was wrong"}
    shown = eve.fill(url, fields)
    assert (shown.status, shown.path) == (200, f"/units/{right}")
    assert vic.open(f"/units/{serial.lower()}").path == f"/units/{right}"
    assert f"Formerly{serial}" in "".join(shown.text.split())
    listed = eve.open(f"/units?search={serial}")
    assert f"formerly {serial}" in listed.text
    assert eve.open(f"/search?q={serial}").path == f"/units/{right}"

    gone = eve.send(f"{url}/let-go", {**eve.open(url).hidden_fields, "reason": "It is another's"})
    assert gone.path == f"/units/{right}"
    assert vic.open(f"/units/{serial}").status == 404
    again = eve.send(
        f"{url}/let-go", {**eve.open(url).hidden_fields, "former": serial, "reason": "It is another's"}
    )
    assert (again.status, "does not lead to this unit" in again.text) == (400, True)


def test_a_taken_serial_number_is_refused(eve: Browser, server: Server, run: str, serial: str) -> None:
    taken = f"T-{serial}"
    record(server, report(taken))
    refused = eve.fill(unit_page(eve, serial), {"serial_number": taken, "reason": "x"})
    assert (refused.status, "already exists" in refused.text) == (409, True)
    assert eve.open(f"/units/{serial}").path == f"/units/{serial}"


def test_whoever_may_not_correct_is_refused_and_offered_nothing(
    eve: Browser, vic: Browser, gus: Browser, run: str, serial: str
) -> None:
    run_form, unit_form = correct_page(eve, run), unit_page(eve, serial)
    for path in (run, f"/units/{serial}"):
        assert not any("correct" in link for link in vic.open(path).links)
    fields = {**vic.open(run).hidden_fields, "operator": "X", "reason": "x"}
    foreign = {**gus.open("/runs").hidden_fields, "operator": "X", "reason": "x"}
    for path in (run_form, unit_form):
        assert vic.open(path).status == 403
        assert vic.send(path, fields).status == 403
        assert gus.open(path).status == 404
        assert gus.send(path, foreign).status == 404
    for path in (f"{run}/uncorrect", f"{unit_form}/let-go"):
        assert vic.send(path, fields).status == 403
        assert gus.send(path, foreign).status == 404
    assert eve.send(run_form, {"operator": "X", "reason": "x"}).status == 403, "no token"
    assert eve.open("/runs/nothing/correct").status == 404
    assert eve.open("/correct/nothing").status == 404
