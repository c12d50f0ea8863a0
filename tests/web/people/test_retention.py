"""The card of retention among the settings of an organization: what would go, what is asked before, what went."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from runcard.domain.actor import SystemActor
from runcard.domain.floor.retention import Amount
from runcard.store.commit.transaction import SharedTransaction
from runcard.store.engine.tables import retention_log
from runcard.store.files.attachments import Owner
from runcard.store.files.blobs import Blobs
from runcard.store.retention.log import note_removed, note_swept
from tests.conftest import DatabaseKind
from tests.old_runs import attach_at, days_ago, record_at
from tests.servers import Server
from tests.web.browser import Browser, Page

NOW = datetime.now(UTC)
HERE = "/settings/organization"
PREVIEW = f"{HERE}/retention"
EVERYTHING_ELSE = {
    "name": "Acme",
    **dict.fromkeys((f"station_may_create_{one}" for one in ("parts", "units")), "on"),
}


@pytest.fixture(scope="module")
def database_kind() -> DatabaseKind:
    """All that is asked of the store here, other tests ask of both kinds."""
    return "sqlite"


def days(run_days: str, file_days: str = "") -> dict[str, str]:
    return {**EVERYTHING_ELSE, "run_retention_days": run_days, "file_retention_days": file_days}


def given(page: Page, name: str) -> str:
    [field] = [one for one in page.all("input") if one.get("name") == name]
    return field["value"]


def row(page: Page, name: str) -> list[str]:
    [found] = [cells for cells in page.rows if cells and cells[0] == name]
    return found


def kept(server: Server) -> tuple[int | None, int | None]:
    shown = server.runcard("organization", "show", "--organization", server.world.acme.slug)
    return shown["run_retention_days"], shown["file_retention_days"]


@pytest.fixture(scope="module", autouse=True)
def history(server: Server) -> None:
    """Runs of the last 100 days, more than 40 of them, one with a file; nothing is old by the numbers used below."""
    blobs = Blobs.open(None, None, server.data_dir / "attachments")
    actor = server.world.acme.admin.actor

    def apply(tx: SharedTransaction) -> None:
        runs = [record_at(tx, actor, NOW - timedelta(days=age), f"OLD-{age}") for age in range(50, 100)]
        record_at(tx, actor, NOW - timedelta(days=5), "YOUNG")
        attach_at(tx, blobs, actor, NOW - timedelta(days=50), Owner(run_id=runs[0]))

    server.change(apply)


@pytest.fixture(autouse=True)
def for_ever(server: Server) -> Iterator[None]:
    """Nothing is deleted by another test's numbers."""
    yield
    server.runcard(
        "organization",
        "set",
        "--no-run-retention",
        "--no-file-retention",
        "--organization",
        server.world.acme.slug,
    )


def test_what_would_go_is_shown_without_being_saved(server: Server, ada: Browser):
    token = ada.open(HERE).hidden_fields
    page = ada.send(PREVIEW, {**token, **days("70")})
    assert page.status == 200
    assert row(page, "Runs")[1:3] == ["30", "51"]
    assert row(page, "Files")[1:3] == ["0", "1"]
    oldest, newest = (NOW - timedelta(days=age) for age in (99, 70))
    assert f"{oldest:%Y-%m-%d} to {newest:%Y-%m-%d}" in page.text
    assert given(page, "run_retention_days") == "70"
    page = ada.send(PREVIEW, {**token, **days("", "20")})
    assert row(page, "Files")[1:3] == ["1", "1"]
    assert row(page, "Size of files")[1:3] == ["7 B", "7 B"]
    assert "Nothing is that old yet." in ada.send(PREVIEW, {**token, **days("3650")}).text
    assert "Everything is kept for ever." in ada.send(PREVIEW, {**token, **days("")}).text
    assert kept(server) == (None, None)


def test_what_deletes_nothing_is_saved_at_once(server: Server, ada: Browser):
    page = ada.fill(HERE, days("3650", "400"))
    assert page.path == f"{HERE}?saved=true"
    assert (given(page, "run_retention_days"), given(page, "file_retention_days")) == ("3650", "400")
    assert kept(server) == (3650, 400)
    assert ada.fill(HERE, days("")).path == f"{HERE}?saved=true"
    assert kept(server) == (None, None)


def test_what_deletes_something_must_be_confirmed(server: Server, ada: Browser):
    page = ada.fill(HERE, days("70") | {"name": "Acme Ltd"})
    assert page.status == 200
    assert "Nothing is saved yet" in page.text
    assert "30 runs" in page.text
    assert given(page, "run_retention_days") == "70"
    assert given(page, "name") == "Acme Ltd"
    assert kept(server) == (None, None)
    [button] = [one for one in page.all("button") if one.get("name") == "confirmed"]
    # Who confirms other days than those that are filled in by then is asked again.
    asked = ada.send(HERE, {**page.hidden_fields, **days("60"), "confirmed": button["value"]})
    assert "40 runs" in asked.text
    assert kept(server) == (None, None)
    saved = ada.send(HERE, {**page.hidden_fields, **days("70"), "confirmed": button["value"]})
    assert saved.path == f"{HERE}?saved=true"
    assert kept(server) == (70, None)
    # What is not changed is not asked about.
    assert ada.fill(HERE, days("70")).path == f"{HERE}?saved=true"


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("0", "0 is no number of days to keep it; give one from 1 to 18250, or none"),
        ("-5", "'-5' is no number of days; give a whole number, or leave it empty"),
        ("1.5", "'1.5' is no number of days"),
        ("many", "'many' is no number of days"),
        ("٣", "'٣' is no number of days"),
        ("18251", "18251 is no number of days to keep it"),
        ("9" * 300, "is no number of days"),
        ("<script>", "'<script>' is no number of days"),
    ],
    ids=["zero", "negative", "part", "word", "other digits", "long", "huge", "script"],
)
@pytest.mark.parametrize("field", ["run_retention_days", "file_retention_days"])
def test_what_is_no_number_of_days_changes_nothing(
    server: Server, ada: Browser, field: str, value: str, told: str
):
    fields = days("") | {field: value}
    page = ada.fill(HERE, fields)
    assert page.status == 400
    assert told in page.text
    assert given(page, field) == value
    preview = ada.send(PREVIEW, {**page.hidden_fields, **fields})
    assert preview.status == 200
    assert told in preview.text
    assert "<script>" not in preview.answer.text
    assert kept(server) == (None, None)


def test_what_went_is_told(server: Server, ada: Browser, vic: Browser):
    home = server.world.acme.id

    def apply(tx: SharedTransaction) -> None:
        note_removed(tx.of(SystemActor(home, "test")), Amount(1234, 5, 6_700_000))
        note_swept(tx.of(SystemActor(home, "test")))

    server.change(apply)
    for browser in (ada, vic):
        page = browser.open(HERE)
        assert ["1\u2009234", "5", "6.7 MB"] in [cells[1:] for cells in page.rows]
        assert "Last checked for old runs and files at" in page.text
        assert "API calls are kept for 14 days" in page.text


def test_people_are_told_why_nothing_is_deleted(server: Server, ada: Browser, gus: Browser):
    server.runcard(
        "organization", "set", "--run-retention-days", "3650", "--organization", server.world.acme.slug
    )
    assert "A wrong clock" not in ada.open(HERE).text

    def set_back(tx: SharedTransaction) -> None:
        long_ago = {"set_at": days_ago(40), "swept_at": days_ago(35)}
        tx.connection.execute(update(retention_log).values(**long_ago))

    server.change(set_back)
    told = ada.open(HERE).text
    assert f"was on {days_ago(35):%Y-%m-%d}, 35 days before" in told
    assert "runcard retention --clock-is-right" in told
    assert "A wrong clock" not in gus.open(HERE).text
    # Who changes the number of days has seen what goes by this clock.
    server.runcard(
        "organization", "set", "--run-retention-days", "3649", "--organization", server.world.acme.slug
    )
    assert "A wrong clock" not in ada.open(HERE).text


def test_others_neither_see_it_nor_change_it(server: Server, gus: Browser, eve: Browser, vic: Browser):
    page = gus.open(HERE)
    assert "1\u2009234" not in page.text
    shown = gus.send(PREVIEW, {**page.hidden_fields, **days("1")})
    assert "Nothing is that old yet." in shown.text
    for browser in (eve, vic):
        page = browser.open(HERE)
        assert "disabled" in next(one for one in page.all("input") if one.get("name") == "run_retention_days")
        for path in (HERE, PREVIEW):
            assert browser.send(path, {**page.hidden_fields, **days("70")}).status == 403
    assert kept(server) == (None, None)


def test_a_form_needs_its_token(ada: Browser, stranger: Browser):
    for path in (HERE, PREVIEW):
        assert ada.send(path, days("70")).status == 403
        assert stranger.send(path, days("70")).path.startswith("/log-in")


def test_a_unit_says_where_its_runs_have_gone(server: Server, ada: Browser):
    server.change(lambda tx: record_at(tx, server.world.acme.admin.actor, days_ago(400), "GONE"))
    server.runcard(
        "organization", "set", "--run-retention-days", "300", "--organization", server.world.acme.slug
    )
    assert server.runcard("retention", "--at-once", "--organization", server.world.acme.slug)["runs"] == 1
    assert "runs are deleted 300 days after the last one" in ada.open("/units/GONE").text
