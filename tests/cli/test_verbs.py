"""Each verb, as a script and as a person use it."""

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from typer.testing import CliRunner

from runcard.auth.passwords import is_right_password
from runcard.auth.tokens import digest_of
from runcard.cli.main import app
from runcard.store.commit.lookups import find_key
from runcard.store.engine.database import Database
from runcard.store.people.users import find_credentials
from tests.cli.commands import run_here, runcard
from tests.servers import Installation

PASSWORD = "correct horse battery staple"


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """An installation with one organization."""
    folder = tmp_path_factory.mktemp("made")
    installation = Installation(folder / "data", None)
    installation.runcard("init", "--organization", "Acme", "--email", "ada@acme.test", "--password", PASSWORD)
    return installation


@pytest.fixture
def acme(template: Installation, tmp_path: Path) -> Installation:
    """The same for one test."""
    shutil.copytree(template.data_dir, tmp_path, dirs_exist_ok=True)
    return Installation(tmp_path, None)


def told(installation: Installation, *arguments: str) -> str:
    """What a command prints for a person."""
    done = CliRunner().invoke(app, [*arguments, "--data-dir", str(installation.data_dir)])
    assert done.exit_code == 0, done.output
    return done.stdout


def test_init_makes_an_organization_an_admin_and_a_key(tmp_path: Path) -> None:
    done = runcard(
        "init", "--organization", "Acme Audio", "--email", "ada@acme.test", "--data-dir", tmp_path, "--json"
    ).json
    assert done["organization"] == "acme-audio"
    assert done["email"] == "ada@acme.test"

    database = Database.open(None, tmp_path / "runcard.sqlite3")
    with database.read() as connection:
        key = find_key(connection, digest_of(done["api_key"]))
        credentials = find_credentials(connection, "ADA@acme.test")
    database.close()
    assert key is not None
    assert key.actor.organization_id == UUID(done["id"])
    assert credentials is not None
    assert credentials.user.id == UUID(done["user_id"])
    assert credentials.user.role == "admin"
    assert is_right_password(done["password"], credentials.password_hash)


def test_init_does_not_repeat_a_password_that_was_given(acme: Installation) -> None:
    done = acme.runcard(
        "init", "--organization", "Globex", "--email", "g@globex.test", "--password", PASSWORD
    )
    assert "password" not in done
    assert PASSWORD not in json.dumps(done)


def test_the_data_directory_can_be_named_by_a_variable(acme: Installation) -> None:
    done = run_here("organization", "show", "--json", RUNCARD_DATA_DIR=str(acme.data_dir))
    assert done.json["name"] == "Acme"


def test_procedures_are_numbered(acme: Installation) -> None:
    made = acme.runcard("procedure", "create", "In-circuit test")
    acme.runcard("procedure", "create", "Final test")
    listed = acme.runcard("procedure", "list")
    shown = {"id": made["id"], "identifier": "FVT1", "name": "In-circuit test", "archived_at": None}
    assert listed[0] == made == shown
    assert [procedure["identifier"] for procedure in listed] == ["FVT1", "FVT2"]


def test_an_identifier_is_chosen(acme: Installation) -> None:
    made = acme.runcard("procedure", "create", "Vanilla test", "--identifier", "VANILLA")
    assert made["identifier"] == "VANILLA"
    assert acme.runcard("station", "create", "ICT-1", "--procedure", "vanilla")["procedures"] == ["VANILLA"]
    refused = run_here(
        "procedure", "create", "Other", "--identifier", "Vanilla", RUNCARD_DATA_DIR=str(acme.data_dir)
    )
    assert refused.code == 1
    assert "The identifier Vanilla is that of the procedure 'Vanilla test'" in refused.stderr


def test_a_second_procedure_of_one_name_has_to_be_wanted(acme: Installation) -> None:
    acme.runcard("procedure", "create", "Final test")
    refused = run_here("procedure", "create", " final TEST", RUNCARD_DATA_DIR=str(acme.data_dir))
    assert refused.code == 1
    assert "The procedure FVT1 is called 'Final test' already" in refused.stderr
    assert "give --same-name" in refused.stderr
    assert acme.runcard("procedure", "create", "Final test", "--same-name")["identifier"] == "FVT2"


def test_a_station_is_made_with_its_procedures_and_a_key(acme: Installation) -> None:
    procedure = acme.runcard("procedure", "create", "In-circuit test")
    made = acme.runcard("station", "create", "ICT-1", "--procedure", procedure["id"])
    assert made["procedures"] == ["FVT1"]
    assert made["all_procedures"] is False

    keys = acme.runcard("key", "list")
    mine = next(key for key in keys if key["id"] == made["key_id"])
    assert mine["station_id"] == made["id"]
    assert mine["owner"] == "ICT-1"
    assert made["api_key"].startswith(mine["begins"])
    assert made["api_key"] not in json.dumps(keys)


def test_a_station_may_have_all_procedures(acme: Installation) -> None:
    made = acme.runcard("station", "create", "FCT-1", "--all-procedures")
    assert made["all_procedures"] is True
    assert acme.runcard("station", "list") == [
        {"id": made["id"], "name": "FCT-1", "all_procedures": True, "procedures": []}
    ]


def test_procedures_are_linked_and_unlinked_by_identifier_or_id(acme: Installation) -> None:
    first = acme.runcard("procedure", "create", "In-circuit test")
    acme.runcard("procedure", "create", "Final test")
    station = acme.runcard("station", "create", "ICT-1")
    linked = acme.runcard("station", "link", "ict-1", "--procedure", first["id"], "--procedure", "fvt2")
    assert linked["procedures"] == ["FVT1", "FVT2"]
    again = acme.runcard("station", "link", station["id"], "--procedure", "FVT1")
    assert again["procedures"] == ["FVT1", "FVT2"]
    left = acme.runcard("station", "unlink", "ICT-1", "--procedure", "FVT1")
    assert left["procedures"] == ["FVT2"]


def test_teams_are_made_and_listed(acme: Installation) -> None:
    assert told(acme, "team", "list") == "No teams yet.\n"
    test = acme.runcard("team", "create", " Test engineering ")
    line = acme.runcard("team", "create", "Line 1")
    assert test == {"id": test["id"], "name": "Test engineering"}
    assert acme.runcard("team", "list") == [line, test]
    for name, said in (
        ("line 1", "already exists"),
        (" ", "no team name"),
        ("x" * 256, "255"),
    ):
        refused = CliRunner().invoke(app, ["team", "create", name, "--data-dir", str(acme.data_dir)])
        assert refused.exit_code == 1
        assert said in refused.output
    assert len(acme.runcard("team", "list")) == 2


def test_members_are_made_listed_and_suspended(acme: Installation) -> None:
    made = acme.runcard("user", "create", "op@acme.test", "--name", "Olga", "--role", "operator")
    assert len(made["password"]) >= 10
    listed = acme.runcard("user", "list")
    assert [(user["email"], user["role"]) for user in listed] == [
        ("ada@acme.test", "admin"),
        ("op@acme.test", "operator"),
    ]
    assert listed[1]["suspended_at"] is None
    assert acme.runcard("user", "suspend", "OP@acme.test")["suspended_at"] is not None
    assert acme.runcard("user", "list")[1]["suspended_at"] is not None
    assert acme.runcard("user", "reinstate", listed[1]["id"])["suspended_at"] is None
    assert acme.runcard("user", "list") == listed


def test_a_password_is_replaced_by_one_that_is_given_or_made_up(acme: Installation) -> None:
    def works(password: str) -> bool:
        with acme.database() as database, database.read() as connection:
            credentials = find_credentials(connection, "ada@acme.test")
        return credentials is not None and is_right_password(password, credentials.password_hash)

    made_up = acme.runcard("user", "password", "ADA@acme.test")["password"]
    assert works(made_up)
    assert not works(PASSWORD)
    given = acme.runcard("user", "password", "ada@acme.test", "--password", PASSWORD)
    assert "password" not in given
    assert works(PASSWORD)
    assert "not shown again" in told(acme, "user", "password", "ada@acme.test")


@pytest.mark.parametrize("verb", ["suspend", "reinstate", "password"])
def test_nobody_is_changed_who_is_no_member(acme: Installation, verb: str) -> None:
    done = run_here("user", verb, "bob@acme.test", "--data-dir", acme.data_dir)
    assert done.code == 1
    assert (
        done.stderr == "Error: User not found: bob@acme.test. `runcard user list` shows those that exist.\n"
    )


def test_keys_are_made_for_users_and_stations_and_revoked(acme: Installation) -> None:
    station = acme.runcard("station", "create", "ICT-1")
    of_user = acme.runcard("key", "create", "--user", "ada@acme.test")
    of_station = acme.runcard("key", "create", "--station", "ICT-1")
    assert of_user["station_id"] is None
    assert of_station["station_id"] == station["id"]
    assert acme.runcard("key", "revoke", of_user["id"]) == {"id": of_user["id"], "revoked": True}
    revoked = {key["id"] for key in acme.runcard("key", "list") if key["revoked_at"]}
    assert revoked == {of_user["id"]}


def test_a_key_says_what_uses_it_and_when_it_expires(acme: Installation) -> None:
    made = acme.runcard("key", "create", "--user", "ada@acme.test", "--name", "MES", "--expires", "90d")
    assert (made["name"], made["expires_at"][:4].isdigit()) == ("MES", True)
    listed = {
        key["id"]: (key["name"], key["state"], key["expires_at"]) for key in acme.runcard("key", "list")
    }
    assert listed.pop(made["id"]) == ("MES", "works", made["expires_at"])
    assert list(listed.values()) == [(None, "works", None)]
    acme.runcard("key", "revoke", made["id"])
    assert "revoked" in {key["state"] for key in acme.runcard("key", "list")}
    for option, value, said in (
        ("--name", "x" * 101, "is no name of a key; use 1 to 100 characters"),
        ("--scope", "write", "'write' is no scope of a key; use record, read, manage"),
        ("--expires", "2026-01-01", "give a day to come"),
        ("--expires", "soon", "give its last day, such as 2027-01-31, or days, such as 90d"),
    ):
        refused = run_here(
            "key", "create", "--user", "ada@acme.test", option, value, RUNCARD_DATA_DIR=str(acme.data_dir)
        )
        assert (refused.code, said in refused.stderr) == (1, True)


def test_a_key_says_what_it_may(acme: Installation) -> None:
    acme.runcard("station", "create", "ICT-1")
    made = acme.runcard("key", "create", "--station", "ICT-1", "--scope", "read", "--scope", "record")
    assert made["scopes"] == ["record", "read"]
    assert [key["scopes"] for key in acme.runcard("key", "list")] == [None, None, ["record", "read"]]
    refused = run_here(
        "key", "create", "--station", "ICT-1", "--scope", "manage", RUNCARD_DATA_DIR=str(acme.data_dir)
    )
    assert refused.code == 1
    assert "Stations cannot manage; use record, read, or both" in refused.stderr


def test_a_key_is_replaced_and_works_for_some_days_yet(acme: Installation) -> None:
    old = acme.runcard(
        *("key", "create", "--user", "ada@acme.test", "--name", "MES", "--scope", "read", "--expires", "90d")
    )
    new = acme.runcard("key", "replace", old["id"])
    assert (new["replaces"], new["name"], new["scopes"]) == (old["id"], "MES", ["read"])
    listed = {key["id"]: key for key in acme.runcard("key", "list")}
    assert listed[old["id"]]["replaced_by"] == new["api_key"][:8]
    assert {listed[one["id"]]["state"] for one in (old, new)} == {"works"}
    now, left = datetime.now(UTC), datetime.fromisoformat(new["old_expires_at"])
    assert timedelta(days=6.9) < left - now < timedelta(days=7)
    assert timedelta(days=89.9) < datetime.fromisoformat(new["expires_at"]) - now < timedelta(days=90)
    last = acme.runcard("key", "replace", new["id"], "--overlap", "0")
    states = {key["id"]: key["state"] for key in acme.runcard("key", "list")}
    assert (states[new["id"]], states[last["id"]]) == ("expired", "works")
    for key_id, overlap, said in (
        (old["id"], "7d", "already. Replace that one."),
        (new["id"], "7d", "is expired, so it cannot be replaced. Create a key."),
        (last["id"], "91", "give 0 to 90 days, such as 7d"),
        (last["id"], "-1d", "give 0 to 90 days, such as 7d"),
        ("rc_xxxx", "7d", "is no key id"),
        (str(UUID(int=0)), "7d", "API key not found"),
    ):
        refused = run_here(
            "key", "replace", key_id, f"--overlap={overlap}", RUNCARD_DATA_DIR=str(acme.data_dir)
        )
        assert (refused.code, said in refused.stderr) == (1, True), refused.stderr


def test_a_key_without_an_end_is_replaced_by_one_without(acme: Installation) -> None:
    old = acme.runcard("key", "create", "--user", "ada@acme.test")
    new = acme.runcard("key", "replace", old["id"])
    assert new["expires_at"] is None
    assert new["old_expires_at"] is not None


def test_policies_are_set_one_by_one_and_taken_back(acme: Installation) -> None:
    before = acme.runcard("organization", "show")
    acme.runcard("organization", "set", "--serial-number-pattern", r"^(\w+)-", "--monthly-run-quota", "1000")
    acme.runcard("organization", "set", "--no-stations-may-create-parts", "--name", "Acme Ltd")
    changed = acme.runcard("organization", "show")
    assert changed == before | {
        "name": "Acme Ltd",
        "serial_number_pattern": r"^(\w+)-",
        "monthly_run_quota": 1000,
        "station_may_create_parts": False,
    }
    acme.runcard("organization", "set", "--no-serial-number-pattern", "--no-monthly-run-quota")
    acme.runcard("organization", "set", "--stations-may-create-parts", "--name", "Acme")
    assert acme.runcard("organization", "show") == before


def test_organizations_are_told_apart_by_their_slugs(acme: Installation) -> None:
    acme.runcard("init", "--organization", "Globex", "--email", "g@globex.test")
    assert [one["slug"] for one in acme.runcard("organization", "list")] == ["acme", "globex"]
    acme.runcard("procedure", "create", "Final test", "--organization", "globex")
    assert acme.runcard("procedure", "list", "--organization", "acme") == []
    assert len(acme.runcard("procedure", "list", "--organization", "globex")) == 1


def test_people_read_lines_and_tables(acme: Installation) -> None:
    made = told(acme, "station", "create", "Line 1, left", "--all-procedures")
    assert made.count("rc_") == 1
    assert "not shown again" in made
    rows = told(acme, "station", "list")
    assert "Line 1, left" in rows
    assert "all procedures" in rows
    assert "rc_" not in rows
    assert told(acme, "procedure", "list") == "No procedures yet.\n"


def test_the_version_and_every_verb_are_told() -> None:
    assert runcard("--version").stdout.startswith("runcard 0.")
    verbs = CliRunner().invoke(app, ["--help"]).stdout
    for verb in (
        "serve",
        "demo",
        "init",
        "organization",
        "user",
        "key",
        "station",
        "team",
        "procedure",
        "doctor",
    ):
        assert f" {verb} " in verbs
