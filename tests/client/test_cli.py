"""`runcard-client`, as a person or a timer calls it."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from runcard_client import Client
from runcard_client.cli import main
from runcard_client.spool import Spool
from tests.client.reporting import report_of
from tests.servers import Server


@pytest.fixture(autouse=True)
def station(monkeypatch: pytest.MonkeyPatch, server: Server, spool_path: Path) -> None:
    monkeypatch.setenv("RUNCARD_URL", server.url)
    monkeypatch.setenv("RUNCARD_API_KEY", server.world.acme.fct.api_key)
    monkeypatch.setenv("RUNCARD_SPOOL", str(spool_path))


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, Any]:
    status = main([*arguments, "--json"])
    return status, json.loads(capsys.readouterr().out)


def test_what_waits_is_shown_and_sent(
    client: Client, capsys: pytest.CaptureFixture[str], serial: str, spool_path: Path
):
    client.record_run(report_of(serial, client_run_ref=serial))
    status, shown = told(capsys, "status")
    assert (status, shown["waiting"], shown["parked"], shown["spool"]) == (1, 1, [], str(spool_path))
    assert (shown["next"]["serial_number"], shown["next"]["attempt_count"]) == (serial, 0)
    sent = {"sent": 1, "refused": [], "waiting": 0, "parked": 0, "error": None}
    assert told(capsys, "flush") == (0, sent)
    assert told(capsys, "status") == (0, {"spool": str(spool_path), "waiting": 0, "next": None, "parked": []})


def test_a_parked_run_is_shown_retried_and_discarded(
    client: Client, capsys: pytest.CaptureFixture[str], serial: str, spool: Spool
):
    client.record_run(report_of(serial, client_run_ref=serial, procedure="Unknown"))
    assert main(["flush"]) == 1
    assert capsys.readouterr().out == (
        "0 sent, 0 wait, 1 are parked: procedure Unknown is not on this server; create it, then retry this run\n"
    )
    assert main(["status"]) == 1
    assert f"parked: {serial}  {serial}  Unknown  " in capsys.readouterr().out
    assert told(capsys, "retry") == (0, {"runs": 1})
    assert told(capsys, "flush")[0] == 1
    assert told(capsys, "retry", serial) == (0, {"runs": 1})
    assert main(["discard", serial]) == 2  # it waits
    assert "no parked run has the client_run_ref" in capsys.readouterr().err
    assert told(capsys, "flush")[0] == 1
    assert told(capsys, "discard", serial) == (0, {"runs": 1})
    assert spool.parked() == []


def test_a_server_that_is_away_is_told(
    monkeypatch: pytest.MonkeyPatch, client: Client, capsys: pytest.CaptureFixture[str], serial: str
):
    monkeypatch.setenv("RUNCARD_URL", "http://127.0.0.1:1")
    client.record_run(report_of(serial))
    status, flushed = told(capsys, "flush")
    assert (status, flushed["waiting"]) == (1, 1)
    assert "127.0.0.1:1 does not answer" in flushed["error"]


def test_asking_where_no_run_was_kept_leaves_nothing(capsys: pytest.CaptureFixture[str], spool_path: Path):
    assert told(capsys, "status")[0] == 0
    assert main(["retry"]) == 2
    assert f"{spool_path} does not exist" in capsys.readouterr().err
    assert not spool_path.parent.exists()


def test_what_is_missing_is_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.delenv("RUNCARD_URL")
    assert main(["flush"]) == 2
    assert capsys.readouterr().err.startswith(
        "runcard-client: no server is named; give url, or set RUNCARD_URL"
    )


def test_it_is_installed():
    program = Path(sys.executable).with_name("runcard-client")
    done = subprocess.run([program, "status"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "No run waits.\n")


def test_the_guide_lists_every_command():
    done = subprocess.run(
        [sys.executable, "-m", "runcard_client.cli", "-h"], capture_output=True, text=True, check=True
    )
    commands = set(re.findall(r"^    (\w+)  ", done.stdout, re.MULTILINE))
    guide = (Path(__file__).parents[2] / "docs" / "guide" / "client.md").read_text("utf-8")
    assert set(re.findall(r"^\| `runcard-client (\w+)` \|", guide, re.MULTILINE)) == commands != set()
