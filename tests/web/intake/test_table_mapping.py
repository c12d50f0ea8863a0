"""The page that maps the columns of a table: what it proposes, what it shows of the runs, and what it records."""

import io
import re
from collections.abc import Sequence
from uuid import uuid4

import openpyxl
import pytest

from tests.servers import Server
from tests.web.browser import Browser, Page

TITLES = ["Seriennummer", "Datum", "Ergebnis", "Verstärkung [dB]", "Bediener", "Raum"]


def serials(count: int) -> list[str]:
    return [f"SN-{uuid4().hex[:10].upper()}" for _ in range(count)]


def rows_of(units: Sequence[str]) -> list[list[str]]:
    return [
        [
            serial,
            f"2026-02-0{1 + at} 08:00",
            "n.i.O." if at == 1 else "i.O.",
            f"26,{at}",
            "Jörg Müller",
            "2.14",
        ]
        for at, serial in enumerate(units)
    ]


def as_csv(rows: Sequence[Sequence[str]]) -> bytes:
    return "\n".join(";".join(row) for row in [TITLES, *rows]).encode()


def as_xlsx(rows: Sequence[Sequence[str]]) -> bytes:
    book, content = openpyxl.Workbook(), io.BytesIO()
    for row in [TITLES, *rows]:
        book.active.append(row)
    book.save(content)
    return content.getvalue()


def bring(browser: Browser, name: str, content: bytes) -> str:
    """The page that maps the columns of a file that was just sent."""
    fields = browser.open("/imports").hidden_fields
    sent = Page(browser.http.post("/imports", data=fields, files=[("files", (name, content, "text/csv"))]))
    [url] = [link for link in sent.links if link.endswith("/mapping")]
    return url


def post(browser: Browser, url: str, fields: dict[str, str], to: str = "") -> Page:
    token = browser.open(url).hidden_fields
    return Page(browser.http.post(f"{url}{to}", data=token | fields))


def filled(server: Server, **changes: str) -> dict[str, str]:
    """What the form proposes, with what it cannot know."""
    fields = {
        "runs": "row",
        "procedure": str(server.world.acme.board.id),
        "serial_number_column": "Seriennummer",
        "outcome_column": "Ergebnis",
        "started_at_column": "Datum",
        "ended_at_column": "Datum",
        "part_number_value": "PCB01",
        "passing": "i.O.",
        "failing": "n.i.O.",
        "measured_3": "yes",
        "name_3": "Verstärkung",
        "uom_3": "dB",
        "lower_3": "25,5",
        "upper_3": "26.15",
    }
    return {name: text for name, text in (fields | changes).items() if text}


def inputs(page: Page) -> dict[str, str]:
    return {one["name"]: one.get("value", "") for one in page.all("input")}


def chosen(page: Page) -> dict[str, str]:
    """The value of each select that something is chosen in."""
    found, name = {}, ""
    for element in page.elements:
        if element.tag == "select":
            name = element.attributes["name"]
        if element.tag == "option" and "selected" in element.attributes:
            found[name] = element.attributes["value"]
    return found


def runs_shown(page: Page) -> list[str]:
    """What the preview tells of each run."""
    found = re.search(r"<ol[^>]* data-runs>(.*?)</ol>", page.answer.text, re.DOTALL)
    return [] if found is None else re.findall(r"<li>(.*?)</li>", found[1], re.DOTALL)


def test_what_columns_seem_to_be_is_proposed_and_shown_as_runs(ada: Browser) -> None:
    units = serials(3)
    page = ada.open(bring(ada, "alt.csv", as_csv(rows_of(units))))
    assert page.status == 200
    assert chosen(page) == {
        "runs": "row",
        "serial_number_column": "Seriennummer",
        "outcome_column": "Ergebnis",
        "started_at_column": "Datum",
        "ended_at_column": "Datum",
        "operated_by_column": "Bediener",
    }
    assert inputs(page)["passing"] == "i.O."
    assert inputs(page)["failing"] == "n.i.O."
    assert (inputs(page)["name_3"], inputs(page)["uom_3"]) == ("Verstärkung", "dB")
    shown = runs_shown(page)
    assert len(shown) == len(units)
    assert all(serial in run for serial, run in zip(units, shown, strict=True))
    assert ["PASS" in run for run in shown] == [True, False, True]
    assert "Verstärkung 26.1 dB" in shown[1]


@pytest.mark.parametrize("make", [as_csv, as_xlsx], ids=["csv", "xlsx"])
def test_a_table_is_imported_and_its_mapping_kept_as_a_template(ada: Browser, server: Server, make) -> None:
    units, name = serials(3), f"Old tester {make.__name__}"
    url = bring(ada, f"{name}.csv", make(rows_of(units)))
    done = post(ada, url, filled(server, template_name=name, noted_5="yes"))
    assert done.path.startswith("/imports/")
    assert "3 runs" in done.text
    run = ada.open(f"/units/{units[1]}").text
    assert "FAIL" in run
    # The next file of that kind needs no mapping any more.
    more = serials(2)
    page = ada.open("/imports")
    [template] = re.findall(rf'<option value="(template:[^"]+)">{name}<', page.answer.text)
    fields = page.hidden_fields | {"read_as": template, "procedure": str(server.world.acme.board.id)}
    sent = {"files": ("next.csv", make(rows_of(more)), "text/csv")}
    told = Page(ada.http.post("/imports", data=fields, files=sent))
    assert "2 runs" in told.text
    # Its name is taken now.
    again = bring(ada, "third.csv", make(rows_of(serials(1))))
    refused = post(ada, again, filled(server, template_name=name.upper()))
    assert refused.status == 409
    assert name.upper() in refused.text


def test_what_is_missing_is_told_and_what_was_filled_in_stays(ada: Browser, server: Server) -> None:
    url = bring(ada, "alt.csv", as_csv(rows_of(serials(2))))
    wrong = filled(server, serial_number_column="", lower_3="low", procedure="", failing="")
    shown = post(ada, url, wrong, "/preview")
    assert shown.status == 200
    assert "Serial number: choose its column, or give a fixed value" in shown.text
    assert "limit 'low' is no number" in shown.text
    assert inputs(shown)["lower_3"] == "low"
    refused = post(ada, url, filled(server, procedure=""))
    assert refused.status == 400
    assert "Procedure: choose the procedure of the runs" in refused.text
    unknown = post(ada, url, filled(server, failing=""), "/preview")
    assert "row 3, column 'Ergebnis': 'n.i.O.' is none of PASS" in unknown.text
    left_out = post(ada, url, filled(server, failing="", skip_bad_rows="true"), "/preview")
    assert len(runs_shown(left_out)) == 1
    assert "Left out: row 3" in left_out.text


def test_a_template_is_kept_only_of_what_was_imported(ada: Browser, server: Server) -> None:
    url = bring(ada, "alt.csv", as_csv(rows_of(serials(1))))
    refused = post(ada, url, filled(server, template_name="Not yet", part_number_value=""))
    assert refused.status == 400
    assert "Not yet" not in ada.open("/imports").text
    assert post(ada, url, filled(server, template_name="Not yet")).path.startswith("/imports/")
    assert "Not yet" in ada.open("/imports").text


def test_a_file_that_is_no_table_says_so(ada: Browser) -> None:
    page = ada.open(bring(ada, "empty.csv", b"\n\n"))
    assert page.status == 200
    assert "no rows" in page.text


def test_only_who_may_retry_a_file_may_map_it(ada: Browser, vic: Browser, gus: Browser) -> None:
    url = bring(ada, "alt.csv", as_csv(rows_of(serials(1))))
    assert vic.open(url).status == 403
    assert gus.open(url).status == 404
    assert post(ada, url, {"runs": "moon"}).status == 400
    assert ada.open(url.replace("/mapping", "x/mapping")).status == 404
