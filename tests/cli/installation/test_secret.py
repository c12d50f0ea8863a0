"""`runcard secret`, and servers with keys of each kind."""

import json
from pathlib import Path

import httpx
from typer.testing import CliRunner

from runcard.auth.secret_keys import KEY_FILE, key_id
from runcard.cli.main import app
from tests.acceptance.files import attachments_of, initialize, put, sync
from tests.acceptance.wire import create_run, run_of
from tests.cli.commands import run_beside, serving_beside
from tests.servers import Installation


def test_a_key_is_replaced_while_links_of_the_old_one_work(tmp_path: Path) -> None:
    at = ("--data-dir", tmp_path)
    home = Installation(tmp_path, None)
    made = home.runcard("init", "--organization", "A", "--email", "a@a.test")
    home.runcard("procedure", "create", "Board")

    def link(url: str, serial: str) -> str:
        headers = {"Authorization": f"Bearer {made['api_key']}"}
        with httpx.Client(base_url=f"{url}/api/v1", headers=headers) as client:
            run_id = create_run(client, run_of(serial))
            slot = initialize(client)
            put(slot, b"a curve")
            sync(client, slot["id"], run_id)
            return str(attachments_of(client, serial)[0]["url"]).removeprefix(url)

    with serving_beside("serve", *at) as server:
        old = link(server.first["url"], "SN-1")
        server.stop()
    first = (tmp_path / KEY_FILE).read_text("ascii").strip()
    shown = home.runcard("secret", "rotate")
    assert [one["signs"] for one in shown] == [True, False]
    assert shown[1] == {"key": key_id(first), "signs": False}
    with serving_beside("serve", *at) as server:
        new = link(server.first["url"], "SN-2")
        assert all(httpx.get(server.first["url"] + one).content == b"a curve" for one in (old, new))
        server.stop()
    assert home.runcard("secret", "drop") == shown[:1]
    assert home.runcard("secret", "list") == shown[:1]
    with serving_beside("serve", *at) as server:
        answers = [httpx.get(server.first["url"] + one).status_code for one in (old, new)]
        assert answers == [403, 200]
        server.stop()


def test_no_server_starts_with_a_key_that_can_be_guessed(tmp_path: Path) -> None:
    at = ("--data-dir", str(tmp_path))
    Installation(tmp_path, None).runcard("init", "--organization", "A", "--email", "a@a.test")
    given = run_beside("serve", "--port", "0", *at, RUNCARD_SECRET_KEY="hunter2")
    assert (given.code, given.stdout) == (1, "")
    assert "secret_key has a key of 7 characters; it needs at least 32." in given.stderr
    assert "hunter2" not in given.stderr
    key = tmp_path / KEY_FILE
    key.touch(mode=0o600)
    emptied = run_beside("serve", "--port", "0", *at)
    assert emptied.code == 1
    assert f"{key} is empty. Restore the file from a backup, or remove it" in emptied.stderr
    assert key.read_bytes() == b""
    told = json.loads(CliRunner().invoke(app, ["doctor", *at, "--json"]).stdout)
    assert [one["message"] for one in told["findings"]] == [f"{key} is empty."]


def test_keys_of_the_settings_are_changed_there(tmp_path: Path) -> None:
    Installation(tmp_path, None).runcard("init", "--organization", "A", "--email", "a@a.test")
    variables = {"RUNCARD_SECRET_KEY": "k" * 32}
    done = CliRunner().invoke(app, ["secret", "rotate", "--data-dir", str(tmp_path)], env=variables)
    assert done.exit_code == 1
    assert '"NEW,OLD"' in done.stderr
    assert not (tmp_path / KEY_FILE).exists()
