"""A run beside the one that it is compared with."""

from typing import Any

import pytest

from tests.conftest import DatabaseKind
from tests.servers import Server
from tests.web.browser import Browser, Page
from tests.web.reporting import measurement, phase, record, report
from tests.web.sheets import csv_of, exports, xlsx_of


@pytest.fixture(scope="module")
def database_kind() -> DatabaseKind:
    """All that is asked of the store here, other tests ask of both kinds."""
    return "sqlite"


def run(
    server: Server,
    serial_number: str,
    minute: int,
    *measurements: dict[str, Any],
    passed: bool = True,
    **fields: Any,
) -> str:
    start = f"2026-05-06T07:{minute:02}:00Z"
    part = fields.pop("part", "PCB-01")
    body = report(
        serial_number, run_passed=passed, started_at=start, phases=[phase("p", *measurements)], **fields
    )
    body["unit_under_test"]["part_number"] = part
    return record(server, body)


def lines(page: Page) -> list[list[str]]:
    return [row for row in page.rows if row[0] != "Measurement"]


def compared_with(page: Page, path: str) -> str:
    """The path of the run that a run is compared with."""
    links = [link for link in page.run_links if link.count("/") == 2 and "#" not in link and "?" not in link]
    return next(link for link in links if link != path)


def test_a_failed_run_stands_beside_the_last_pass_of_its_unit(server: Server, ada: Browser):
    run(server, "CMP-1", 0, measurement("v", 1))
    good = run(
        server,
        "CMP-1",
        1,
        measurement("v", 3.3, units="V", upper_limit=3.4),
        measurement("same", 7),
        measurement("t", "a"),
        measurement("gone", 1),
        measurement("limit", 1, upper_limit=2),
    )
    run(server, "CMP-1", 2, passed=False)
    bad = run(
        server,
        "CMP-1",
        3,
        measurement("v", 3.5, "FAIL", units="V", upper_limit=3.4),
        measurement("same", 7),
        measurement("t", "b"),
        measurement("new", 2, "FAIL"),
        measurement("limit", 1, upper_limit=5),
        passed=False,
    )
    run(server, "CMP-1", 4)
    assert f"{bad}/comparison" in ada.open(bad).links
    page = ada.open(f"{bad}/comparison")
    assert "Compared with the last pass of this unit" in page.text
    assert compared_with(page, bad) == good
    assert lines(page) == [
        ["vp", "3.5VFAIL", "3.3VPASS", "≤ 3.4", "+0.2 V"],
        ["samep", "7PASS", "7PASS", "", ""],
        ["tp", "bPASS", "aPASS", "", "another value"],
        ["newp", "2FAIL", "", "", "only in this run"],
        ["limitp", "1PASS", "1PASS", "≤ 5", "limits were ≤ 2"],
        ["gonep", "", "1PASS", "", "only in the other run"],
    ]
    assert [row[0] for row in lines(ada.open(f"{bad}/comparison?show=different"))] == [
        "vp", "tp", "newp", "limitp", "gonep",
    ]  # fmt: skip
    assert [row[0] for row in lines(ada.open(f"{bad}/comparison?show=outcome"))] == ["vp", "newp", "gonep"]


def test_a_comparison_is_taken_away_whole(server: Server, ada: Browser, vic: Browser, gus: Browser):
    many = [measurement(f"=Größe {at:02}", at / 10, units="V", upper_limit=9) for at in range(60)]
    run(server, "CMP-8", 52, *many, measurement("gone", "a"))
    path = run(server, "CMP-8", 53, *many[:59], measurement(many[59]["name"], 5.8, units="V"))
    xlsx, text = exports(ada, f"{path}/comparison?page=2")
    head, *rows = xlsx_of(ada, xlsx)
    told = [dict(zip(head, row, strict=True)) for row in rows]
    assert [one["Measurement"] for one in told] == [*(one["name"] for one in many), "gone"]
    assert (told[7]["This run: number"], told[7]["Compared with: number"]) == (0.7, 0.7)
    changed, gone = told[59:]
    assert (changed["This run: number"], changed["Compared with: number"]) == (5.8, 5.9)
    assert (changed["This run: limits"], changed["Compared with: limits"]) == (None, "≤ 9")
    assert changed["Difference"] == "-0.1 V; limits were ≤ 9"
    assert gone["This run: outcome"] is None
    assert (gone["Compared with: other value"], gone["Compared with: outcome"]) == ("a", "PASS")
    assert csv_of(ada, text)[1][:4] == ["p", "'=Größe 00", "0.0", ""]
    [differing] = [one for one in exports(ada, f"{path}/comparison?show=different") if ".xlsx" in one]
    assert [row[1] for row in xlsx_of(vic, differing)[1:]] == ["=Größe 59", "gone"]
    assert gus.open(xlsx).status == 404


def test_without_a_pass_of_its_unit_one_of_its_part_is_taken(server: Server, ada: Browser):
    run(server, "CMP-OTHER-PART", 10, part="CMP-P2")
    good = run(server, "CMP-GOOD", 11, part="CMP-P1")
    run(server, "CMP-OTHER-PART", 12, part="CMP-P2")
    bad = run(server, "CMP-BAD", 13, passed=False, part="CMP-P1")
    page = ada.open(f"{bad}/comparison")
    assert "Compared with the last pass of another unit of this part" in page.text
    assert "CMP-GOOD" in page.text
    assert compared_with(page, bad) == good


def test_a_pass_stands_beside_the_run_before_it(server: Server, ada: Browser):
    bad = run(server, "CMP-2", 20, measurement("v", 1, "FAIL"), passed=False)
    good = run(server, "CMP-2", 21, measurement("v", 1))
    page = ada.open(f"{good}/comparison")
    assert compared_with(page, good) == bad
    assert lines(page) == [["vp", "1PASS", "1FAIL", "", "another outcome"]]


def test_where_there_is_nothing_to_compare_with_the_page_says_so(server: Server, ada: Browser):
    first = run(server, "CMP-3", 30, part="CMP-P3")
    assert f"{first}/comparison" not in ada.open(first).links
    assert "This is the first run of this unit" in ada.open(f"{first}/comparison").text
    assert exports(ada, f"{first}/comparison") == []
    assert ada.open(f"{first}/comparison.xlsx").status == 404
    bad = run(server, "CMP-4", 31, part="CMP-P4", passed=False)
    assert "did not pass this procedure before" in ada.open(f"{bad}/comparison").text


def test_many_measurements_come_in_pages(server: Server, ada: Browser):
    many = [measurement(f"m{at}", at) for at in range(120)]
    run(server, "CMP-5", 40, *many)
    path = run(server, "CMP-5", 41, *many)
    first = ada.open(f"{path}/comparison")
    assert len(lines(first)) == 50
    [later] = [one["href"] for one in first.all("a") if one.get("rel") == "next"]
    assert lines(ada.open(later))[0][0] == "m50p"


@pytest.mark.parametrize("query", ["show=none", "page=0", "with=1"])
def test_a_question_that_says_nothing_is_refused(server: Server, ada: Browser, query: str):
    path = run(server, "CMP-6", 50)
    assert ada.open(f"{path}/comparison?{query}").status == 400


def test_a_run_of_another_organization_is_not_there(server: Server, ada: Browser, gus: Browser):
    path = run(server, "CMP-7", 51)
    assert gus.open(f"{path}/comparison").status == 404
    assert ada.open("/runs/nonsense/comparison").status == 404
