"""Parts with their revisions: the list, and the page of each."""

import base64
from collections.abc import Iterator
from urllib.parse import quote

import httpx
import pytest

from tests.servers import DEADLINE_S, Server
from tests.web.browser import Browser, Page, logged_in
from tests.web.drawn_charts import drawn
from tests.web.reporting import record, report
from tests.web.v2 import v2_client

SCRIPT = '<script>alert("1")</script>'
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
PART, REVISION = "/parts/P%2F1%3F", "/parts/P%2F1%3F/revisions/R%2F1"


@pytest.fixture(scope="module")
def vic(server: Server) -> Iterator[Browser]:
    """Acme's viewer, logged in."""
    browser = logged_in(server.url, server.world.acme.viewer)
    yield browser
    browser.close()


@pytest.fixture(scope="module")
def tested(server: Server) -> None:
    """Four units of one part, in two revisions and two batches, of which one failed at first."""
    for number, (revision, batch) in enumerate(
        (("R/1", "B/1"), ("R/1", "B/1"), ("R/1", "B/2"), ("R2", "B/2"))
    ):
        body = report(f"OF-PART-{number}", run_passed=number > 0)
        body["unit_under_test"] |= {"part_number": "P/1?", "revision": revision, "batch_number": batch}
        record(server, body)
    with v2_client(server) as client:
        client.patch("/parts/P%2F1%3F", json={"name": "Mainboard", "metadata": {"layers": 4}})


def words(page: Page) -> str:
    return " ".join(page.text.split())


def send_picture(browser: Browser, path: str, picture: bytes, **fields: str) -> Page:
    token = browser.open(path).hidden_fields["form_token"]
    files = {"picture": ("../x.html", picture, "text/html")}
    return Page(browser.http.post(path, data={"form_token": token, **fields}, files=files))


def pictures(page: Page) -> list[str]:
    return [one["src"] for one in page.all("img") if one["src"].startswith("/pictures/")]


@pytest.mark.usefixtures("tested")
def test_parts_are_listed_with_their_yield(ada: Browser):
    page = ada.open("/parts?search=mainboard")
    assert PART in page.links
    assert "P/1? Mainboard A, R/1, R2 4 75.0 % of 4" in words(page)
    assert ada.open("/parts?search=nothing-so").text.count("No part has this in its number") == 1
    assert PART in ada.open("/parts?search=r%2F1&sort=name&order=desc").links


@pytest.mark.usefixtures("tested")
def test_a_part_shows_yields_by_revision_and_batch(ada: Browser):
    page = ada.open(f"{PART}?period=all")
    assert page.status == 200
    bars = drawn(page)
    assert bars["by-revision"] == {"P/1? R/1": pytest.approx(66.67), "P/1? R2": 100}
    assert bars["by-batch"] == {"B/1": 50, "B/2": 100}
    assert {REVISION, "/parts/P%2F1%3F/revisions/R2", "/batches/B%2F1"} <= set(page.links)
    assert [f"/units/OF-PART-{n}" for n in (3, 2, 1, 0)] == [
        link for link in page.links if link.startswith("/units/")
    ]
    for text in ("Mainboard", "layers 4", "3 units", "Revision A default", "75.0 %"):
        assert text in words(page)


@pytest.mark.usefixtures("tested")
def test_the_figures_follow_the_filter_and_the_units_do_not(ada: Browser):
    page = ada.open(f"{PART}?period=all&batch=B%2F2&part=IGNORED")
    assert drawn(page)["by-batch"] == {"B/2": 100}
    assert "/units/OF-PART-0" in page.links
    nothing = ada.open(f"{PART}?until=2001-01-01")
    assert drawn(nothing) == {}
    assert "Nothing was recorded here in this period." in nothing.text


@pytest.mark.usefixtures("tested")
def test_a_revision_shows_its_own(ada: Browser):
    page = ada.open(f"{REVISION}?period=all&revision=R2")
    assert drawn(page) == {
        "by-batch": {"B/1": 50, "B/2": 100},
        "by-procedure": {"Board": pytest.approx(66.67)},
    }
    assert "/units/OF-PART-3" not in page.links
    assert "/units/OF-PART-2" in page.links
    assert PART in page.links
    assert ada.open("/parts/p%2f1%3f/revisions/r%2f1").status == 200
    assert ada.open("/parts/P/1%3F/revisions/R/1").status == 200


def test_units_of_a_part_come_in_pages(server: Server, ada: Browser):
    for number in range(25):
        body = report(f"MANY-{number:02}")
        body["unit_under_test"]["part_number"] = "MANY"
        record(server, body)
    page = ada.open("/parts/MANY?sort=serial_number&order=asc&period=7")
    [link] = [one["href"] for one in page.all("a") if one.get("rel") == "next"]
    assert "period=7" in link
    shown = [one for one in ada.open(link).links if one.startswith("/units/")]
    assert shown == [f"/units/MANY-{number}" for number in range(20, 25)]


@pytest.mark.usefixtures("tested")
def test_a_picture_is_sent_shown_replaced_and_taken_away(server: Server, ada: Browser, gus: Browser):
    page = send_picture(ada, REVISION, PNG)
    assert page.path == REVISION
    [picture] = pictures(page)
    answer = ada.http.get(picture)
    assert (answer.content, answer.headers["content-type"]) == (PNG, "image/png")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert pictures(ada.open(PART)) == [picture]
    assert gus.open(picture).status == 404
    assert httpx.get(f"{server.url}{picture}", timeout=DEADLINE_S).status_code == 303
    [other] = pictures(send_picture(ada, REVISION, b"GIF89a rest"))
    assert other != picture
    token = ada.open(REVISION).hidden_fields["form_token"]
    gone = Page(ada.http.post(REVISION, files={"form_token": (None, token), "remove": (None, "1")}))
    assert (gone.path, pictures(gone)) == (REVISION, [])


@pytest.mark.parametrize(
    ("picture", "status", "told"),
    [
        (
            b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>",
            400,
            "is not a picture that browsers can show",
        ),
        (b"<html>", 400, "is not a picture that browsers can show"),
        (b"", 400, "No file was chosen"),
        (PNG + bytes(10_100_000), 413, "larger than 10000000 bytes"),
    ],
    ids=["svg", "html", "empty", "large"],
)
@pytest.mark.usefixtures("tested")
def test_what_is_no_picture_is_refused(ada: Browser, picture: bytes, status: int, told: str):
    before = pictures(ada.open(REVISION))
    page = send_picture(ada, REVISION, picture)
    assert page.status == status
    assert told in page.text
    assert pictures(ada.open(REVISION)) == before


@pytest.mark.parametrize(
    "content_type",
    ["application/x-www-form-urlencoded", "multipart/form-data", "multipart/form-data; boundary=x"],
    ids=["urlencoded", "no-boundary", "no-parts"],
)
@pytest.mark.usefixtures("tested")
def test_a_form_that_is_none_is_refused(ada: Browser, content_type: str):
    answer = ada.http.post(REVISION, content=b"picture=1", headers={"Content-Type": content_type})
    assert answer.status_code in (400, 403)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"


@pytest.mark.usefixtures("tested")
def test_only_who_manages_may_send_a_picture(ada: Browser, vic: Browser):
    assert "Add a picture" in ada.open(REVISION).text
    assert "picture" not in {field.get("name") for field in vic.open(REVISION).all("input")}
    page = send_picture(vic, REVISION, PNG)
    assert page.status == 403
    assert "Role viewer has no permission to change revisions" in page.text
    files = {"picture": ("x.png", PNG, "image/png")}
    forged = ada.http.post(REVISION, data={"form_token": "forged"}, files=files)
    assert forged.status_code == 403
    assert pictures(ada.open(REVISION)) == []


@pytest.mark.usefixtures("tested")
def test_another_organization_sees_none_of_it(gus: Browser):
    page = gus.open("/parts")
    assert "No parts yet" in page.text
    for path in (PART, REVISION):
        assert gus.open(path).status == 404
    assert send_picture_of_stranger(gus) == 404


def send_picture_of_stranger(gus: Browser) -> int:
    token = gus.open("/parts").hidden_fields["form_token"]
    files = {"picture": ("x.png", PNG, "image/png")}
    return gus.http.post(REVISION, data={"form_token": token}, files=files).status_code


@pytest.mark.parametrize(
    "path",
    [
        "/parts/NONE",
        "/parts/",
        "/parts/%00",
        "/parts/P%2F1%3F/revisions/NONE",
        "/parts/P%2F1%3F/revisions/%00",
        "/parts/NONE/revisions/A",
        "/pictures/x",
        "/pictures/00000000-0000-0000-0000-000000000007",
    ],
)
@pytest.mark.usefixtures("tested")
def test_what_is_unknown_is_a_404_page(ada: Browser, path: str):
    page = ada.open(path)
    assert (page.status, page.answer.headers["content-type"]) == (404, "text/html; charset=utf-8")


@pytest.mark.parametrize(
    "address",
    ["/parts?sort=x", "/parts?cursor=-1", f"{PART}?period=x", f"{PART}?sort=x", f"{REVISION}?station=x"],
    ids=["sort", "cursor", "period", "sort-of-units", "station"],
)
@pytest.mark.usefixtures("tested")
def test_a_malformed_query_is_a_400_page(ada: Browser, address: str):
    assert ada.open(address).status == 400


def test_names_are_text(server: Server, ada: Browser):
    body = report(f"part{SCRIPT}")
    names = {"part_number": SCRIPT, "revision": SCRIPT, "batch_number": SCRIPT}
    body["unit_under_test"] |= names
    record(server, body)
    encoded = quote(SCRIPT, safe="")
    addresses = (f"/parts?search={encoded}", f"/parts/{encoded}", f"/parts/{encoded}/revisions/{encoded}")
    for address in addresses:
        page = ada.open(address)
        assert page.status == 200
        assert SCRIPT in page.text
        assert all(
            one.get("src", "").startswith("/static/") or one.get("type") == "application/json"
            for one in page.all("script")
        )
