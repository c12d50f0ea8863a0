"""Merging two units in the browser after a preview, following the old link, and splitting them again."""

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
def right(server: Server) -> str:
    """A unit that failed, of a part that no other test uses."""
    serial = f"RIGHT {uuid4().hex[:8]}"
    _record(server, serial, "2026-05-04T05:06:07Z", passed=False)
    return serial


@pytest.fixture
def wrong(server: Server, right: str) -> str:
    """The same unit, scanned wrongly, when it passed."""
    serial = right.replace("RIGHT", "R1GHT")
    _record(server, serial, "2026-05-04T06:06:07Z", passed=True)
    return serial


def _record(server: Server, serial: str, started_at: str, *, passed: bool, part: str = "") -> None:
    body = report(serial, started_at=started_at, run_passed=passed)
    body["unit_under_test"]["part_number"] = part or f"P-{serial[-8:]}"
    record(server, body)


def merge_page(browser: Browser, serial: str) -> str:
    [url] = [link for link in browser.open(f"/units/{serial}").links if link.startswith("/merge-unit/")]
    return url


def split_page(browser: Browser, serial: str) -> str:
    [url] = [link for link in browser.open(f"/units/{serial}").links if link.startswith("/split-unit/")]
    return url


def said(text: str) -> str:
    return " ".join(text.split())


def test_two_units_become_one_and_two_again(eve: Browser, wrong: str, right: str) -> None:
    url = merge_page(eve, wrong)
    chosen = eve.open(url)
    assert right in chosen.text, "it is suggested, because it looks alike"
    preview = eve.open(f"{url}?into={right.lower()}")
    told = said(preview.text)
    assert "Board1121 of 20 of 1" in told, "the runs of both, and their first runs that passed"
    assert f"Part P-{right[-8:]}50.0 % (1 of 2)0.0 % (0 of 1)" in told
    shown = eve.send(url, {**preview.hidden_fields, "reason": "The scanner read 1 for I"})
    assert shown.path.startswith("/units/RIGHT")
    assert "2 runs" in said(shown.text)
    assert f"{wrong} was merged into it" in said(shown.text)
    assert eve.open(f"/units/{wrong}").path == shown.path

    url = split_page(eve, right)
    back = eve.send(url, {**eve.open(url).hidden_fields, "reason": "Two after all"})
    assert back.path.startswith("/units/R1GHT")
    assert "1 run" in said(back.text)
    assert "split unit" in back.text
    assert eve.open(url).status == 404


def test_later_runs_go_where_the_reader_says(eve: Browser, server: Server, wrong: str, right: str) -> None:
    for later, runs in (("go", "2 runs"), ("stay", "1 run")):
        url = merge_page(eve, wrong)
        preview = eve.open(f"{url}?into={right}")
        eve.send(url, {**preview.hidden_fields, "reason": "x"})
        _record(server, wrong, "2026-05-04T07:06:07Z", passed=True)
        url = split_page(eve, right)
        asked = eve.open(url)
        assert "reported under this serial number" in asked.text
        assert eve.send(url, {**asked.hidden_fields, "later_runs": "x", "reason": "y"}).status == 400
        back = eve.send(url, {**asked.hidden_fields, "later_runs": later, "reason": "y"})
        assert runs in said(back.text)
        for one in back.run_links:
            eve.open(one)
        if later == "go":
            break


def test_units_of_two_parts_need_a_tick(eve: Browser, server: Server, wrong: str, right: str) -> None:
    _record(server, wrong, "2026-05-04T07:06:07Z", passed=True, part=f"OTHER-{right[-8:]}")
    url = merge_page(eve, wrong)
    preview = eve.open(f"{url}?into={right}")
    assert "They are of two parts" in preview.text
    fields = {**preview.hidden_fields, "reason": "x"}
    refused = eve.send(url, fields)
    assert (refused.status, "say with keep_part" in refused.text) == (409, True)
    assert eve.send(url, {**fields, "keep_part": "yes"}).path.startswith("/units/RIGHT")


def test_what_stays_away_is_told(eve: Browser, wrong: str, right: str) -> None:
    page = f"/units/{wrong}"
    eve.send(page, {**eve.open(page).hidden_fields, "sample": "golden", "runs": "stay"})
    preview = eve.open(f"{merge_page(eve, wrong)}?into={right}")
    assert "Classgoldenproduction" in said(preview.text)


@pytest.mark.parametrize(
    ("into", "words"),
    [("nowhere", "nowhere"), ("{wrong}", "cannot be merged into itself")],
)
def test_what_cannot_be_merged_is_said(eve: Browser, wrong: str, into: str, words: str) -> None:
    url = merge_page(eve, wrong)
    shown = eve.open(f"{url}?into={into.format(wrong=wrong)}")
    assert (shown.status, words in shown.text, "Runs and yield" in shown.text) == (200, True, False)


def test_a_merge_needs_a_reason(eve: Browser, wrong: str, right: str) -> None:
    url = merge_page(eve, wrong)
    preview = eve.open(f"{url}?into={right}")
    refused = eve.send(url, {**preview.hidden_fields, "reason": " "})
    assert (refused.status, "Reason is empty" in refused.text) == (400, True)
    assert eve.open(f"/units/{wrong}").status == 200


def test_viewers_merge_and_split_nothing(eve: Browser, vic: Browser, wrong: str, right: str) -> None:
    url = merge_page(eve, wrong)
    assert vic.open(url).status == 403
    assert not [link for link in vic.open(f"/units/{wrong}").links if link.startswith("/merge-unit/")]
    token = vic.open("/profile").hidden_fields
    assert vic.send(url, {**token, "into": right, "reason": "x"}).status == 403
    assert vic.send(url.replace("merge", "split"), {**token, "reason": "x"}).status == 403


def test_another_organization_sees_no_merge(eve: Browser, gus: Browser, wrong: str, right: str) -> None:
    url = merge_page(eve, wrong)
    assert gus.open(url).status == 404
    eve.send(url, {**eve.open(f"{url}?into={right}").hidden_fields, "reason": "x"})
    assert gus.open(split_page(eve, right)).status == 404
