"""The settings of an organization, and what its pattern would read."""

import pytest

from tests.servers import Server
from tests.web.browser import Browser, Page
from tests.web.reporting import record, report

HERE = "/settings/organization"
OPEN = dict.fromkeys((f"station_may_create_{one}" for one in ("parts", "units")), "on")


def given(page: Page, name: str) -> str:
    """What stands in a field of the form."""
    [field] = [one for one in page.all("input") if one.get("name") == name]
    return field["value"]


def test_what_is_set_counts_for_the_next_run(server: Server, gus: Browser):
    board = server.world.globex.board.identifier
    fields = {"name": "Globex Ltd", "serial_number_pattern": "^([A-Z]+)-", "monthly_run_quota": "1000"}
    page = gus.fill(HERE, fields | OPEN)
    assert page.path == f"{HERE}?saved=true"
    assert "Saved." in page.text
    assert given(page, "name") == "Globex Ltd"
    assert given(page, "monthly_run_quota") == "1000"
    shown = server.runcard("organization", "show", "--organization", server.world.globex.slug)
    assert shown["serial_number_pattern"] == "^([A-Z]+)-"
    assert shown["station_may_create_units"] is True
    assert shown["station_may_create_batches"] is False

    body = report("PUMP-1", board)
    del body["unit_under_test"]["part_number"]
    record(server, body, server.world.globex.admin.api_key)
    assert "PUMP-1" in gus.open(HERE).text
    assert "Recorded this month: 1." in gus.open(HERE).text


def test_a_pattern_is_tried_on_real_units_without_being_saved(server: Server, ada: Browser):
    record(server, report("TRY-7"))
    before = given(ada.open(HERE), "serial_number_pattern")
    token = ada.open(HERE).hidden_fields

    def tried(pattern: str) -> Page:
        fields = {"name": "Acme", "serial_number_pattern": pattern, "monthly_run_quota": "9"}
        return ada.send(f"{HERE}/preview", {**token, **fields})

    read = tried("^(?P<part_number>[A-Z]+)-")
    assert read.status == 200
    words = read.text.split()
    assert words[words.index("TRY-7") + 1] == "TRY"
    assert given(read, "monthly_run_quota") == "9"
    assert "nothing" in tried("^[0-9]{9}$").text
    broken = tried("(")
    assert broken.status == 200
    assert "is not RE2 syntax" in broken.text
    assert given(ada.open(HERE), "serial_number_pattern") == before
    assert given(ada.open(HERE), "monthly_run_quota") == ""


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"name": " "}, "Name is empty"),
        ({"name": "x" * 256}, "is no name"),
        ({"serial_number_pattern": "(?=a)"}, "is not RE2 syntax"),
        ({"serial_number_pattern": "a\0"}, "contains a NUL character"),
        ({"monthly_run_quota": "many"}, "is no number of runs"),
        ({"monthly_run_quota": "-1"}, "is no number of runs"),
        ({"monthly_run_quota": "9" * 12}, "is no number of runs"),
    ],
    ids=["blank", "long", "look-around", "nul", "word", "negative", "huge"],
)
def test_what_is_wrong_is_told_and_changes_nothing(
    server: Server, ada: Browser, wrong: dict[str, str], told: str
):
    before = server.runcard("organization", "show", "--organization", server.world.acme.slug)
    page = ada.fill(HERE, {"name": "Acme", "monthly_run_quota": ""} | OPEN | wrong)
    assert page.status == 400
    assert told in page.text
    assert server.runcard("organization", "show", "--organization", server.world.acme.slug) == before


def test_only_admins_change_it(eve: Browser, vic: Browser):
    for browser in (eve, vic):
        page = browser.open(HERE)
        assert given(page, "name") == "Acme"
        assert "Admins change these settings." in page.text
        for path in (HERE, f"{HERE}/preview"):
            assert browser.send(path, {**page.hidden_fields, "name": "Mine"}).status == 403
    assert given(eve.open(HERE), "name") == "Acme"


def test_a_form_needs_its_token(ada: Browser, stranger: Browser):
    assert ada.send(HERE, {"name": "Evil"}).status == 403
    assert stranger.send(HERE, {"name": "Evil"}).path.startswith("/log-in")
    assert stranger.open(HERE).path == "/log-in?next=%2Fsettings%2Forganization"


def test_a_query_that_says_nothing_is_named(ada: Browser):
    page = ada.open(f"{HERE}?saved=perhaps")
    assert page.status == 400
    assert "saved: " in page.text


def test_the_settings_begin_with_the_organization(ada: Browser):
    assert ada.open("/settings").path == HERE


def test_serial_numbers_are_text(server: Server, ada: Browser):
    serial = "<script>alert(1)</script>"
    record(server, report(serial))
    fields = {"name": "Acme", "serial_number_pattern": "<.*>"}
    page = ada.send(f"{HERE}/preview", {**ada.open(HERE).hidden_fields, **fields})
    assert page.text.count(serial) == 2
    assert serial not in page.answer.text
