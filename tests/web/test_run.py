"""The page of one run."""

from datetime import UTC, datetime
from uuid import UUID

import httpx
import pytest

from tests.servers import DEADLINE_S, Server
from tests.web.browser import Browser
from tests.web.reporting import measurement, phase, record, report

NAN, INF = float("nan"), float("inf")
SCRIPT = '<script>alert("1")</script>'


def attach(server: Server, path: str, name: str, content: bytes) -> None:
    with server.client(server.world.acme.fct.api_key) as client:
        slot = client.post("/uploads/initialize", json={"name": name}).json()
        httpx.put(slot["uploadUrl"], content=content, timeout=DEADLINE_S).raise_for_status()
        link = {"upload_id": slot["id"], "run_id": path.removeprefix("/runs/")}
        client.post("/uploads/sync", json=link).raise_for_status()


def test_the_header_says_what_was_tested(server: Server, ada: Browser):
    record(server, report("CHILD-1"))
    body = report(
        "PARENT",
        started_at="2026-03-04T05:06:07Z",
        duration="PT1H2M",
        procedure_version="1.2.3",
        operated_by=server.world.acme.engineer.email,
        docstring="After rework",
        sub_units=[{"serial_number": "CHILD-1"}],
    )
    body["unit_under_test"] |= {"revision": "C", "batch_number": "B-77"}
    page = ada.open(record(server, body))
    assert (page.status, page.outcomes) == (200, ["PASS"])
    for text in ("PARENT", "PCB-01", "C", "B-77", "1.2.3", "ICT-1", "Eve", "After rework", "CHILD-1"):
        assert text in page.text
    assert "Board (FVT1)" in page.text
    assert "2026-03-04 05:06:07, took 1 h 2 min" in page.text


def test_a_run_that_a_user_sent_names_them(server: Server, ada: Browser):
    page = ada.open(record(server, report("BY-HAND"), server.world.acme.engineer.api_key))
    assert "Recorded by" in page.text
    assert "<dt>Station</dt>" not in page.answer.text


def test_phases_stand_in_their_order_with_retries(server: Server, ada: Browser):
    body = report(
        "PHASES",
        run_passed=False,
        phases=[
            phase("zeta", outcome="FAIL"),
            phase("alpha", outcome="SKIP"),
            phase("zeta", outcome="ERROR"),
        ],
    )
    page = ada.open(record(server, body))
    assert page.outcomes == ["FAIL", "FAIL", "SKIP", "ERROR"]
    phases = page.text[page.text.rindex("Phases") :]
    assert phases.index("zeta") < phases.index("alpha") < phases.index("retry 1")
    assert "retry 2" not in phases
    assert "1.5 s" in phases
    assert "#phase-1" in page.links
    assert "#phase-3" in page.links


@pytest.mark.parametrize(
    ("fields", "texts"),
    [
        ({"value": 3.3, "units": "V", "lower_limit": 3, "upper_limit": 3.5}, ["3.3", "V", "3 … 3.5"]),
        ({"value": 4, "lower_limit": 5, "outcome": "FAIL"}, ["≥ 5", "x >= 5 FAIL"]),
        ({"value": 1, "upper_limit": 2.5}, ["≤ 2.5"]),
        ({"value": 3.3, "validators": ["3.1 <= x <= 3.5"]}, ["3.1 … 3.5", "3.1 <= x <= 3.5 PASS"]),
        ({"value": 9, "validators": ["3.1 <= x <= 3.5"], "outcome": "FAIL"}, ["3.1 <= x <= 3.5 FAIL"]),
        ({"value": 5.1, "validators": ["0 <= Marginal:1 <= x <= Marginal:5 <= 6"]}, ["marginal FAIL"]),
        ({"value": NAN}, ["nan"]),
        ({"value": -INF}, ["-inf"]),
        ({"value": True}, ["true"]),
        ({"value": "v2.4.0"}, ["v2.4.0"]),
        ({"value": None, "outcome": "UNSET"}, ["–"]),
        ({"value": 123456789012345678901234567890}, ["123456789012345678901234567890"]),
        ({"value": 5.0}, ["5"]),
        ({"value": [1, "two", NAN]}, ['[1, "two", "nan"]']),
        ({"value": {"flags": ["ready"] * 9, "größe": 1}}, ['{\n  "flags": [\n    "ready"', '"größe": 1']),
        ({"value": "line 1\nline 2"}, ["line 1\nline 2"]),
        ({"value": 1, "docstring": "At 1 kHz"}, ["At 1 kHz"]),
    ],
)
def test_a_measurement_is_shown_as_it_was_sent(server: Server, ada: Browser, fields, texts):
    page = ada.open(record(server, report("VALUES", phases=[phase("p", measurement("m", **fields))])))
    table = page.text[page.text.index("Measurement") : page.text.rindex("Logs")]
    for text in texts:
        assert text in table
    assert page.outcomes[-1] == fields.get("outcome", "PASS")


def test_a_series_is_a_line_and_a_table_of_its_first_rows(server: Server, ada: Browser):
    rows = [[hz, -hz / 10] for hz in range(30)]
    rows[10][1] = NAN
    sweep = measurement("sweep", rows, units=["Hz", "dB"], lower_limit=-2)
    page = ada.open(record(server, report("SERIES", phases=[phase("p", sweep)])))
    lines = [line["points"].split() for line in page.all("polyline")]
    assert [len(points) for points in lines] == [10, 19]
    [plot] = page.all("svg")
    assert plot["aria-label"] == "sweep: column 2 (dB) against column 1 (Hz)"
    assert len(page.all("line")) == 1
    assert "First 20 of 30 rows" in page.text
    cells = page.text[page.text.index("First 20") :].split()
    assert "nan" in cells
    assert "-1.9" in cells
    assert "-2" not in cells


def test_logs_stand_with_level_and_place(server: Server, ada: Browser):
    line = {"timestamp": "2026-01-02T03:04:05.678Z", "source_file": "ict.py", "line_number": 12}
    logs = [{**line, "level": "DEBUG", "message": "first"}, {**line, "level": "ERROR", "message": "a\n  b"}]
    page = ada.open(record(server, report("LOGS", logs=logs)))
    assert [one["data-level"] for one in page.all("li") if "data-level" in one] == ["DEBUG", "ERROR"]
    for text in ("03:04:05.678", "first", "a\n  b", "ict.py:12"):
        assert text in page.text


def test_attachments_can_be_got(server: Server, ada: Browser):
    path = record(server, report("FILES"))
    attach(server, path, "wave form ü.csv", b"1,2\n" * 500)
    page = ada.open(path)
    assert "wave form ü.csv" in page.text
    assert "2 kB" in page.text
    [link] = [link for link in page.links if "/files/download/" in link]
    assert httpx.get(link, timeout=DEADLINE_S).content == b"1,2\n" * 500


def test_what_only_v2_says_stands_with_the_rest(server: Server, ada: Browser):
    headers = {"Authorization": f"Bearer {server.world.acme.ict.api_key}"}
    body = {
        "outcome": "PASS",
        "procedure_id": str(server.world.acme.board.id),
        "serial_number": "SN-V2",
        "part_number": "PCB-01",
        "started_at": "2026-01-01T00:00:00Z",
        "ended_at": "2026-01-01T00:01:00Z",
        "operated_by": "Jo from the night shift",
        "execution_id": "start-1",
        "slot_key": "left",
    }
    with httpx.Client(base_url=f"{server.url}/api/v2", headers=headers) as client:
        run_id = client.post("/runs", json=body).json()["id"]
        client.post(f"/runs/{run_id}/attachments", json={"name": "still-to-come.txt"})
        client.patch("/units/SN-V2", json={"sample": "golden"})
    page = ada.open(f"/runs/{run_id}")
    for text in ("Jo from the night shift", "left", "golden"):
        assert text in page.text
    assert "still-to-come.txt" not in page.text


def test_all_that_a_station_sends_is_text(server: Server, ada: Browser):
    """In every field that takes any text."""
    values = [
        measurement(f"text{SCRIPT}", SCRIPT, units=SCRIPT, docstring=SCRIPT, validators=[SCRIPT]),
        measurement("long", SCRIPT * 10),
        measurement("json", {SCRIPT: [SCRIPT] * 9}),
        measurement("series", [[1, 2], [3, 4]], units=[SCRIPT, SCRIPT], validators=[SCRIPT]),
        measurement('"onload="alert(1)', [[1, 2], [3, 4]]),
    ]
    log = {
        "level": "INFO",
        "timestamp": datetime.now(UTC).isoformat(),
        "message": SCRIPT,
        "source_file": SCRIPT,
        "line_number": 1,
    }
    body = report(
        SCRIPT,
        run_passed=False,
        started_at="2300-01-01T00:00:00Z",
        procedure_version=SCRIPT,
        docstring=SCRIPT,
        phases=[phase(SCRIPT, *values, outcome="FAIL", docstring=SCRIPT)],
        logs=[log],
    )
    names = {"part_number": SCRIPT, "revision": SCRIPT, "batch_number": SCRIPT}
    body["unit_under_test"] |= names
    record(server, report(f"child{SCRIPT}"))
    body["sub_units"] = [{"serial_number": f"child{SCRIPT}"}]
    path = record(server, body)
    attach(server, path, SCRIPT, b"x")

    page, runs = ada.open(path), ada.open("/runs")
    assert runs.run_links[0] == path
    for shown in (page, runs):
        assert all(one.get("src", "").startswith("/static/") for one in shown.all("script"))
        attributes = {name for element in shown.elements for name in element.attributes}
        assert not [name for name in attributes if name.startswith("on")]
    assert page.text.count(SCRIPT) > 20
    assert runs.text.count(SCRIPT) == 6  # five names of the run, and the serial number of its sub-unit


def test_a_run_of_another_organization_is_not_there(server: Server, ada: Browser, gus: Browser):
    path = record(server, report("SECRET"))
    assert ada.open(path).status == 200
    page = gus.open(path)
    assert page.status == 404
    assert "SECRET" not in page.text


@pytest.mark.parametrize("run_id", [str(UUID(int=7)), "42", "%00", "%FF", "x" * 3000, "..%2f..%2fetc"])
def test_an_unknown_run_is_a_404_page(ada: Browser, run_id: str):
    page = ada.open(f"/runs/{run_id}")
    assert (page.status, page.answer.headers["content-type"]) == (404, "text/html; charset=utf-8")
