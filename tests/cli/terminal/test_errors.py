"""What is wrong is told in one line on stderr, or as JSON; the exit code is 1. Never a traceback."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from runcard.cli.main import app
from tests.cli.commands import runcard
from tests.servers import Installation

NO_KEY = "00000000-0000-7000-8000-000000000000"


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An installation with two organizations; Acme has a suspended user and a procedure."""
    installation = Installation(tmp_path_factory.mktemp("two"), None)
    for name in ("Acme", "Globex"):
        installation.runcard("init", "--organization", name, "--email", f"admin@{name.lower()}.test")
    at_acme = ("--organization", "acme")
    installation.runcard("user", "create", "sam@acme.test", *at_acme)
    installation.runcard("user", "suspend", "sam@acme.test", *at_acme)
    installation.runcard("station", "create", "ICT-1", *at_acme)
    return installation.data_dir


def refused(*arguments: str | Path) -> str:
    """The line that a command ends with."""
    done = CliRunner().invoke(app, list(map(str, arguments)))
    assert done.exit_code == 1, done.output
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("Error: ")
    return done.stderr


AT_ACME = ("--organization", "acme")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("user", "list"), ("organization", "acme, globex", "--organization SLUG")),
        (("user", "list", "--organization", "initech"), ("initech", "acme, globex")),
        (("user", "create", "nobody", *AT_ACME), ("'nobody'", "name@example.com")),
        (("user", "create", "ADMIN@globex.test", *AT_ACME), ("ADMIN@globex.test already exists",)),
        (("user", "create", "x@acme.test", "--password", "short", *AT_ACME), ("password", "at least 10")),
        (("user", "suspend", "nobody@acme.test", *AT_ACME), ("nobody@acme.test", "runcard user list")),
        (("user", "suspend", "admin@globex.test", *AT_ACME), ("User not found",)),
        (("key", "create", "--user", "nobody@acme.test", *AT_ACME), ("nobody@acme.test",)),
        (("key", "create", "--user", "sam@acme.test", *AT_ACME), ("sam@acme.test is suspended",)),
        (("key", "create", "--station", "ICT-9", *AT_ACME), ("ICT-9", "runcard station list")),
        (("key", "revoke", "rc_abc", *AT_ACME), ("'rc_abc'", "runcard key list")),
        (("key", "revoke", NO_KEY, *AT_ACME), (NO_KEY, "runcard key list")),
        (("station", "create", "ict-1", *AT_ACME), ("ict-1 already exists",)),
        (("station", "create", " ", *AT_ACME), ("station name",)),
        (("station", "create", "ICT-2", "--procedure", "FVT9", *AT_ACME), ("FVT9",)),
        (("station", "link", "ICT-9", "--procedure", "FVT1", *AT_ACME), ("ICT-9",)),
        (("station", "unlink", "ICT-1", "--procedure", "FVT9", *AT_ACME), ("FVT9",)),
        (("procedure", "create", "", *AT_ACME), ("procedure name",)),
        (("organization", "set", "--serial-number-pattern", "(", *AT_ACME), ("pattern", "RE2")),
        (("init", "--organization", "ACME", "--email", "x@acme.test"), ("ACME already exists",)),
        (("init", "--organization", "Initech", "--email", "admin@acme.test"), ("already exists",)),
        (("init", "--organization", " ", "--email", "x@initech.test"), ("Name is empty",)),
        (("serve", "--workers", "2"), ("workers 2", "PostgreSQL")),
        (("serve", "--host", "not a host"), ("not a host", "--host")),
    ],
)
def test_wrong_input_is_told_in_one_line(two: Path, arguments: Sequence[str], told: Sequence[str]) -> None:
    line = refused(*arguments, "--data-dir", two)
    for words in told:
        assert words in line


def test_a_refused_command_leaves_nothing_behind(two: Path) -> None:
    installation = Installation(two, None)
    before = installation.runcard("organization", "list"), installation.runcard("station", "list", *AT_ACME)
    refused("init", "--organization", "Initech", "--email", "admin@acme.test", "--data-dir", two)
    refused("station", "create", "ICT-2", "--procedure", "FVT9", *AT_ACME, "--data-dir", two)
    after = installation.runcard("organization", "list"), installation.runcard("station", "list", *AT_ACME)
    assert after == before


@pytest.mark.parametrize("verb", [("user", "list"), ("doctor",), ("procedure", "create", "x")])
def test_a_mistyped_data_directory_is_not_made(tmp_path: Path, verb: Sequence[str]) -> None:
    assert "holds no Runcard installation" in refused(*verb, "--data-dir", tmp_path / "typo")
    assert not (tmp_path / "typo").exists()


def test_a_database_without_an_organization_says_how_to_make_one(tmp_path: Path) -> None:
    with Installation(tmp_path, None).database() as database, database.read():
        pass
    assert "runcard init" in refused("user", "list", "--data-dir", tmp_path)


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("mysql://localhost/runcard", "mysql://"),
        ("nonsense", "cannot be read"),
        ("postgresql://localhost:1/runcard", "The database failed"),
    ],
)
def test_a_database_that_cannot_be_used_is_told(url: str, told: str) -> None:
    assert told in refused("user", "list", "--database-url", url)


def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    (tmp_path / "runcard.sqlite3").write_text("something else")
    assert "not a database" in refused("user", "list", "--data-dir", tmp_path)


def test_a_data_directory_that_is_a_file_is_told(tmp_path: Path) -> None:
    place = tmp_path / "file"
    place.touch()
    assert str(place) in refused(
        "init", "--organization", "Acme", "--email", "x@acme.test", "--data-dir", place
    )


def test_a_setting_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    (tmp_path / "runcard.toml").write_text("max_body_bytes = 'many'")
    assert "max_body_bytes" in refused("serve", "--data-dir", tmp_path)


@pytest.mark.parametrize("url", ["foo://bucket", "nonsense", "s3://"])
def test_an_attachment_store_that_cannot_be_meant_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("RUNCARD_ATTACHMENTS_URL", url)
    assert f"attachments_url {url}" in refused("serve", "--port", "0", "--data-dir", tmp_path)


def test_scripts_read_json_on_stderr(two: Path) -> None:
    done = runcard(
        "user", "create", "x@acme.test", "--password", "short", *AT_ACME, "--data-dir", two, "--json"
    )
    assert done.code == 1
    assert done.stdout == ""
    error: Any = json.loads(done.stderr)["error"]
    assert error["message"]
    assert error["issues"] == [
        {"path": ["password"], "message": "Password has 5 characters; use at least 10"}
    ]


def test_bytes_that_are_no_text_are_told(two: Path) -> None:
    done = runcard("user", "create", "\udcff@acme.test", *AT_ACME, "--data-dir", two)
    assert done.code == 1
    assert "UTF-8" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("key", "create"),
        ("key", "create", "--user", "a", "--station", "b"),
        ("organization", "set"),
        ("station", "link", "ICT-1"),
        ("serve", "--port", "70000"),
        ("user", "create", "x@acme.test", "--role", "boss"),
        ("no-such-verb",),
    ],
)
def test_wrong_usage_ends_with_2(arguments: Sequence[str]) -> None:
    done = CliRunner().invoke(app, list(arguments))
    assert done.exit_code == 2
    assert "Usage: " in done.stderr
