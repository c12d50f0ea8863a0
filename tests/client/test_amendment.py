"""`runcard-client edit`: a parked run is put right by a person."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from runcard_client import Client, FileReport, RunReport
from runcard_client.cli import main
from runcard_client.spool import Spool
from tests.client.reporting import report_of
from tests.servers import Server

BEGINNING = "import pathlib, sys; file = pathlib.Path(sys.argv[1]); text = file.read_text('utf-8'); "


@pytest.fixture(autouse=True)
def station(monkeypatch: pytest.MonkeyPatch, server: Server, spool_path: Path) -> None:
    monkeypatch.setenv("RUNCARD_URL", server.url)
    monkeypatch.setenv("RUNCARD_API_KEY", server.world.acme.fct.api_key)
    monkeypatch.setenv("RUNCARD_SPOOL", str(spool_path))
    monkeypatch.delenv("VISUAL", raising=False)


@pytest.fixture
def report(serial: str) -> RunReport:
    """A run that the server refuses, because it does not know which part its unit is."""
    file = FileReport("trace.csv", b"1,2", "text/csv")
    return report_of(serial, client_run_ref=serial, part_number=None, files=[file])


@pytest.fixture
def parked(client: Client, report: RunReport, spool: Spool) -> str:
    """Its client_run_ref, once it has been refused."""
    client.record_run(report)
    assert client.flush().parked == 1
    [run] = spool.parked()
    return run.client_run_ref


def edit_by(monkeypatch: pytest.MonkeyPatch, folder: Path, change: str) -> None:
    """Make a program the editor, in which `text` is the file."""
    script = folder / "editor.py"
    script.write_text(f"{BEGINNING}{change}; file.write_text(text, 'utf-8')", "utf-8")
    monkeypatch.setenv("EDITOR", f"'{sys.executable}' '{script}'")


def recorded(admin: httpx.Client, serial: str) -> list[dict[str, Any]]:
    found = admin.get("/runs", params={"serial_numbers": serial}).raise_for_status().json()["data"]
    return [admin.get(f"/runs/{run['id']}").raise_for_status().json() for run in found]


def test_a_field_is_set(admin: httpx.Client, client: Client, parked: str, serial: str):
    assert main(["edit", parked, "--set", "part_number=PCB-7", "--set", "operated_by=Zoë"]) == 0
    assert client.flush().is_empty
    [run] = recorded(admin, serial)
    assert run["unit"]["part"]["number"] == "PCB-7"
    assert run["operated_by"]["name"] == "Zoë"
    assert [file["name"] for file in run["attachments"]] == ["trace.csv"]


def test_all_parked_runs_are_set_at_once(client: Client, spool: Spool, serial: str):
    for n in range(3):
        client.record_run(report_of(f"{serial}-{n}", part_number=None))
    assert client.flush().parked == 3
    assert main(["edit", "--set", "part_number=PCB-7"]) == 0
    assert spool.counts().waiting == 3
    assert client.flush().sent == 3


def test_a_run_is_edited_as_json(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    admin: httpx.Client,
    client: Client,
    parked: str,
    serial: str,
):
    edit_by(
        monkeypatch,
        tmp_path,
        """text = text.replace('"PASS"', '"FAIL", "part_number": "P"')""",
    )
    assert main(["edit", parked]) == 0
    assert client.flush().is_empty
    [run] = recorded(admin, serial)
    assert (run["outcome"], run["unit"]["part"]["number"]) == ("FAIL", "P")


def test_the_run_as_it_was_is_kept_until_the_server_has_it(
    client: Client, report: RunReport, spool: Spool, parked: str
):
    [run] = spool.parked()
    before = (run.procedure, run.serial_number, spool.body(run.seq))
    for part in ("P1", "P2"):
        assert main(["edit", parked, "--set", "procedure=Unknown", "--set", f"part_number={part}"]) == 0
        assert spool.original(run.seq) == before
        assert client.flush().parked == 1  # once more
    client.record_run(report)  # by a program that reports it again
    assert main(["edit", parked, "--undo"]) == 0
    assert spool.body(run.seq) == before[2]
    assert client.flush().parked == 1
    assert main(["edit", parked, "--set", "part_number=P3"]) == 0
    assert client.flush().is_empty
    assert spool.original(run.seq) is None


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ("colour=red", "sets nothing; give FIELD=VALUE, where FIELD is one of procedure, serial_number, "),
        ("part_number", "sets nothing; give FIELD=VALUE"),
        ("client_run_ref=X", "sets nothing; give FIELD=VALUE"),
        ("outcome=OK", "outcome is 'OK'; give one of PASS, FAIL"),
        ("outcome=", "outcome is missing; give it"),
        ("procedure=", "procedure is None; give a text"),
        ("part_number=" + "x" * 61, "has 61 characters; give at most 60"),
        ("started_at=soon", "started_at is 'soon'; give a time such as 2026-01-31T12:00:00Z"),
        ("started_at=2026-03-02T08:30:00", "has no time zone"),
        ("ended_at=2020-01-01T00:00:00Z", "is before started_at"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(
    capsys: pytest.CaptureFixture[str], spool: Spool, parked: str, setting: str, told: str
):
    before = spool.parked(), spool.body(1)
    assert main(["edit", parked, "--set", setting]) == 2
    assert told in capsys.readouterr().err
    assert (spool.parked(), spool.body(1)) == before


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("text = text[:-3]", "is no valid JSON any more"),
        ("text = '[]'", "is no JSON object any more"),
        ("text = text.replace('\"outcome\": \"PASS\"', '\"outcome\": NaN')", "NaN is no JSON number"),
        ("text = text.replace('\"outcome\"', '\"result\"')", "'result' is no field of a run; the fields are "),
        ("text = text.replace('\"client_run_ref\": \"', '\"client_run_ref\": \"X')", "client_run_ref is 'XSN-"),
    ],
)  # fmt: skip
def test_what_was_written_is_not_lost(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    spool: Spool,
    parked: str,
    change: str,
    told: str,
):
    edit_by(monkeypatch, tmp_path, change)
    assert main(["edit", parked]) == 2
    kept = spool.path.with_name("edited-run.json")
    assert told in (said := capsys.readouterr().err)
    assert f"Your text is in {kept}: correct it and pass it with --file" in said
    assert spool.counts().parked == 1
    right = {"procedure": "Board", "part_number": "P", **json.loads(spool.body(1))}
    kept.write_text(json.dumps(right), "utf-8")
    assert main(["edit", parked, "--file", str(kept)]) == 0
    assert spool.counts().waiting == 1


def test_an_editor_that_fails_changes_nothing(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    spool: Spool,
    parked: str,
):
    edit_by(monkeypatch, tmp_path, "sys.exit(3)")
    assert main(["edit", parked]) == 2
    assert "ended with 3; the run is not changed" in capsys.readouterr().err
    monkeypatch.setenv("EDITOR", "/nowhere/vi")
    assert main(["edit", parked]) == 2
    assert "name another in EDITOR, or use --set" in capsys.readouterr().err
    assert main(["edit", "no-such-run", "--set", "part_number=P"]) == 2
    assert main(["edit"]) == 2
    assert spool.counts().parked == 1


def test_a_recorded_run_is_not_edited(capsys: pytest.CaptureFixture[str], spool: Spool, parked: str):
    spool.note_recorded(1, "01a21776-1a08-77a1-95b2-048b1ae09dae")
    assert main(["edit", parked, "--set", "part_number=P"]) == 2
    assert "is recorded as 01a21776-1a08-77a1-95b2-048b1ae09dae" in capsys.readouterr().err


def test_a_kill_while_it_is_edited_loses_nothing(
    tmp_path: Path, station_python: Path, spool: Spool, parked: str
):
    """In the oldest Python as well. The editor ends the program that started it."""
    [before] = spool.parked()
    script = tmp_path / "killer.py"
    script.write_text(f"import os; os.kill(os.getppid(), {int(signal.SIGKILL)})")
    command = [str(station_python), "-m", "runcard_client.cli", "edit", parked]
    done = subprocess.run(command, env=os.environ | {"EDITOR": f"'{sys.executable}' '{script}'"}, check=False)
    assert done.returncode == -signal.SIGKILL
    assert spool.parked() == [before]
    subprocess.run([*command, "--set", "part_number=P"], check=True)
    assert spool.counts().waiting == 1
