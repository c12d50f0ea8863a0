"""Merging a part into another in the browser, and taking that back."""

import time
from typing import NamedTuple
from uuid import uuid4

import pytest

from tests.servers import DEADLINE_S, Server
from tests.web.browser import Browser, Page
from tests.web.reporting import record, report


class Two(NamedTuple):
    """Two parts, the addresses of their forms, and the units of each."""

    old: str
    new: str
    change_old: str
    change_new: str
    units: dict[str, list[str]]


def run_of(server: Server, number: str, serial: str, revision: str = "A", *, passed: bool = True) -> str:
    body = report(serial, run_passed=passed)
    body["unit_under_test"] |= {"part_number": number, "revision": revision}
    return record(server, body)


def change_path(browser: Browser, number: str) -> str:
    [path] = [link for link in browser.open(f"/parts/{number}").links if link.startswith("/change/part/")]
    return path


def send(browser: Browser, path: str, **fields: str) -> Page:
    token = browser.open("/parts").hidden_fields["form_token"]
    return browser.send(path, {"form_token": token, **fields})


def until_moved(browser: Browser, number: str) -> Page:
    ends = time.monotonic() + DEADLINE_S
    while 'id="merging"' in (page := browser.open(f"/parts/{number}")).answer.text:
        assert time.monotonic() < ends
    return page


def units_of(browser: Browser, number: str) -> set[str]:
    return {link for link in browser.open(f"/units?part={number}").links if link.startswith("/units/")}


@pytest.fixture
def two(server: Server, eve: Browser) -> Two:
    mark = uuid4().hex[:8]
    old, new = f"PCB1-{mark}", f"PCB-1-{mark}"
    units = {number: [f"{number}-{each}" for each in range(3)] for number in (old, new)}
    for number, serials in units.items():
        for each, serial in enumerate(serials):
            run_of(server, number, serial, "AB"[each % 2] if number == old else "A", passed=each > 0)
    return Two(old, new, change_path(eve, old), change_path(eve, new), units)


def test_it_is_shown_before_and_done_then(server: Server, eve: Browser, two: Two):
    assert f"{two.change_old}/merge" in eve.open(two.change_old).links
    shown = eve.open(f"{two.change_old}/merge?into={two.new.lower()}")
    assert [row[1:] for row in shown.rows[1:]] == [
        ["3", "3", "3", "66.7 %"],
        ["3", "3", "3", "66.7 %"],
        ["6", "6", "6", "66.7 %"],
    ]
    words = " ".join(shown.text.split())
    assert "This revision becomes one with that of the same number: A." in words
    assert f"{two.new} gets this revision: B." in words

    merged = send(eve, f"{two.change_old}/merge", into=two.new, reason="Two spellings")
    assert merged.path == f"/parts/{two.new}"
    page = until_moved(eve, two.new)
    assert f"Formerly {two.old}" in " ".join(page.text.split())
    every = {f"/units/{serial}" for serials in two.units.values() for serial in serials}
    assert units_of(eve, two.new) == units_of(eve, two.old) == every
    for number in (two.old, two.new):
        assert len(eve.open(f"/runs?period=all&part={number}").run_links) == 6
    # What named it leads on, and nothing else shows it.
    assert eve.open(f"/parts/{two.old}").path == f"/parts/{two.new}"
    assert eve.open(f"/parts/{two.old}/revisions/B").path == f"/parts/{two.new}/revisions/B"
    assert eve.open(two.change_old).path == two.change_old
    listed = eve.open(f"/parts?search={two.old}")
    assert f"/parts/{two.new}" in listed.links
    assert f"/parts/{two.old}" not in listed.links
    assert f'value="{two.old}"' not in eve.open("/").answer.text
    assert eve.open(f"/search?q={two.old}").path.startswith(f"/parts/{two.new}")
    # A unit leaves an entry, but did not move.
    unit = eve.open(f"/units/{two.units[two.old][1]}").text
    assert "follow its part, which was merged or split" in unit
    assert "re-linked" not in unit.lower()
    history = " ".join(eve.open(f"/trail?thing={two.change_old.rpartition('/')[2]}").text.split())
    assert f"merged part {two.old} into another" in history
    assert "Two spellings" in history


def test_it_is_taken_back(server: Server, eve: Browser, two: Two):
    send(eve, f"{two.change_old}/merge", into=two.new, reason="Two spellings")
    until_moved(eve, two.new)
    run_of(server, two.old, f"LATER-{two.old}")
    told = eve.open(two.change_new)
    words = " ".join(told.text.split())
    assert "It gets back 3 units and 3 runs, with their revisions." in words
    assert (
        f"What {two.new} got since the merge stays there, whichever of the two was named: 1 unit and 1 run."
        in words
    )
    source = told.hidden_fields["source"]
    split = send(eve, f"{two.change_new}/split", source=source, reason="Two parts after all")
    assert split.path == f"/parts/{two.new}"
    page = until_moved(eve, two.old)
    assert "took back the merge of part" in page.text
    assert "Two parts after all" in page.text
    assert units_of(eve, two.old) == {f"/units/{serial}" for serial in two.units[two.old]}
    assert len(units_of(eve, two.new)) == 4
    assert eve.open(f"/parts/{two.old}/revisions/B").path == f"/parts/{two.old}/revisions/B"
    assert send(eve, f"{two.change_new}/split", source=source, reason="again").status == 409


def test_what_is_wrong_is_said_and_nothing_is_merged(eve: Browser, vic: Browser, gus: Browser, two: Two):
    path = f"{two.change_old}/merge"
    for browser, fields, status in (
        (vic, {"into": two.new, "reason": "why"}, 403),
        (gus, {"into": two.new, "reason": "why"}, 404),
        (eve, {"into": two.old, "reason": "why"}, 409),
        (eve, {"into": two.new, "reason": " "}, 400),
        (eve, {"into": two.new, "reason": "x" * 501}, 400),
        (eve, {"into": "no such part", "reason": "why"}, 404),
        (eve, {"into": "a\0b", "reason": "why"}, 404),
        (eve, {"reason": "why"}, 404),
    ):
        token = browser.open("/runs").hidden_fields["form_token"]
        assert browser.send(path, {"form_token": token, **fields}).status == status
    for browser, status in ((vic, 403), (gus, 404)):
        assert browser.open(f"{path}?into={two.new}").status == status
        token = browser.open("/runs").hidden_fields["form_token"]
        sent = browser.send(
            f"{two.change_new}/split", {"form_token": token, "source": str(uuid4()), "reason": "w"}
        )
        assert sent.status == status
    assert eve.open(f"{path}?into=nowhere").status == 404
    assert "What would happen" not in eve.open(path).text
    assert eve.open(f"/parts/{two.old}").path == f"/parts/{two.old}"
