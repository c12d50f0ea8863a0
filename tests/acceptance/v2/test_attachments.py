"""Files in v2: announced, sent, finalized, linked to runs and units, and deleted."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import select
from tofupilot.v2 import TofuPilot
from tofupilot.v2.errors import APIError, ErrorBADREQUEST, ErrorCONFLICT, ErrorNOTFOUND, TofuPilotError

from runcard.store.engine.database import Database
from runcard.store.engine.tables import revisions
from tests.acceptance.v2.conftest import Sdk
from tests.acceptance.v2.floor import Part, fetched, make_part, put, unit_of
from tests.acceptance.v2.reporting import report
from tests.servers import Server
from tests.world import World

Fresh = Callable[[str], str]
Unchanged = Callable[[], AbstractContextManager[None]]


@pytest.fixture(scope="module")
def part(user: TofuPilot) -> Part:
    return make_part(user)


@pytest.fixture
def run_id(user: TofuPilot, world: World, fresh: Fresh) -> str:
    return report(user, world.acme.board.id, fresh("SN"))


def _sent(client: TofuPilot, content: bytes = b"content", name: str = "log.txt") -> str:
    """Id of an upload whose bytes have arrived, and of which nobody was told."""
    slot = client.attachments.initialize(name=name)
    assert put(slot.upload_url, content).status_code == 200
    return slot.id


def _files_of_run(client: TofuPilot, run_id: str) -> list[dict[str, Any]]:
    files: list[dict[str, Any]] = client.runs.get(id=run_id).model_dump()["attachments"]
    return files


def _files_of_unit(client: TofuPilot, serial: str) -> list[dict[str, Any]]:
    files: list[dict[str, Any]] = unit_of(client, serial)["attachments"]
    return files


def test_finalize_gives_the_link_to_exactly_the_bytes(user: TofuPilot, station: TofuPilot) -> None:
    content = bytes(range(256)) * 999
    for client in (user, station):
        slot = client.attachments.initialize(name="wave form.bin")
        assert (len(slot.id), slot.upload_url.startswith("http://")) == (36, True)
        answer = put(slot.upload_url, content, "application/octet-stream")
        assert (answer.status_code, answer.history) == (200, [])
        for _ in range(2):
            assert fetched(client.attachments.finalize(id=slot.id).url) == content


def test_only_what_has_arrived_is_finalized(
    user: TofuPilot, station: TofuPilot, wire: httpx.Client, unchanged: Unchanged
) -> None:
    empty = user.attachments.initialize(name="never sent.txt").id
    with unchanged():
        for client in (user, station):
            for upload_id in (empty, str(uuid4()), "no-id"):
                with pytest.raises(ErrorNOTFOUND, match=upload_id):
                    client.attachments.finalize(id=upload_id)
        assert wire.post("/attachments/%20/finalize").status_code == 404


@pytest.mark.parametrize("name", ["", "  ", "n" * 1001, "nul\0"])
def test_bad_names_are_refused(user: TofuPilot, run_id: str, name: str, unchanged: Unchanged) -> None:
    with unchanged():
        with pytest.raises(ErrorBADREQUEST, match="validation"):
            user.attachments.initialize(name=name)
        with pytest.raises(APIError) as raised:
            user.runs.create_attachment(id=run_id, name=name)
        assert raised.value.status_code == 400


@pytest.mark.parametrize("name", ["n" * 1000, "../../etc/passwd", "波形 🔧.csv", "a\nb"])
def test_odd_names_are_kept(user: TofuPilot, run_id: str, name: str) -> None:
    user.runs.update(id=run_id, attachments=[_sent(user, name=name)])
    (file,) = _files_of_run(user, run_id)
    assert file["name"] == name
    assert fetched(file["download_url"]) == b"content"


def test_linking_to_a_run_adds_and_needs_no_finalize(
    user: TofuPilot, station: TofuPilot, run_id: str
) -> None:
    first, second = _sent(user, b"one", "one.csv"), _sent(station, b"three", "two.txt")
    assert user.runs.update(id=run_id, attachments=[first]).id == run_id
    station.runs.update(id=run_id, attachments=[second, first])
    one, two = _files_of_run(user, run_id)
    assert (one["id"], one["name"], one["size"]) == (first, "one.csv", 3)
    assert (two["id"], two["size"], two["content_type"], two["is_report"]) == (second, 5, "text/plain", False)
    assert fetched(two["download_url"]) == b"three"


def test_a_file_may_be_linked_before_its_bytes_arrive(user: TofuPilot, part: Part, run_id: str) -> None:
    serial = part.unit()
    of_run, of_unit = (user.attachments.initialize(name="late.txt") for _ in range(2))
    user.runs.update(id=run_id, attachments=[of_run.id])
    user.units.update(serial_number=serial, attachments=[of_unit.id])
    for (file,) in (_files_of_run(user, run_id), _files_of_unit(user, serial)):
        assert (file["size"], file["content_type"], file["download_url"]) == (None, None, None)
    for slot in (of_run, of_unit):
        assert put(slot.upload_url, b"late").status_code == 200
        # What is part of a record is not replaced any more.
        assert put(slot.upload_url, b"later").status_code == 409
    for (file,) in (_files_of_run(user, run_id), _files_of_unit(user, serial)):
        assert (file["size"], fetched(file["download_url"])) == (4, b"late")


def test_a_file_is_part_of_one_thing_only(
    user: TofuPilot, part: Part, run_id: str, world: World, fresh: Fresh, unchanged: Unchanged
) -> None:
    another_run, serial, another = report(user, world.acme.board.id, fresh("SN")), part.unit(), part.unit()
    of_run, of_unit, free = _sent(user), _sent(user), _sent(user)
    user.runs.update(id=run_id, attachments=[of_run])
    user.units.update(serial_number=serial, attachments=[of_unit])
    with unchanged():
        for call in (
            lambda: user.runs.update(id=another_run, attachments=[free, of_run]),
            lambda: user.runs.update(id=run_id, attachments=[free, of_unit]),
        ):
            with pytest.raises(APIError, match="part of another run or unit") as raised:
                call()
            assert raised.value.status_code == 409
        for upload_id in (of_run, of_unit):
            with pytest.raises(ErrorCONFLICT, match="part of another run or unit"):
                user.units.update(serial_number=another, attachments=[free, upload_id])


def test_unknown_uploads_and_runs_are_not_found(
    user: TofuPilot, station: TofuPilot, run_id: str, unchanged: Unchanged
) -> None:
    free = _sent(user)
    with unchanged():
        for client in (user, station):
            with pytest.raises(ErrorNOTFOUND):
                client.runs.update(id=run_id, attachments=[free, str(uuid4())])
            for attachments in ([free], [], None):
                with pytest.raises(ErrorNOTFOUND):
                    client.runs.update(id=str(uuid4()), attachments=attachments)
            for unknown in (str(uuid4()), "no-id"):
                with pytest.raises(ErrorNOTFOUND):
                    client.runs.create_attachment(id=unknown, name="a.txt")


def test_an_upload_made_for_a_run_is_part_of_it_from_the_start(
    user: TofuPilot, station: TofuPilot, run_id: str
) -> None:
    for client in (user, station):
        slot = client.runs.create_attachment(id=run_id, name="scope.csv")
        assert put(slot.upload_url, b"1;2", "text/csv").status_code == 200
        file = _files_of_run(client, run_id)[-1]
        assert (file["id"], file["name"], file["size"]) == (slot.id, "scope.csv", 3)
        assert (file["content_type"], file["is_report"]) == ("text/csv", False)
        assert fetched(file["download_url"]) == fetched(client.attachments.finalize(id=slot.id).url) == b"1;2"


def test_stations_add_files_only_to_runs_that_they_may_report(
    station: TofuPilot, user: TofuPilot, world: World, fresh: Fresh, unchanged: Unchanged
) -> None:
    run_id, free = report(user, world.acme.final.id, fresh("SN")), _sent(station)
    with unchanged():
        for call in (
            lambda: station.runs.create_attachment(id=run_id, name="a.txt"),
            lambda: station.runs.update(id=run_id, attachments=[free]),
        ):
            with pytest.raises(APIError, match="FORBIDDEN") as raised:
                call()
            assert raised.value.status_code == 403


def test_what_the_client_uploads_it_downloads_again(
    user: TofuPilot, part: Part, run_id: str, tmp_path: Path
) -> None:
    source, back, serial = tmp_path / "curve.csv", tmp_path / "back.csv", part.unit()
    source.write_bytes(b"a;b\n1;2\n")
    # The client hangs these on when it is made, unseen by type checkers.
    runs: Any = user.runs
    units: Any = user.units
    of_run = runs.attachments.upload(run_id, source)
    of_unit = units.attachments.upload(serial, source)
    (run_file,), (unit_file,) = runs.get(id=run_id).attachments, units.get(serial_number=serial).attachments
    assert (run_file.id, unit_file.id) == (of_run, of_unit)
    for file, resource in ((run_file, runs), (unit_file, units)):
        assert (file.name, file.size, file.content_type) == ("curve.csv", 8, "text/csv")
        resource.attachments.download(file, back)
        assert back.read_bytes() == source.read_bytes()
    units.attachments.delete(serial, [of_unit])
    assert _files_of_unit(user, serial) == []


def test_files_of_a_unit_are_announced_linked_and_deleted(
    user: TofuPilot, station: TofuPilot, part: Part, server: Server
) -> None:
    serial = part.unit()
    slot = station.units.create_attachment(serial_number=serial.lower(), name="a.txt")
    put(slot.upload_url, b"one")
    linked = _sent(user, b"two", "original name.txt")
    user.units.update(serial_number=serial, attachments=[linked])
    user.units.update(serial_number=serial, attachments=[linked])
    one, two = _files_of_unit(user, serial)
    assert (one["id"], two["id"], two["name"]) == (slot.id, linked, "original name.txt")
    deleted = station.units.delete_attachment(serial_number=serial, ids=[slot.id, slot.id])
    assert deleted.ids == [slot.id]
    assert [file["id"] for file in _files_of_unit(user, serial)] == [linked]
    assert httpx.get(one["download_url"]).status_code == 404
    assert put(slot.upload_url, b"again").status_code == 404
    assert not list((server.data_dir / "attachments").rglob(slot.id))


def test_only_files_of_the_unit_are_deleted_all_or_none(
    user: TofuPilot, part: Part, run_id: str, fresh: Fresh, unchanged: Unchanged
) -> None:
    serial, another, free = part.unit(), part.unit(), _sent(user)
    mine = user.units.create_attachment(serial_number=serial, name="a.txt").id
    theirs = user.units.create_attachment(serial_number=another, name="a.txt").id
    of_run = user.runs.create_attachment(id=run_id, name="a.txt").id
    with unchanged():
        for wrong in (theirs, of_run, free, str(uuid4()), "no-id"):
            with pytest.raises(ErrorNOTFOUND):
                user.units.delete_attachment(serial_number=serial, ids=[mine, wrong])
        for call in (
            lambda: user.units.delete_attachment(serial_number=fresh("SN"), ids=[mine]),
            lambda: user.units.create_attachment(serial_number=fresh("SN"), name="a.txt"),
        ):
            with pytest.raises(ErrorNOTFOUND):
                call()
        with pytest.raises(APIError) as raised:
            user.units.delete_attachment(serial_number=serial, ids=[])
        assert raised.value.status_code == 400


def test_older_clients_delete_files_of_anything(
    user: TofuPilot, wire: httpx.Client, part: Part, run_id: str, server: Server, record: Database
) -> None:
    serial, free = part.unit(), _sent(user)
    of_run, of_unit, image = _sent(user), _sent(user), _sent(user)
    user.runs.update(id=run_id, attachments=[of_run])
    user.units.update(serial_number=serial, attachments=[of_unit])
    user.parts.revisions.update(part_number=part.number, revision_number="A", image_id=image)
    ids = [of_run, free, of_unit, image]
    answer = wire.delete("/attachments", params={"ids": ids})
    assert (answer.status_code, answer.json()) == (200, {"id": ids})
    assert _files_of_run(user, run_id) == _files_of_unit(user, serial) == []
    assert not [found for upload_id in ids for found in (server.data_dir / "attachments").rglob(upload_id)]
    with record.read() as connection:
        assert connection.execute(select(revisions).where(revisions.c.image_id == UUID(image))).all() == []
    assert wire.delete("/attachments", params={"ids": ids[:1]}).status_code == 404


def test_older_clients_delete_all_or_none(user: TofuPilot, wire: httpx.Client, unchanged: Unchanged) -> None:
    free = _sent(user)
    with unchanged():
        for wrong in (str(uuid4()), "no-id"):
            answer = wire.delete("/attachments", params={"ids": [free, wrong]})
            assert (answer.status_code, answer.json()["code"]) == (404, "NOT_FOUND")
        assert wire.delete("/attachments").status_code == 400
        assert wire.delete("/attachments?ids=").status_code == 400


def test_stations_and_viewers_do_not_delete_files_of_others(
    sdk: Sdk, world: World, user: TofuPilot, server: Server, unchanged: Unchanged
) -> None:
    free = _sent(user)
    with unchanged():
        for key in (world.acme.ict.api_key, world.acme.viewer.api_key):
            headers = {"Authorization": f"Bearer {key}"}
            url = f"{server.url}/api/v2/attachments"
            answer = httpx.delete(url, params={"ids": free}, headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (403, "FORBIDDEN")
        viewer = sdk(world.acme.viewer.api_key)
        for call in (
            lambda: viewer.attachments.initialize(name="a.txt"),
            lambda: viewer.attachments.finalize(id=free),
        ):
            with pytest.raises(TofuPilotError, match="Role viewer"):
                call()


def test_another_organization_has_no_part_in_it(
    user: TofuPilot, other: TofuPilot, part: Part, run_id: str, unchanged: Unchanged
) -> None:
    serial, free, mine = part.unit(), _sent(user), _sent(other)
    of_unit = user.units.create_attachment(serial_number=serial, name="a.txt").id
    abroad = make_part(other).unit()
    with unchanged():
        for call in (
            lambda: other.attachments.finalize(id=free),
            lambda: other.runs.update(id=run_id, attachments=[mine]),
            lambda: other.runs.create_attachment(id=run_id, name="a.txt"),
            lambda: other.units.create_attachment(serial_number=serial, name="a.txt"),
            lambda: other.units.update(serial_number=abroad, attachments=[free]),
            lambda: other.units.delete_attachment(serial_number=abroad, ids=[of_unit]),
            lambda: user.units.update(serial_number=serial, attachments=[mine]),
        ):
            with pytest.raises(ErrorNOTFOUND):
                call()


def test_files_of_deleted_runs_and_units_are_gone(user: TofuPilot, part: Part, run_id: str) -> None:
    serial, upload_id, of_run = part.unit(), _sent(user), _sent(user)
    user.units.update(serial_number=serial, attachments=[upload_id])
    user.runs.update(id=run_id, attachments=[of_run])
    user.units.delete(serial_numbers=[serial])
    user.runs.delete(ids=[run_id])
    another = part.unit()
    for gone in (upload_id, of_run):
        with pytest.raises(ErrorNOTFOUND):
            user.units.update(serial_number=another, attachments=[gone])
    assert _files_of_unit(user, another) == []
