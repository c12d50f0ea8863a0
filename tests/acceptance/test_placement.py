"""What a run does to units, parts, revisions, batches and versions (section 3.4 of the v1 contract)."""

from uuid import uuid4

import pytest

from tests.acceptance.conftest import Policy
from tests.acceptance.wire import MISSING_PART_NUMBER, assert_error, create_run, recorded, run_of, runs_of
from tests.world import World

# The vendor's preset "first 8 characters".
FIRST_8 = "^([A-Z0-9]{8})"


@pytest.fixture
def unique() -> str:
    """A name for a part, batch or version that nobody has used."""
    return uuid4().hex[:10]


def _part_of(run) -> str:
    number: str = run["unit"]["part"]["number"]
    assert run["unit"]["revision"]["component"]["part_number"] == number
    return number


def _revision_of(run) -> str:
    number: str = run["unit"]["part"]["revision"]["number"]
    assert run["unit"]["revision"]["identifier"] == number
    return number


def _batch_of(run) -> str | None:
    batch = run["unit"]["batch"]
    return None if batch is None else batch["number"]


def test_part_is_explicit_whatever_the_pattern_says(admin, serial, policy: Policy, unique):
    with policy(serial_number_pattern=FIRST_8):
        run = recorded(admin, run_of(f"ABCD1234{serial}", unit={"part_number": unique}))
        assert _part_of(run) == unique
        other = recorded(admin, run_of(f"ABCD1234{serial}", unit={"part_number": f"{unique}-2"}))
        assert _part_of(other) == f"{unique}-2"


@pytest.mark.parametrize(
    ("pattern", "serial", "part_number"),
    [
        (FIRST_8, "PCB101T5A123", "PCB101T5"),
        ("^([A-Z]+)-(?P<part_number>[0-9]+)-", "LOT-4711-000A", "4711"),
        ("[A-Z]{3}[0-9]{3}", "xxx PCB204 yyy", "PCB204"),
        ("^(?:SN)([0-9]{4})", "SN20240001", "2024"),
    ],
)
def test_part_is_read_out_of_the_serial_number(admin, policy: Policy, pattern, serial, part_number):
    with policy(serial_number_pattern=pattern):
        assert _part_of(recorded(admin, run_of(serial, unit={"part_number": None}))) == part_number


def test_known_unit_moves_to_the_part_that_its_serial_number_says(admin, serial, policy: Policy, unique):
    whole = f"MOVE0001{serial}"
    create_run(admin, run_of(whole, unit={"part_number": unique}))
    with policy(serial_number_pattern=FIRST_8):
        assert _part_of(recorded(admin, run_of(whole, unit={"part_number": None}))) == "MOVE0001"


def test_known_unit_keeps_its_part_where_the_pattern_finds_none(admin, serial, policy: Policy, unique):
    create_run(admin, run_of(serial, unit={"part_number": unique}))
    with policy(serial_number_pattern="^([0-9]{20})"):
        assert _part_of(recorded(admin, run_of(serial, unit={"part_number": None}))) == unique


def test_known_unit_keeps_its_part_without_a_pattern(admin, serial, unique):
    create_run(admin, run_of(serial, unit={"part_number": unique}))
    assert _part_of(recorded(admin, run_of(serial, unit={"part_number": ""}))) == unique


def test_new_unit_without_part_and_pattern_is_refused(admin, serial):
    answer = admin.post("/runs", json=run_of(serial, unit={"part_number": None}))
    assert_error(answer, 400, "BAD_REQUEST", MISSING_PART_NUMBER)
    assert runs_of(admin, serial) == []


def test_moved_unit_leaves_its_older_runs_where_they_were(admin, serial, unique):
    places = [
        {"part_number": f"{unique}-1", "revision": "A", "batch_number": f"{unique}-b1"},
        {"part_number": f"{unique}-2", "revision": "B", "batch_number": f"{unique}-b2"},
        {"part_number": f"{unique}-3", "revision": "C"},
        {"part_number": f"{unique}-1", "revision": "X", "batch_number": f"{unique}-b1"},
    ]
    for place in places:
        run = recorded(admin, run_of(serial, unit=place))
        assert _part_of(run) == place["part_number"]
        assert _revision_of(run) == place["revision"]
    shown = [(_part_of(run), _revision_of(run), _batch_of(run)) for run in reversed(runs_of(admin, serial))]
    assert shown == [
        (f"{unique}-1", "A", f"{unique}-b1"),
        (f"{unique}-2", "B", f"{unique}-b2"),
        (f"{unique}-3", "C", f"{unique}-b2"),  # the batch was not named again
        (f"{unique}-1", "X", f"{unique}-b1"),
    ]
    assert len({run["unit"]["id"] for run in runs_of(admin, serial)}) == 1


def test_run_shows_revision_and_batch_that_only_a_later_run_names(admin, serial, unique):
    first = recorded(admin, run_of(serial, unit={"part_number": unique}))
    assert (_revision_of(first), _batch_of(first)) == ("A", None)
    second = recorded(
        admin, run_of(serial, unit={"part_number": unique, "revision": "1.2", "batch_number": unique})
    )
    assert (_revision_of(second), _batch_of(second)) == ("1.2", unique)
    third = recorded(admin, run_of(serial, unit={"part_number": unique}))
    assert (_revision_of(third), _batch_of(third)) == ("1.2", unique)


def test_default_revision_is_that_of_the_part(admin, new_serial, unique):
    explicit = recorded(admin, run_of(new_serial(), unit={"part_number": unique, "revision": "B"}))
    default = recorded(admin, run_of(new_serial(), unit={"part_number": unique}))
    named = recorded(admin, run_of(new_serial(), unit={"part_number": unique, "revision": "a"}))
    assert [_revision_of(run) for run in (explicit, default, named)] == ["B", "A", "A"]
    ids = [run["unit"]["revision"]["id"] for run in (explicit, default, named)]
    assert ids[0] != ids[1] == ids[2]


def test_unit_that_moves_to_another_part_gets_that_parts_default_revision(admin, serial, unique):
    create_run(admin, run_of(serial, unit={"part_number": f"{unique}-1", "revision": "K"}))
    moved = recorded(admin, run_of(serial, unit={"part_number": f"{unique}-2"}))
    assert _revision_of(moved) == "A"


def test_same_revision_name_of_two_parts_is_two_revisions(admin, new_serial, unique):
    ids = {
        recorded(admin, run_of(new_serial(), unit={"part_number": part, "revision": "R1"}))["unit"][
            "revision"
        ]["id"]
        for part in (f"{unique}-1", f"{unique}-2")
    }
    assert len(ids) == 2


def test_same_batch_of_two_parts_is_one_batch(admin, new_serial, unique):
    ids = {
        recorded(admin, run_of(new_serial(), unit={"part_number": part, "batch_number": unique}))["unit"][
            "batch"
        ]["id"]
        for part in (f"{unique}-1", f"{unique}-2")
    }
    assert len(ids) == 1


@pytest.mark.parametrize("absent", [None, "", "   "])
def test_no_version_is_no_version(admin, serial, absent):
    run = recorded(admin, run_of(serial, procedure_version=absent))
    assert run["procedure_version"] is None
    assert run["procedure"]["version"] is None


def test_version_is_created_once_for_each_procedure(admin, new_serial, unique):
    def version_of(procedure: str, tag: str):
        run = recorded(admin, run_of(new_serial(), procedure_id=procedure, procedure_version=tag))
        assert run["procedure"]["version"] == {
            "id": run["procedure_version"]["id"],
            "tag": run["procedure_version"]["value"],
        }
        return run["procedure_version"]

    first = version_of("FVT1", f"V{unique}")
    assert first["value"] == f"V{unique}"
    assert version_of("FVT1", f"  v{unique.upper()} ") == first
    other = version_of("FVT2", f"V{unique}")
    assert other["id"] != first["id"]
    assert runs_of(admin, new_serial()) == []


def test_names_match_without_case_and_keep_their_first_spelling(admin, new_serial, unique):
    serial = f"Gerät-{new_serial()}"
    first = run_of(
        serial,
        unit={"part_number": f"Teil-ß-{unique}", "revision": "Rev-ä", "batch_number": f"Los-{unique}"},
        procedure_version=f"Fassung-{unique}",
    )
    shouted = run_of(
        f"  {serial.upper()}\t",
        unit={
            "part_number": f" TEIL-SS-{unique.upper()}",
            "revision": "REV-Ä ",
            "batch_number": f"\nLOS-{unique.upper()}",
        },
        procedure_version=f"FASSUNG-{unique.upper()} ",
        procedure_id=" fvt1 ",
    )
    recorded(admin, first)
    create_run(admin, shouted)
    runs = runs_of(admin, serial.lower())
    assert len(runs) == 2
    assert runs[0]["unit"] == runs[1]["unit"]
    assert runs[0]["procedure_version"] == runs[1]["procedure_version"]
    unit = runs[0]["unit"]
    assert unit["serial_number"] == serial
    assert (_part_of(runs[0]), _revision_of(runs[0])) == (f"Teil-ß-{unique}", "Rev-ä")
    assert _batch_of(runs[0]) == f"Los-{unique}"
    assert runs[0]["procedure_version"]["value"] == f"Fassung-{unique}"


def test_trimming_comes_before_length(admin, new_serial):
    serial = new_serial().ljust(255, "x")
    run = recorded(admin, run_of(serial, unit={"part_number": "P" * 255, "revision": "R" * 255}))
    assert run["unit"]["serial_number"] == serial
    assert _part_of(run) == "P" * 255


def test_procedure_by_identifier_and_by_id(admin, serial, world: World):
    board = world.acme.board
    for reference in (
        board.identifier,
        board.identifier.lower(),
        str(board.id),
        str(board.id).upper(),
        board.id.hex,
    ):
        run = recorded(admin, run_of(serial, procedure_id=reference))
        assert run["procedure"]["id"] == str(board.id)
        assert run["procedure"]["identifier"] == board.identifier
        assert run["procedure"]["name"] == board.name


@pytest.mark.parametrize("name", ["Board", "Another", "", None])
def test_procedure_name_is_ignored(admin, serial, name):
    assert recorded(admin, run_of(serial, procedure_name=name))["procedure"]["name"] == "Board"


def test_flat_aliases_stand_in_for_the_unit_under_test(admin, serial, unique):
    flat = {
        "run_passed": True,
        "procedure_id": "FVT1",
        "serial_number": serial,
        "part_number": unique,
        "revision": "F",
        "batch_number": unique,
    }
    run_id = admin.post("/runs", json=flat).json()["id"]
    (run,) = runs_of(admin, serial)
    assert run["id"] == run_id
    assert (_part_of(run), _revision_of(run), _batch_of(run)) == (unique, "F", unique)
    nested = run_of(serial, serial_number="NEVER", part_number="NEVER", unit={"part_number": f"{unique}-2"})
    assert _part_of(recorded(admin, nested)) == f"{unique}-2"
    assert runs_of(admin, "NEVER") == []


def test_organizations_share_nothing(admin, globex, serial, unique):
    mine = recorded(admin, run_of(serial, unit={"part_number": unique, "batch_number": unique}))
    theirs = recorded(globex, run_of(serial, unit={"part_number": unique.upper(), "batch_number": unique}))
    assert _part_of(theirs) == unique.upper()
    for path in ("id", "part", "batch", "revision"):
        assert mine["unit"][path] != theirs["unit"][path]
    assert len(runs_of(admin, serial)) == len(runs_of(globex, serial)) == 1
    assert admin.delete(f"/runs/{theirs['id']}").status_code == 404
    assert len(runs_of(globex, serial)) == 1


def test_operator_and_creator_are_shown(admin, fct, serial, world: World):
    eve = world.acme.engineer
    by_user = recorded(admin, run_of(serial, operated_by=f" {eve.email.upper()} "))
    assert by_user["operated_by"] == {
        "id": str(eve.actor.user_id),
        "name": eve.name,
        "email": eve.email,
        "image": None,
    }
    assert by_user["created_by_user"]["email"] == world.acme.admin.email
    assert by_user["created_by_station"] is None
    by_station = recorded(fct, run_of(serial, operated_by=""))
    assert by_station["operated_by"] is None
    assert by_station["created_by_user"] is None
    station = {"id": str(world.acme.fct.actor.station_id), "name": "FCT-1", "image": None}
    assert by_station["created_by_station"] == station


def test_unknown_members_are_ignored(admin, serial):
    body = run_of(serial, report_variables={"a": "b"}, comparator="x", client="Python", client_version=None)
    body["unit_under_test"]["part_name"] = "Main board"
    assert _part_of(recorded(admin, body)) == "PCB-100"
