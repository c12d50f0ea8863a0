"""Units inside units: linked by runs and by updates (sections 3.6 and 6 of the v1 contract)."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from sqlalchemy import select

from runcard.domain.text import lookup_key
from runcard.store.engine.database import Database
from runcard.store.engine.tables import run_sub_units, unit_moves, units
from tests.acceptance.conftest import Unchanged
from tests.acceptance.wire import Json, assert_error, create_run, recorded, run_of, runs_of

NewSerial = Callable[[], str]
CIRCULAR = "Circular parent relationship not allowed"


def _made(client: httpx.Client, new_serial: NewSerial, count: int) -> list[str]:
    serials = [new_serial() for _ in range(count)]
    for serial in serials:
        create_run(client, run_of(serial))
    return serials


def _shown(run: Json) -> list[str]:
    return [unit["serial_number"] for unit in run["sub_units"]]


def _unit(record: Database, serial: str) -> Any:
    with record.read() as connection:
        return connection.execute(select(units).where(units.c.serial_key == lookup_key(serial))).one()


def _parent_of(record: Database, serial: str) -> str | None:
    parent_id = _unit(record, serial).parent_id
    if parent_id is None:
        return None
    with record.read() as connection:
        found = connection.execute(select(units.c.serial_number).where(units.c.id == parent_id))
        return str(found.scalar_one())


def test_sub_units_are_linked_in_order(admin, record, new_serial):
    parent, *children = _made(admin, new_serial, 6)
    body = run_of(parent, sub_units=[{"serial_number": child} for child in reversed(children)])
    run, retest = recorded(admin, body), recorded(admin, body)
    assert _shown(run) == _shown(retest) == children[::-1]
    assert [unit["id"] for unit in run["sub_units"]] == [str(_unit(record, c).id) for c in reversed(children)]
    assert {_parent_of(record, child) for child in children} == {parent}


def test_sub_units_of_a_new_unit(admin, record, new_serial):
    children = _made(admin, new_serial, 2)
    parent = new_serial()
    run = recorded(admin, run_of(parent, sub_units=[{"serial_number": child} for child in children]))
    assert _shown(run) == children
    assert {_parent_of(record, child) for child in children} == {parent}


def test_sub_units_match_without_case_and_each_once(admin, record, new_serial):
    parent, first, second = _made(admin, new_serial, 3)
    named: list[Any] = [
        {"serial_number": f" {first.lower()} ", "part_number": "ignored"},
        second,
        {"serial_number": first},
    ]
    assert _shown(recorded(admin, run_of(parent, sub_units=named))) == [first, second]


@pytest.mark.parametrize("sub_units", [None, []])
def test_no_sub_units_leave_those_that_are_there(admin, record, new_serial, sub_units):
    parent, child = _made(admin, new_serial, 2)
    create_run(admin, run_of(parent, sub_units=[child]))
    assert _shown(recorded(admin, run_of(parent, sub_units=sub_units))) == []
    assert _parent_of(record, child) == parent


def test_linking_adds_and_repeats_without_effect(admin, record, new_serial):
    parent, first, second = _made(admin, new_serial, 3)
    for _ in range(2):
        create_run(admin, run_of(parent, sub_units=[first]))
    create_run(admin, run_of(parent, sub_units=[second]))
    assert _parent_of(record, first) == _parent_of(record, second) == parent
    with record.read() as connection:
        moves = connection.execute(
            select(unit_moves).where(unit_moves.c.unit_id == _unit(record, first).id)
        ).all()
    assert len(moves) == 1


def test_child_moves_to_its_new_parent_with_a_trace(admin, record, new_serial):
    old, new, child = _made(admin, new_serial, 3)
    first = create_run(admin, run_of(old, sub_units=[child]))
    second = create_run(admin, run_of(new, sub_units=[child]))
    assert _parent_of(record, child) == new
    moved = unit_moves.c
    with record.read() as connection:
        query = select(moved.kind, moved.from_id, moved.to_id, moved.run_id).where(
            moved.unit_id == _unit(record, child).id
        )
        moves = [tuple(map(str, row)) for row in connection.execute(query.order_by(moved.moved_at))]
        earlier = connection.execute(
            select(run_sub_units.c.previous_parent_id).where(
                run_sub_units.c.unit_id == _unit(record, child).id
            )
        ).scalars()
        previous = set(earlier)
    old_id, new_id = str(_unit(record, old).id), str(_unit(record, new).id)
    assert moves == [("parent", "None", old_id, first), ("parent", old_id, new_id, second)]
    assert previous == {None, _unit(record, old).id}
    # What was assembled at the time stays with each run.
    assert _shown(runs_of(admin, old)[0]) == _shown(runs_of(admin, new)[0]) == [child]


@pytest.mark.parametrize("depth", [1, 2, 40])
def test_ring_is_refused_at_any_depth(admin, new_serial, unchanged: Unchanged, depth):
    line = _made(admin, new_serial, depth + 1)
    for parent, child in pairwise(line):
        create_run(admin, run_of(parent, sub_units=[child]))
    with unchanged():
        answer = admin.post("/runs", json=run_of(line[-1], sub_units=[line[0].lower()]))
        assert_error(answer, 400, "BAD_REQUEST", CIRCULAR)
        for path, body in [
            (f"/units/{line[-1]}", {"sub_units": [line[0]]}),
            ("/units", {"serial_number": line[-1], "sub_units": [line[0]]}),
            (f"/units/{line[0]}", {"sub_units": [line[0]]}),
        ]:
            assert_error(admin.patch(path, json=body), 400, "BAD_REQUEST", CIRCULAR)


def test_one_wrong_sub_unit_links_none(admin, new_serial, unchanged: Unchanged):
    parent, child = _made(admin, new_serial, 2)
    missing = new_serial()
    with unchanged():
        answer = admin.post("/runs", json=run_of(parent, sub_units=[child, missing]))
        assert_error(answer, 400, "BAD_REQUEST", f"Sub-units not found: {missing}")
        answer = admin.post("/runs", json=run_of(parent, sub_units=[child, parent]))
        assert_error(answer, 400, "BAD_REQUEST", CIRCULAR)


@pytest.mark.parametrize("sub_unit", ["", " ", {"serial_number": ""}, {"serial_number": None}, {}, 7, None])
def test_sub_unit_without_a_serial_number(admin, new_serial, unchanged: Unchanged, sub_unit):
    (parent,) = _made(admin, new_serial, 1)
    with unchanged():
        answer = admin.post("/runs", json=run_of(parent, sub_units=[sub_unit]))
        assert answer.status_code == 400, answer.text
        (issue,) = answer.json()["issues"]
        assert issue["path"][:2] == ["sub_units", 0]


def test_thousand_sub_units(admin, record, new_serial):
    children = _made(admin, new_serial, 1000)
    parent = new_serial()
    run = recorded(admin, run_of(parent, sub_units=[{"serial_number": child} for child in children]))
    assert _shown(run) == children
    answer = admin.patch(f"/units/{parent}", json={"sub_units": children})
    assert answer.status_code == 200, answer.text
    with record.read() as connection:
        linked = select(units.c.id).where(units.c.parent_id == _unit(record, parent).id)
        assert len(connection.execute(linked).all()) == 1000


def test_station_links_any_unit_of_its_organization(admin, ict, globex, record, new_serial):
    (child,) = _made(admin, new_serial, 1)
    parent = new_serial()
    assert _shown(recorded(ict, run_of(parent, sub_units=[child]))) == [child]
    (theirs,) = _made(globex, new_serial, 1)
    answer = ict.post("/runs", json=run_of(parent, sub_units=[theirs]))
    assert_error(answer, 400, "BAD_REQUEST", f"Sub-units not found: {theirs}")
    assert _parent_of(record, theirs) is None


def test_update_by_path_and_by_body(admin, ict, record, new_serial):
    parent, first, second, third = _made(admin, new_serial, 4)
    by_path = admin.patch(f"/units/{parent.lower()}", json={"sub_units": [{"serial_number": first}]})
    assert by_path.status_code == 200, by_path.text
    assert list(by_path.json()) == ["message"]
    by_body = admin.patch(
        "/units", json={"serial_number": f" {parent}", "sub_units": [{"serial_number": second}]}
    )
    assert by_body.status_code == 200, by_body.text
    by_station = ict.patch(f"/units/{parent}", json={"sub_units": [{"serial_number": third}]})
    assert by_station.status_code == 200, by_station.text
    assert {_parent_of(record, child) for child in (first, second, third)} == {parent}


@pytest.mark.parametrize("sub_units", [None, []])
def test_update_with_nothing_changes_nothing(admin, new_serial, unchanged: Unchanged, sub_units):
    (parent,) = _made(admin, new_serial, 1)
    with unchanged():
        assert admin.patch(f"/units/{parent}", json={"sub_units": sub_units}).status_code == 200
        assert admin.patch("/units", json={"serial_number": parent}).status_code == 200


@pytest.mark.parametrize("tail", ["/1/2", " 1/2", "/", "//x", "%20", "äö", "?x", "#y"])
def test_rest_of_the_path_is_the_serial_number(admin, record, new_serial, tail):
    (child,) = _made(admin, new_serial, 1)
    parent = new_serial() + tail + "Z"
    create_run(admin, run_of(parent))
    assert admin.patch(f"/units/{quote(parent)}", json={"sub_units": [child]}).status_code == 200
    assert _parent_of(record, child) == parent


def test_update_refuses_what_it_cannot_do(admin, viewer, globex, new_serial, unchanged: Unchanged):
    parent, child = _made(admin, new_serial, 2)
    missing = new_serial()
    with unchanged():
        for client, serial in [(admin, missing), (globex, parent)]:
            message = f"Unit not found: {serial}"
            answer = client.patch(f"/units/{serial}", json={"sub_units": [child]})
            assert_error(answer, 404, "NOT_FOUND", message)
            answer = client.patch("/units", json={"serial_number": serial, "sub_units": [child]})
            assert_error(answer, 404, "NOT_FOUND", message)
        answer = admin.patch(f"/units/{parent}", json={"sub_units": [missing]})
        assert_error(answer, 400, "BAD_REQUEST", f"Sub-units not found: {missing}")
        assert_error(viewer.patch(f"/units/{parent}", json={"sub_units": [child]}), 403, "FORBIDDEN")
        answer = admin.patch(f"/units/{parent}", json={"sub_units": [{"serial": child}]})
        assert_error(answer, 400, "BAD_REQUEST", at=["sub_units", 0, "serial_number"])
        answer = admin.patch("/units", json={"sub_units": [child]})
        assert_error(answer, 400, "BAD_REQUEST", at=["serial_number"])


def test_delete_a_unit(admin, ict, viewer, globex, record, new_serial, unchanged: Unchanged):
    parent, child = _made(admin, new_serial, 2)
    run_id = create_run(admin, run_of(parent, sub_units=[child]))
    with unchanged():
        assert_error(admin.delete(f"/units/{parent}"), 409, "CONFLICT")
        assert_error(ict.delete(f"/units/{parent}"), 403, "FORBIDDEN")
        assert_error(viewer.delete(f"/units/{parent}"), 403, "FORBIDDEN")
        assert_error(globex.delete(f"/units/{parent}"), 404, "NOT_FOUND", f"Unit not found: {parent}")
    for run in runs_of(admin, parent):
        assert admin.delete(f"/runs/{run['id']}").status_code == 200
    deleted = admin.delete(f"/units/{parent.lower()}")
    assert deleted.status_code == 200, deleted.text
    assert list(deleted.json()) == ["serial_number", "message"]
    assert deleted.json()["serial_number"] == parent
    assert_error(admin.delete(f"/units/{parent}"), 404, "NOT_FOUND", f"Unit not found: {parent}")
    assert _parent_of(record, child) is None
    assert run_id not in [run["id"] for run in runs_of(admin, parent)]
    # The serial number is free again, for a unit of another part.
    again = recorded(admin, run_of(parent, unit={"part_number": "OTHER"}))
    assert again["unit"]["part"]["number"] == "OTHER"


def test_delete_a_sub_unit_keeps_the_run_that_named_it(admin, new_serial):
    parent, child = new_serial(), new_serial()
    first = create_run(admin, run_of(child))
    create_run(admin, run_of(parent, sub_units=[child]))
    assert admin.delete(f"/runs/{first}").status_code == 200
    assert admin.delete(f"/units/{child}").status_code == 200
    (run,) = runs_of(admin, parent)
    assert run["sub_units"] == []


def test_delete_a_run(admin, ict, viewer, globex, new_serial, unchanged: Unchanged):
    serial = new_serial()
    kept, doomed = create_run(admin, run_of(serial)), create_run(admin, run_of(serial))
    with unchanged():
        assert_error(ict.delete(f"/runs/{doomed}"), 403, "FORBIDDEN")
        assert_error(viewer.delete(f"/runs/{doomed}"), 403, "FORBIDDEN")
        for client, run_id in [(globex, doomed), (admin, "no-id"), (admin, doomed[:-1])]:
            assert_error(client.delete(f"/runs/{run_id}"), 404, "NOT_FOUND")
    answer = admin.delete(f"/runs/{doomed}")
    assert answer.status_code == 200, answer.text
    assert list(answer.json()) == ["id", "message"]
    assert answer.json()["id"] == doomed
    assert_error(admin.delete(f"/runs/{doomed}"), 404, "NOT_FOUND")
    assert [run["id"] for run in runs_of(admin, serial)] == [kept]


def test_last_admin_action_does_not_resurrect_units(admin, new_serial):
    """What the writer remembers of a unit is forgotten when the unit is deleted."""
    serial = new_serial()
    for part in ("FIRST", "SECOND", "THIRD"):
        run = recorded(admin, run_of(serial, unit={"part_number": part}))
        assert run["unit"]["part"]["number"] == part
        assert admin.delete(f"/runs/{run['id']}").status_code == 200
        assert admin.delete(f"/units/{serial}").status_code == 200
