"""Changing a part in the browser: its number and name, and whether it is in use."""

from uuid import uuid4

import pytest

from tests.servers import Server
from tests.web.browser import Browser, Page
from tests.web.reporting import record, report


def run_of(server: Server, number: str, serial: str) -> str:
    """Record a run of a unit of this part; the run's path."""
    body = report(serial)
    body["unit_under_test"] |= {"part_number": number, "revision": "A"}
    return record(server, body)


def change_path(browser: Browser, number: str) -> str:
    [path] = [link for link in browser.open(f"/parts/{number}").links if link.startswith("/change/part/")]
    return path


def send(browser: Browser, path: str, **fields: str) -> Page:
    token = browser.open("/parts").hidden_fields["form_token"]
    return browser.send(path, {"form_token": token, **fields})


@pytest.fixture
def number(server: Server) -> str:
    """The number of a part with one unit."""
    mark = uuid4().hex[:8]
    run_of(server, f"OLD-{mark}", f"SN-{mark}")
    return f"OLD-{mark}"


def test_an_old_number_leads_on(server: Server, eve: Browser, number: str):
    new = number.replace("OLD", "NEW/4")
    form = eve.open(change_path(eve, number))
    assert form.status == 200
    assert {"number", "name", "reason"} <= {one["name"] for one in form.all("input") if "name" in one}
    shown = send(eve, change_path(eve, number), number=new, name="Mainboard", reason="One spelling for all")
    assert shown.path == f"/parts/{new.replace('/', '%2F')}"
    assert f"Formerly {number}" in " ".join(shown.text.split())
    assert "One spelling for all" in shown.text
    # Pages, lists, filters and reports by the old number.
    assert eve.open(f"/parts/{number.lower()}?period=all").path == f"{shown.path}?period=all"
    assert eve.open(f"/parts/{number}/revisions/A").path == f"{shown.path}/revisions/A"
    assert f"formerly {number}" in eve.open(f"/parts?search={number}").text
    run_of(server, number.lower(), f"AGAIN-{number}")
    for path, links in ((f"/units?part={number}", "/units/"), (f"/runs?period=all&part={number}", "/runs/0")):
        found = {link for link in eve.open(path).links if link.startswith(links)}
        assert len(found) == 2, path
    assert eve.open(f"/search?q={number}").path.startswith(shown.path)
    assert send(eve, change_path(eve, number), number=number, name="Mainboard", reason="back").path == (
        f"/parts/{number}"
    )
    assert eve.open(shown.path).path == f"/parts/{number}"


def test_it_is_archived_and_brought_back(server: Server, eve: Browser, number: str):
    change = change_path(eve, number)
    shown = send(eve, f"{change}/archive", archived="yes")
    assert "archived since" in " ".join(shown.text.split())
    assert f"/parts/{number}" not in eve.open(f"/parts?search={number}").links
    assert f"/parts/{number}" in eve.open(f"/parts?search={number}&state=archived").links
    assert f'value="{number}"' not in eve.open("/").answer.text
    assert eve.open(run_of(server, number, f"LATE-{number}")).status == 200
    send(eve, f"{change}/archive", archived="no")
    assert f"/parts/{number}" in eve.open(f"/parts?search={number}").links


@pytest.mark.parametrize(
    ("fields", "status", "said"),
    [
        ({"number": " "}, 400, "Number is empty; give 1 to 255 characters"),
        ({"name": ""}, 400, "Name is empty; give 1 to 255 characters"),
        ({"number": "x" * 256}, 400, "number has 256 characters; use at most 255"),
        ({"name": "a\0b"}, 400, "name contains a NUL character"),
        ({"reason": " "}, 400, "Reason is empty"),
        ({"reason": "x" * 501}, 400, "Reason has 501 characters"),
        ({"number": "{taken}"}, 409, "Part {taken} already exists"),
        ({"number": "{former}"}, 409, "was that of part {taken}, and still finds it"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_changed(
    server: Server, eve: Browser, number: str, fields: dict[str, str], status: int, said: str
):
    taken, former = f"T-{uuid4().hex[:8]}", f"F-{uuid4().hex[:8]}"
    run_of(server, former, f"SN-{former}")
    assert send(eve, change_path(eve, former), number=taken, name="N", reason="why").status == 200
    given = {"number": number, "name": "Mainboard", "reason": "why", **fields}
    filled = {name: text.format(taken=taken, former=former) for name, text in given.items()}
    refused = send(eve, change_path(eve, number), **filled)
    assert refused.status == status
    assert said.format(taken=taken, former=former) in refused.text
    assert "Mainboard" not in eve.open(f"/parts/{number}").text


def test_viewers_and_other_organizations_change_nothing(
    eve: Browser, vic: Browser, gus: Browser, number: str
):
    path = change_path(eve, number)
    assert path not in vic.open(f"/parts/{number}").links
    for browser, status in ((vic, 403), (gus, 404)):
        assert browser.open(path).status == status
        token = browser.open("/runs").hidden_fields["form_token"]
        for end, fields in (
            ("", {"number": "X", "name": "X", "reason": "why"}),
            ("/archive", {"archived": "yes"}),
        ):
            assert browser.send(f"{path}{end}", {"form_token": token, **fields}).status == status
    for missing in ("no-id", str(uuid4())):
        assert eve.open(f"/change/part/{missing}").status == 404
    assert eve.open(f"/parts/{number}").status == 200
