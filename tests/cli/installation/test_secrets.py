"""Passwords come in by a file or by standard input, and what shows in the process list is warned of."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from runcard.auth.passwords import is_right_password
from runcard.cli.main import app
from runcard.store.people.users import find_credentials
from tests.servers import Installation

CHOSEN = "four unrelated words indeed"


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    made = Installation(tmp_path_factory.mktemp("secrets"), None)
    made.runcard("init", "--organization", "Acme", "--email", "ada@acme.test")
    return made


def invoke(installation: Installation, *arguments: str | Path, typed: str = "") -> Result:
    at = ["--data-dir", str(installation.data_dir), "--json"]
    return CliRunner().invoke(app, [*map(str, arguments), *at], input=typed)


def is_password_of(installation: Installation, email: str, password: str) -> bool:
    with installation.database() as database, database.read() as connection:
        found = find_credentials(connection, email)
    assert found is not None
    return is_right_password(password, found.password_hash)


def test_a_password_comes_from_a_file_and_is_not_shown(installation: Installation, tmp_path: Path):
    file = tmp_path / "password"
    file.write_text(f"{CHOSEN}\nnot this line\n", "utf-8")
    done = invoke(installation, "user", "create", "eve@acme.test", "--password-file", file)
    assert done.exit_code == 0, done.output
    assert "password" not in json.loads(done.stdout)
    assert is_password_of(installation, "eve@acme.test", CHOSEN)


def test_a_password_comes_from_standard_input(installation: Installation):
    done = invoke(
        installation, "user", "password", "ada@acme.test", "--password-file", "-", typed=f"{CHOSEN}\n"
    )
    assert done.exit_code == 0, done.output
    assert is_password_of(installation, "ada@acme.test", CHOSEN)


def test_a_password_is_given_in_one_way(installation: Installation):
    done = invoke(installation, "user", "create", "x@acme.test", "--password", CHOSEN, "--password-file", "-")
    assert (done.exit_code, "keep one of them" in done.stderr) == (1, True)


def test_a_password_made_of_what_is_known_is_refused(installation: Installation):
    done = invoke(installation, "user", "create", "x@acme.test", "--password", "acme-acme-acme")
    assert (done.exit_code, "easy to guess" in done.stderr) == (1, True)


@pytest.mark.parametrize(
    ("url", "is_warned"),
    [("mysql://root:secret@db/x", True), ("mysql://root@db/x", False), ("http://[", False)],
)
def test_a_url_with_a_password_on_the_command_line_is_warned_of(url: str, is_warned: bool):
    done = CliRunner().invoke(app, ["user", "list", "--database-url", url])
    assert done.exit_code == 1
    assert ("RUNCARD_DATABASE_URL_FILE" in done.stderr) == is_warned
