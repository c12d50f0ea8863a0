"""Voiding, deleting and undoing both in the browser; the bin and its tombstones."""

from uuid import uuid4

import pytest

from tests.conftest import DatabaseKind
from tests.servers import Server
from tests.web.browser import Browser, Page
from tests.web.reporting import record, report
from tests.web.v2 import v2_client


@pytest.fixture(scope="module")
def database_kind() -> DatabaseKind:
    """All that is asked of the store here, other tests ask of both kinds."""
    return "sqlite"


@pytest.fixture
def serial() -> str:
    return f"BIN-{uuid4().hex[:8]}"


@pytest.fixture
def path(server: Server, serial: str) -> str:
    """The page of a run that failed, the first of its unit; a second passed."""
    first = record(server, report(serial, run_passed=False, started_at="2026-05-04T05:06:07Z"))
    record(server, report(serial, started_at="2026-05-04T05:07:07Z"))
    return first


def send(browser: Browser, page: Page, action: str, **fields: str) -> Page:
    """Send the form of a page that leads to an address."""
    assert action in [form.get("action") for form in page.all("form")], action
    return browser.send(action, {"form_token": page.hidden_fields["form_token"], **fields})


def test_a_run_is_voided_and_counts_again(eve: Browser, path: str, serial: str) -> None:
    voided = send(eve, eve.open(path), f"{path}/void", reason="Lid <open>")
    assert (voided.path, voided.status) == (path, 200)
    assert "by Eve: Lid <open>. No figure counts this run." in voided.text
    assert f"{path}/void" not in [form.get("action") for form in voided.all("form")]
    assert "voided" in eve.open(f"/runs?serial={serial}").text
    unit = eve.open(f"/units/{serial}")
    assert "Attempt 1 voided" in unit.text
    assert "Attempt 2" in unit.text
    assert "voided a run of unit" in voided.text
    back = send(eve, voided, f"{path}/unvoid")
    assert "No figure counts this run" not in back.text
    assert "let a run of unit" in back.text


def test_pages_say_how_many_voided_runs_their_figures_leave_out(
    server: Server, eve: Browser, path: str, serial: str
) -> None:
    procedure = f"/procedures/{server.world.acme.board.id}"
    pages = ["/?period=all", f"{procedure}?period=all", "/parts/PCB-01?period=all", "/procedures?period=all"]
    before = {url: eve.open(url).text.count("leave out") for url in pages}
    send(eve, eve.open(path), f"{path}/void", reason="Wrong fixture")
    for url in pages:
        page = eve.open(url)
        assert "The figures on this page leave out" in page.text, url
        assert "/runs?voided=yes" in page.links
    only = eve.open("/runs?period=all&voided=yes")
    assert path in only.run_links
    assert path not in eve.open(f"/runs?serial={serial}&voided=no").run_links
    assert set(before.values()) <= {0, 1}


@pytest.mark.parametrize("reason", ["", "  ", "x" * 501])
def test_a_void_needs_a_reason(eve: Browser, path: str, reason: str) -> None:
    refused = send(eve, eve.open(path), f"{path}/void", reason=reason)
    assert refused.status == 400
    assert "Reason" in refused.text
    assert "No figure counts" not in eve.open(path).text


def test_a_deleted_run_is_found_in_the_bin_and_restored(ada: Browser, path: str, serial: str) -> None:
    run_id = path.removeprefix("/runs/")
    gone = send(ada, ada.open(path), f"/delete/run/{run_id}", reason="Not one of ours")
    assert (gone.path, gone.status) == (f"/bin/{run_id}?done=deleted", 200)
    assert "You deleted this run." in gone.text
    assert "(reason: Not one of ours)" in gone.text
    assert ada.open(path).path == f"/bin/{run_id}", "an old link leads to what is left"
    unit = ada.open(f"/units/{serial}")
    assert "Attempt 1 deleted" in unit.text
    assert "a run that was deleted" in unit.text
    assert "Attempt 2" in unit.text
    listed = ada.open(f"/bin?search={serial}")
    assert f"/bin/{run_id}" in listed.links
    back = send(ada, listed, f"/bin/{run_id}/restore")
    assert (back.path, back.status) == (path, 200)
    assert ada.open(f"/bin/{run_id}").status == 404


def test_what_is_removed_for_good_leaves_a_tombstone(ada: Browser, path: str, serial: str) -> None:
    run_id = path.removeprefix("/runs/")
    gone = send(ada, ada.open(path), f"/delete/run/{run_id}")
    done = send(ada, gone, f"/bin/{run_id}/purge", reason="For privacy")
    assert (done.path, done.status) == (f"/bin/{run_id}", 200)
    assert "Its content is gone for good" in done.text
    assert f"/bin/{run_id}" not in ada.open(f"/bin?search={serial}").links
    assert "Attempt 1 deleted" in ada.open(f"/units/{serial}").text
    assert f"/bin/{run_id}/restore" not in [form.get("action") for form in done.all("form")]


def test_units_batches_and_files_go_to_the_bin_too(
    server: Server, ada: Browser, path: str, serial: str
) -> None:
    with v2_client(server, server.world.acme.admin.api_key) as client:
        unit_id = client.get(f"/units/{serial}").json()["id"]
        batch_id = client.post("/batches", json={"number": f"LOT-{serial}"}).json()["id"]
    for here, noun, thing_id in (
        (f"/batches/LOT-{serial}", "batch", batch_id),
        (f"/units/{serial}", "unit", unit_id),
    ):
        gone = send(ada, ada.open(here), f"/delete/{noun}/{thing_id}")
        assert (gone.path, gone.status) == (f"/bin/{thing_id}?done=deleted", 200)
        assert ada.open(here).status == 404
        back = send(ada, gone, f"/bin/{thing_id}/restore")
        assert (back.path, back.status) == (here, 200)
    assert ada.open(path).path == path


def test_who_may(server: Server, ada: Browser, eve: Browser, vic: Browser, gus: Browser, path: str) -> None:
    run_id = path.removeprefix("/runs/")
    delete, void = f"/delete/run/{run_id}", f"{path}/void"
    offered = {
        who: {form.get("action") for form in browser.open(path).all("form")} & {delete, void}
        for who, browser in (("ada", ada), ("eve", eve), ("vic", vic))
    }
    assert offered == {"ada": {delete, void}, "eve": {void}, "vic": set()}
    for browser, action, status in (
        (eve, delete, 403),
        (vic, delete, 403),
        (vic, void, 403),
        (gus, delete, 404),
        (gus, void, 404),
    ):
        token = browser.open("/runs").hidden_fields["form_token"]
        assert browser.send(action, {"form_token": token, "reason": "x"}).status == status
        assert browser.send(action, {"form_token": "made-up", "reason": "x"}).status == 403
    assert ada.open(path).status == 200
    assert vic.open("/bin").status == 403
    send(ada, ada.open(path), delete)
    assert gus.open(f"/bin/{run_id}").status == 404
    token = gus.open("/runs").hidden_fields["form_token"]
    assert gus.send(f"/bin/{run_id}/restore", {"form_token": token}).status == 404
    token = eve.open("/runs").hidden_fields["form_token"]
    assert eve.send(f"/bin/{run_id}/purge", {"form_token": token}).status == 403
    assert eve.send(f"/bin/{run_id}/restore", {"form_token": token}).path == path


def test_nothing_else_is_deleted(ada: Browser) -> None:
    token = ada.open("/runs").hidden_fields["form_token"]
    assert ada.send(f"/delete/organization/{uuid4()}", {"form_token": token}).status in {400, 404, 422}
    for noun in ("run", "unit", "batch", "attachment", "repair"):
        for thing_id in (str(uuid4()), "x"):
            assert ada.send(f"/delete/{noun}/{thing_id}", {"form_token": token}).status == 404
    assert ada.open("/bin/x").status == 404
