"""The page of one run."""

import hashlib
import json
import re
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx
import pytest

from tests.conftest import DatabaseKind
from tests.servers import DEADLINE_S, Server
from tests.web.browser import Browser
from tests.web.reporting import measurement, phase, record, report
from tests.web.sheets import csv_of, exports, xlsx_of

NAN, INF = float("nan"), float("inf")
SCRIPT = '<script>alert("1")</script>'


@pytest.fixture(scope="module")
def database_kind() -> DatabaseKind:
    """All that is asked of the store here, other tests ask of both kinds."""
    return "sqlite"


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


def test_phases_stand_in_their_order_with_retries_together(server: Server, ada: Browser):
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
    assert page.outcomes == ["FAIL", "FAIL", "ERROR", "SKIP"]
    phases = page.text[page.text.rindex("Phases") :]
    assert phases.index("2 attempts of zeta") < phases.index("retry 1") < phases.index("alpha")
    opened = {one["id"] for one in page.all("details") if "open" in one}
    assert opened == {"phase-2", "phase-3"}, "the last attempt of each"
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
        ({"value": 1, "lower_limit": 0, "upper_limit": 9, "validators": ["0 <= x <= 2"]}, ["0 … 2"]),
        ({"value": 3.3, "validators": ["3.1 <= x <= 3.5"]}, ["3.1 … 3.5", "3.1 <= x <= 3.5 PASS"]),
        ({"value": 9, "validators": ["3.1 <= x <= 3.5"], "outcome": "FAIL"}, ["3.1 <= x <= 3.5 FAIL"]),
        ({"value": "1.4", "validators": [r"'x' matches /^1\.4$/"]}, ["must be “1.4” PASS"]),
        ({"value": "B-7", "validators": [r"'x' matches /B-\d/"]}, [r"must match the pattern B-\d PASS"]),
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
    assert "sweep: column 2 (dB) against column 1 (Hz)" in [svg["aria-label"] for svg in page.all("svg")]
    assert [line["class"] for line in page.all("line") if "class" in line] == ["limit"]
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


def record_v2(server: Server, serial_number: str, **fields: Any) -> str:
    headers = {"Authorization": f"Bearer {server.world.acme.ict.api_key}"}
    body = {
        "outcome": "PASS",
        "procedure_id": str(server.world.acme.board.id),
        "serial_number": serial_number,
        "part_number": "PCB-01",
        "started_at": "2026-01-01T00:00:00Z",
        "ended_at": "2026-01-01T00:01:00Z",
        **fields,
    }
    answer = httpx.post(f"{server.url}/api/v2/runs", json=body, headers=headers, timeout=DEADLINE_S)
    assert answer.status_code == 200, answer.text
    return f"/runs/{answer.json()['id']}"


def test_what_only_v2_says_stands_with_the_rest(server: Server, ada: Browser):
    headers = {"Authorization": f"Bearer {server.world.acme.ict.api_key}"}
    fields = {"operated_by": "Jo from the night shift", "execution_id": "start-1", "slot_key": "left"}
    path = record_v2(server, "SN-V2", **fields)
    with httpx.Client(base_url=f"{server.url}/api/v2", headers=headers) as client:
        client.post(f"{path}/attachments", json={"name": "still-to-come.txt"})
        client.patch("/units/SN-V2", json={"sample": "golden"})
    page = ada.open(path)
    for text in ("Jo from the night shift", "start-1", "left", "golden"):
        assert text in page.text
    assert "still-to-come.txt" not in page.text


DETAILS = {
    "sequences": [
        {"path": "main", "name": "Main part", "outcome": "PASS", "started_at": "2026-01-01T00:00:00Z"},
        {"path": "main/rest", "name": "The rest", "outcome": "SKIP"},
    ],
    "config": [{"key": "gain", "value": 3, "source": "station"}, {"key": "is_fast", "value": True}],
    "secrets": [{"key": "license", "source": "process"}],
    "metadata": {"shift": "night", "humidity": 40.5},
}


def test_what_stood_around_the_run(server: Server, ada: Browser):
    page = ada.open(record_v2(server, "AROUND", **DETAILS))
    before_history = page.text[: page.text.rindex("History")]
    details = before_history[before_history.rindex("Details") :]
    for text in (
        "Main part",
        "main/rest",
        "The rest",
        "gain3station",
        "is_fasttrue",
        "licensesecretprocess",
        "shiftnight",
        "humidity40.5",
    ):
        assert text in details


def test_names_lead_to_what_they_name(server: Server, ada: Browser):
    world = server.world.acme
    record(server, report("NAMED/SUB"))
    fields = {"procedure_version": "7.1", "operated_by": world.engineer.email}
    body = report(
        "NAMED 1",
        **fields,
        sub_units=[{"serial_number": "NAMED/SUB"}],
        phases=[phase("p", measurement("m & n", 1))],
    )
    body["unit_under_test"] |= {"revision": "C", "batch_number": "B&1"}
    record(server, body)
    path = record(server, body)  # a retest, whose sub-unit is there already
    page = ada.open(path)
    board, ict = world.board.id, world.ict.actor.station_id
    for link in (
        "/units/NAMED%201",
        "/units/NAMED%2FSUB",
        f"/procedures/{board}",
        f"/stations/{ict}",
        f"/procedures/{board}/measurements?phase=p&name=m+%26+n",
        f"{path}/report.json",
        f"{path}/receipt.json",
    ):
        assert link in page.links
    for link in (
        "/runs?part=PCB-01&revision=C",
        "/runs?batch=B%261",
        f"/runs?procedure={board}&version=7.1",
        "/runs?serial=NAMED+1",
    ):
        assert link in page.links
        assert path in ada.open(link).run_links


def test_earlier_runs_of_the_unit_stand_beside_it(server: Server, ada: Browser):
    paths = [
        record(server, report("AGAIN", started_at=f"2026-04-{day:02}T00:00:00Z")) for day in range(1, 12)
    ]
    assert ada.open(paths[0]).text.count("This was its first run.") == 1
    links = [one for one in ada.open(paths[-1]).all("a") if "rel" not in one]
    beside = [one["href"] for one in links if re.fullmatch("/runs/[^/]+", one["href"])]
    assert beside == paths[-2:-10:-1]


def test_a_bar_shows_where_a_value_lies(server: Server, ada: Browser):
    values = [measurement("in", 4, lower_limit=3, upper_limit=5), measurement("free", 1)]
    page = ada.open(record(server, report("PLACES", phases=[phase("p", *values)])))
    labels = [svg["aria-label"] for svg in page.all("svg") if svg.get("class") == "place"]
    assert labels == ["within the limits, 50 % of the way from lower to upper"]


LOGS = [
    {
        "level": level,
        "timestamp": f"2026-01-02T03:04:{second:02}.5Z",
        "message": f"{word} of the power supply",
        "source_file": "psu.py",
        "line_number": second,
    }
    for second, (level, word) in enumerate(
        [("DEBUG", "Begin"), ("INFO", "Ramp"), ("WARNING", "Ripple"), ("ERROR", "Fall"), ("CRITICAL", "Fire")]
    )
]


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("", ["Begin", "Ramp", "Ripple", "Fall", "Fire"]),
        ("level=WARNING", ["Ripple", "Fall", "Fire"]),
        ("log=r+OF+the", []),
        ("log=RIPPLE", ["Ripple"]),
        ("log=psu.py&level=CRITICAL", ["Fire"]),
        ("first=3", ["Fall", "Fire"]),
        ("first=99", []),
    ],
    ids=["all", "level", "none", "text", "file", "later", "end"],
)
def test_logs_are_found_by_level_and_text(server: Server, ada: Browser, query: str, shown: list[str]):
    path = record(server, report("LOGS-FOUND", started_at="2026-01-02T03:04:01Z", logs=LOGS))
    page = ada.open(f"{path}?{query}")
    words = [
        word for word in ("Begin", "Ramp", "Ripple", "Fall", "Fire") if f"{word} of the power" in page.text
    ]
    assert words == shown
    assert ("No line matches." in page.text) == (not shown)


def test_logs_are_timed_from_the_start_of_the_run(server: Server, ada: Browser):
    path = record(server, report("LOGS-TIMED", started_at="2026-01-02T03:04:01Z", logs=LOGS))
    text = ada.open(f"{path}?time=run").text
    assert "-0.500 s" in text
    assert "+3.500 s" in text


def test_long_logs_come_in_pages(server: Server, ada: Browser):
    logs = [{**LOGS[0], "message": f"line {number}."} for number in range(1201)]
    page = ada.open(record(server, report("LOGS-LONG", logs=logs)))
    seen: list[str] = []
    while True:
        seen += re.findall(r"line (\d+)\.", page.text)
        later = [
            link for link in page.links if "first=" in link and int(link.split("=")[-1][:-5]) >= len(seen)
        ]
        if not later:
            break
        page = ada.open(later[0].removesuffix("#logs"))
    assert seen == [str(number) for number in range(1201)]
    assert "Lines 1\u2009001 to 1\u2009201 of 1\u2009201" in page.text


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("phases=0", "phases"),
        ("level=LOUD", "level"),
        ("time=moon", "time"),
        ("first=-1", "first"),
        ("log=%00", "log"),
    ],
    ids=["phases", "level", "time", "first", "log"],
)
def test_a_question_that_says_nothing_is_named(server: Server, ada: Browser, query: str, named: str):
    page = ada.open(f"{record(server, report('ASKED'))}?{query}")
    assert page.status == 400
    assert f"{named}: " in page.text


def test_many_measurements_come_in_pages(server: Server, ada: Browser):
    phases = [
        phase(f"p{number}", *(measurement(f"m{number}.{at}", at) for at in range(100))) for number in range(6)
    ]
    phases[4]["measurements"] = [*phases[4]["measurements"][:99], measurement("bad", 1, "FAIL")]
    phases += [phase("p0", measurement("again", 1))]
    path = record(server, report("MANY", run_passed=False, phases=phases, logs=LOGS[:1]))
    page, names = ada.open(path), []
    assert f"{path}?phases=3#measurement-499" in page.links, (
        "what failed is linked on whichever page it stands"
    )
    assert f"{path}?phases=2#phase-3" in page.links, "as phases are in the timeline"
    while True:
        names += [one.get("id") for one in page.all("details") if one.get("id", "").startswith("phase-")]
        later = [link for link in page.links if link.endswith("#phases") and "phases=" in link]
        if "Later phases" not in page.text:
            break
        page = ada.open(later[-1].removesuffix("#phases"))
    assert names == [f"phase-{number}" for number in (1, 7, 2, 3, 4, 5, 6)]
    assert "#measurement-499" in page.links
    assert page.hidden_fields["phases"] == "3"
    assert ada.open(f"{path}?phases=99").text == page.text


def test_files_are_previewed(server: Server, ada: Browser):
    path = record(server, report("PREVIEWS"))
    table = "name;value\n" + "".join(f"row {number};{number / 2}\n" for number in range(30))
    attach(server, path, "table.csv", table.encode())
    attach(server, path, "notes.txt", b"plain \xff text" + b"." * 20_000)
    attach(server, path, "photo.png", b"\x89PNG")
    attach(server, path, "drawing.svg", f"<svg onload='x'>{SCRIPT}</svg>".encode())
    attach(server, path, "page.html", SCRIPT.encode())
    attach(server, path, "empty.txt", b"")
    attach(server, path, "binary.txt", b"MZ\0\1")
    page = ada.open(path)
    assert page.status == 200
    for text in (
        "row 18",
        "9.0",
        "The first rows and columns",
        "plain \ufffd text",
        "The first 16.4 kB",
        SCRIPT,
    ):
        assert text in page.text
    assert "row 19" not in page.text
    assert page.text.count(SCRIPT) == 1, "HTML as text, SVG not at all"
    [image] = [one for one in page.all("img") if one.get("alt") == "photo.png"]
    assert httpx.get(image["src"], timeout=DEADLINE_S).headers["content-type"] == "image/png"
    assert all(one.get("src", "").startswith("/static/") for one in page.all("script"))


def test_the_report_is_all_that_is_recorded(server: Server, ada: Browser, gus: Browser):
    values = [measurement("m", NAN, units="V"), measurement("s", [[1, 2.5], [3, NAN]])]
    path = record(server, report("RAW \u00fc", phases=[phase("p", *values)], logs=LOGS[:1]))
    answer = ada.http.get(f"{path}/report.json")
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["content-disposition"].startswith("attachment; ")
    told = answer.json()
    assert told["id"] == path.removeprefix("/runs/")
    assert told["unit"]["serial_number"] == "RAW \u00fc"
    [first, second] = told["phases"][0]["measurements"]
    assert (first["value"], first["uom"]) == ("nan", "V")
    assert [one["data"] for one in second["series"]] == [[1, 3], [2.5, "nan"]]
    assert told["logs"][0]["message"] == "Begin of the power supply"
    assert gus.http.get(f"{path}/report.json").status_code == 404


def test_the_receipt_proves_the_run(server: Server, ada: Browser, gus: Browser):
    path = record(server, report("RECEIPT"))
    answer = ada.http.get(f"{path}/receipt.json")
    assert answer.headers["content-disposition"].startswith("attachment; ")
    told = answer.json()
    leaf = json.loads(told["leaf"])
    assert leaf["thing_id"] == path.removeprefix("/runs/")
    assert hashlib.sha256(told["run"]["header"].encode()).hexdigest() == leaf["state"]
    assert told["index"] < told["head"]["tree_size"]
    assert gus.http.get(f"{path}/receipt.json").status_code == 404


def test_a_series_is_shown_large(server: Server, ada: Browser, gus: Browser):
    rows = [[hz, -hz / 10, NAN if hz == 5 else 1] for hz in range(450)]
    sweep = measurement("sweep", rows, units=["Hz", "dB", "s"], lower_limit=0)
    path = record(server, report("LARGE", phases=[phase("p", measurement("one", 1), sweep)]))
    [large] = [link for link in ada.open(path).links if "/series/" in link]
    assert large == f"{path}/series/1"
    page = ada.open(large)
    option = json.loads(re.findall(r'id="series-option">(.*?)</script>', page.answer.text)[0])
    assert [line["name"] for line in option["series"]] == ["column 2 (dB)", "column 3 (s)"]
    assert len(option["series"][0]["data"]) == 450
    assert option["series"][1]["data"][5] == [5.0, None]
    assert option["series"][1]["markLine"]["data"] == [{"yAxis": 0.0}]
    assert "Rows 1 to 200 of 450" in page.text
    [later] = [link for link in page.links if "first=200" in link]
    assert "-39.9" in ada.open(later).text
    assert [ada.open(f"{path}/series/{number}").status for number in ("0", "2", "x", "1")] == [
        404,
        404,
        404,
        200,
    ]
    assert gus.open(large).status == 404
    assert ada.open(f"{large}?first=x").status == 400


def test_the_measurements_of_a_run_are_taken_away(server: Server, ada: Browser, vic: Browser, gus: Browser):
    text = "=Größe " + "ß" * 100
    limits: dict[str, Any] = {"units": "V", "lower_limit": 3.0, "upper_limit": 3.6}
    checked = measurement("vcc", 3.7, "FAIL", **limits, validators=["3.1 <= x <= 3.65"])
    tried = phase("=Prüfung", checked, outcome="FAIL")
    again = phase("=Prüfung", measurement("vcc", 3.3, **limits))
    other = phase("other", measurement("text", text), measurement("nan", NAN), measurement("none"))
    many = [phase(f"p{at}", measurement("m", at)) for at in range(150)]
    path = record(server, report("MEASURED FILE", phases=[tried, other, again, *many], run_passed=False))
    xlsx, written = exports(ada, f"{path}?phases=2")
    head, *rows = xlsx_of(ada, xlsx)
    told = [dict(zip(head, row, strict=True)) for row in rows]
    assert [(one["Phase"], one["Retry"], one["Measurement"], one["Number"]) for one in told[:5]] == [
        ("=Prüfung", 0, "vcc", 3.7),
        ("=Prüfung", 1, "vcc", 3.3),
        ("other", 0, "text", None),
        ("other", 0, "nan", None),
        ("other", 0, "none", None),
    ]
    assert len(told) == 155
    assert [told[0][of] for of in ("Outcome", "Lower limit", "Upper limit", "Limits", "Unit of measure")] == [
        "FAIL", 3.1, 3.6, "3.1 … 3.6", "V",
    ]  # fmt: skip
    assert [told[0]["Checks"], told[1]["Checks"]] == [
        "x <= 3.6: FAIL; 3.1 <= x <= 3.65: FAIL",
        None,
    ]
    assert [one["Other value"] for one in told[1:5]] == [None, text, "nan", None]
    assert [row[0] for row in csv_of(ada, written)[1:4]] == ["'=Prüfung", "'=Prüfung", "other"]
    failed = [link for link in exports(ada, f"{path}?show=failed") if ".xlsx" in link]
    assert [row[6] for row in xlsx_of(vic, failed[0])[1:]] == [3.7]
    assert gus.open(xlsx).status == 404


def test_a_series_is_taken_away_whole(server: Server, ada: Browser, vic: Browser, gus: Browser):
    rows = [[hz, NAN if hz == 5 else -hz / 10] for hz in range(450)]
    sweep = measurement("=Frequenzgang Ü", rows, units=["Hz", "dB"])
    path = record(server, report("SERIES FILE", phases=[phase("p", sweep)]))
    xlsx, text = exports(ada, f"{path}/series/0?first=200")
    head, *told = xlsx_of(ada, xlsx)
    assert list(head) == ada.open(f"{path}/series/0").rows[-201]
    assert [row[0] for row in told] == list(range(450))
    assert (told[5][1], told[449][1]) == ("nan", -44.9)
    written = csv_of(ada, text)
    assert (len(written), written[450]) == (451, ["449", "-44.9"])
    assert xlsx_of(vic, xlsx) == [head, *told]
    assert gus.open(xlsx).status == 404
    assert ada.open(f"{path}/series/1/values.xlsx").status == 404
    assert ada.open(f"{path}/series/0/values.pdf").status == 404


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
    attach(server, path, f"{SCRIPT}.csv", f"{SCRIPT},{SCRIPT}\n".encode())

    page, runs = ada.open(path), ada.open("/runs")
    assert runs.run_links[0] == path
    for shown in (page, runs):
        assert all(one.get("src", "").startswith("/static/") for one in shown.all("script"))
        attributes = {name for element in shown.elements for name in element.attributes}
        assert not [name for name in attributes if name.startswith("on")]
    assert page.text.count(SCRIPT) > 20
    assert runs.text.count(SCRIPT) == 6  # five names of the run, and the serial number of its sub-unit


def test_all_that_a_station_sends_by_v2_is_text(server: Server, ada: Browser):
    path = record_v2(
        server,
        f"v2 {SCRIPT}",
        operated_by=SCRIPT,
        slot_key=SCRIPT,
        slot_name=SCRIPT,
        execution_id=SCRIPT,
        sequences=[{"path": SCRIPT.replace("/", "|"), "name": SCRIPT, "outcome": "PASS"}],
        config=[{"key": SCRIPT, "value": SCRIPT}],
        secrets=[{"key": SCRIPT}],
        metadata={"shift": SCRIPT},
    )
    names = "&".join(f"columns={name}" for name in ("slot", "execution_id", "operator", "outcome"))
    for shown in (ada.open(path), ada.open(f"/runs?search=v2&{names}")):
        assert shown.text.count(SCRIPT) >= 4
        assert all(one.get("src", "").startswith("/static/") for one in shown.all("script"))


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
