"""The list of units."""

from urllib.parse import quote

import pytest

from runcard.web.frame.urls import unit_url
from tests.servers import Server
from tests.web.browser import Browser, Page
from tests.web.reporting import record, report
from tests.web.v2 import v2_client

SCRIPT = '<script>alert("1")</script>'


def listed(page: Page) -> list[str]:
    """The units of the list, in its order, by their addresses."""
    return [link.removeprefix("/units/") for link in page.links if link.startswith("/units/LIST-")]


def part_body(serial_number: str, part: str, **unit: str) -> dict[str, object]:
    body = report(serial_number, run_passed=serial_number != "LIST-B")
    body["unit_under_test"] |= {"part_number": part, **unit}
    return body


@pytest.fixture(scope="module")
def units(server: Server) -> None:
    """Three units: of two parts, one of a batch, one golden."""
    record(server, part_body("LIST-B", "LIST/PART", revision="7", batch_number="LIST-1"))
    record(server, part_body("LIST-A", "LIST/PART", revision="8"))
    record(server, part_body("LIST-C", "ALSO"))
    with v2_client(server) as client:
        client.patch("/units/LIST-C", json={"sample": "golden"})


@pytest.mark.usefixtures("units")
def test_the_newest_stand_first_with_their_last_run(ada: Browser):
    page = ada.open("/units?search=list-")
    assert listed(page) == ["LIST-C", "LIST-A", "LIST-B"]
    assert page.outcomes == ["PASS", "PASS", "FAIL"]
    assert len(page.run_links) == 3
    for text in ("LIST/PART", "rev 7", "LIST-1", "golden", "Board"):
        assert text in page.text


@pytest.mark.usefixtures("units")
@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("part=list%2Fpart", ["LIST-A", "LIST-B"]),
        ("part=list%2Fpart&revision=8", ["LIST-A"]),
        ("batch=LIST-1", ["LIST-B"]),
        ("sample=golden&search=LIST", ["LIST-C"]),
        ("sample=production&search=LIST", ["LIST-A", "LIST-B"]),
        ("sample=failing&search=LIST", []),
        ("search=LIST-&sort=serial_number&order=asc", ["LIST-A", "LIST-B", "LIST-C"]),
        ("search=LIST-&sort=part_number&order=asc", ["LIST-C", "LIST-B", "LIST-A"]),
        ("search=LIST-&period=today", ["LIST-C", "LIST-A", "LIST-B"]),
        ("search=LIST-&until=2001-01-01", []),
        ("search=%25", []),
    ],
    ids=[
        "part",
        "revision",
        "batch",
        "golden",
        "production",
        "failing",
        "by-serial",
        "by-part",
        "today",
        "long-ago",
        "percent",
    ],
)
def test_filters_and_orders_stand_in_the_address(ada: Browser, query: str, found: list[str]):
    page = ada.open(f"/units?{query}")
    assert page.status == 200
    assert listed(page) == found


@pytest.mark.usefixtures("units")
def test_a_heading_sorts_and_turns_the_order_around(ada: Browser):
    page = ada.open("/units?search=LIST-")
    [link] = [link for link in page.links if "sort=serial_number" in link]
    rising = ada.open(link)
    assert listed(rising) == ["LIST-A", "LIST-B", "LIST-C"]
    assert [one["aria-sort"] for one in rising.all("th") if "aria-sort" in one] == ["ascending"]
    [link] = [link for link in rising.links if link.startswith("/units?") and "sort=serial_number" in link]
    assert listed(ada.open(link)) == ["LIST-C", "LIST-B", "LIST-A"]


def test_pages_neither_lose_nor_repeat_a_unit(server: Server, ada: Browser):
    for number in range(120):
        record(server, part_body(f"LIST-P{number:03}", "PAGED"))
    first = ada.open("/units?part=PAGED")
    # A unit that comes meanwhile moves nothing.
    record(server, part_body("LIST-P999", "PAGED"))
    pages = [first]
    while links := following(pages[-1], "next"):
        pages.append(ada.open(links[0]))
    assert [listed(page) for page in pages] == [
        [f"LIST-P{number:03}" for number in range(top, bottom, -1)]
        for top, bottom in ((119, 69), (69, 19), (19, -1))
    ]
    assert "101–120" in pages[2].text
    [back] = following(pages[2], "prev")
    assert listed(ada.open(back)) == listed(pages[1])
    [back] = following(pages[1], "prev")
    assert listed(ada.open(back))[0] == "LIST-P999"


def following(page: Page, relation: str) -> list[str]:
    return [link["href"] for link in page.all("a") if link.get("rel") == relation]


@pytest.mark.usefixtures("units")
def test_another_organization_sees_none_of_it(gus: Browser):
    page = gus.open("/units")
    assert listed(page) == []
    assert "No units yet" in page.text
    assert "LIST/PART" not in page.answer.text


@pytest.mark.parametrize(
    "serial",
    ["A/B/../C", "/", "ä ?#&%25+", "a\\b", "x/", "..hidden", "'\"", ".", ".."],
    ids=["dots", "slash", "signs", "backslash", "slash-at-end", "hidden", "quotes", "dot", "two-dots"],
)
def test_a_link_leads_to_a_unit_of_any_name(server: Server, ada: Browser, serial: str):
    record(server, report(serial))
    address = unit_url(serial)
    page = ada.open(f"/units?search={quote(serial)}")
    assert address in page.links
    [title] = [text for text in ada.open(address).text.split("\n") if text.endswith(" · Runcard")]
    assert title.strip() == f"{serial} · Runcard"


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("sort=colour", "sort"),
        ("order=up", "order"),
        ("cursor=-1", "cursor"),
        ("cursor=x", "cursor"),
        ("sample=blue", "sample"),
        ("search=%00", "search"),
        ("since=2026-05-05&until=2026-05-04", "since"),
    ],
    ids=["sort", "order", "cursor", "no-number", "sample", "search", "since"],
)
def test_a_malformed_query_is_named(ada: Browser, query: str, named: str):
    page = ada.open(f"/units?{query}")
    assert page.status == 400
    assert f"{named}: " in page.text


def test_names_are_text(server: Server, ada: Browser):
    record(server, part_body(SCRIPT, SCRIPT, revision=SCRIPT, batch_number=SCRIPT))
    page = ada.open(f"/units?search={quote(SCRIPT)}")
    assert page.text.count(SCRIPT) == 4
    assert all(one.get("src", "").startswith("/static/") for one in page.all("script"))
