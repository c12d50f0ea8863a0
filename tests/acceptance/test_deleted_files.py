"""What is deleted takes its files along, whichever door deletes it, and also where the server is killed meanwhile."""

from collections.abc import Iterator

import httpx
import pytest
from sqlalchemy import select

from runcard.store.engine import tables as t
from runcard.store.files.blobs import Blobs
from tests.acceptance.files import (
    attachments_of,
    sync,
    uploaded,
)
from tests.acceptance.test_retention import look_until
from tests.acceptance.wire import create_run, run_of, runs_of
from tests.importers.many_runs import junit_of
from tests.old_runs import keys_in
from tests.servers import DEADLINE_S, Server


@pytest.fixture(scope="module")
def server(own_server: Server) -> Server:
    """It looks at all files that there are."""
    return own_server


@pytest.fixture
def kept(server: Server) -> Blobs:
    return Blobs.open(None, None, server.data_dir / "attachments")


@pytest.fixture
def v2(server: Server) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {server.world.acme.admin.api_key}"}
    with httpx.Client(base_url=f"{server.url}/api/v2", headers=headers, timeout=DEADLINE_S) as client:
        yield client


def purge(v2: httpx.Client, *thing_ids: str) -> None:
    """Remove things from the bin for good, after which nothing of them is kept."""
    for thing_id in thing_ids:
        answer = v2.delete(str(v2.base_url.copy_with(path=f"/api/bin/{thing_id}")))
        assert answer.status_code == 200, answer.text


def attached(admin: httpx.Client, serial: str) -> str:
    """Id of a new run with a file."""
    run_id = create_run(admin, run_of(serial))
    assert sync(admin, uploaded(admin, b"a curve"), run_id).status_code == 200
    return run_id


@pytest.mark.parametrize("door", ["v1", "v2", "unit"])
def test_a_deleted_run_takes_its_files_along(admin, v2, serial, kept: Blobs, door: str):
    before = keys_in(kept)
    run_id = attached(admin, serial)
    (attachment,) = attachments_of(admin, serial)
    assert httpx.get(attachment["url"]).status_code == 200
    deleted = {
        "v1": lambda: admin.delete(f"/runs/{run_id}"),
        "v2": lambda: v2.delete("/runs", params={"ids": run_id}),
        "unit": lambda: v2.delete("/units", params={"serial_numbers": serial, "cascade": "true"}),
    }[door]()
    assert deleted.status_code == 200, deleted.text
    assert httpx.get(attachment["url"]).status_code == 404
    assert len(keys_in(kept)) == len(before) + 1, "the bin keeps the bytes"
    purge(v2, deleted.json()["id"][0] if door == "unit" else run_id)
    assert keys_in(kept) == before


def test_a_deleted_unit_takes_its_files_along(admin, v2, serial, kept: Blobs):
    before = keys_in(kept)
    run_id = create_run(admin, run_of(serial))
    slot = v2.post(f"/units/{serial}/attachments", json={"name": "photo.jpg"}).json()
    assert httpx.put(slot["upload_url"], content=b"a photo").status_code == 200
    unit_id = v2.get(f"/units/{serial}").json()["id"]
    assert admin.delete(f"/runs/{run_id}").status_code == 200
    purge(v2, run_id)
    assert len(keys_in(kept)) == len(before) + 1
    assert admin.delete(f"/units/{serial}").status_code == 200
    purge(v2, unit_id)
    assert keys_in(kept) == before


def test_a_deleted_procedure_takes_the_files_of_its_runs_along(admin, v2, serial, kept: Blobs):
    before = keys_in(kept)
    procedure_id = v2.post("/procedures", json={"name": "Short-lived"}).json()["id"]
    run_id = create_run(admin, run_of(serial, procedure_id=procedure_id))
    assert sync(admin, uploaded(admin, b"a curve"), run_id).status_code == 200
    assert v2.delete(f"/procedures/{procedure_id}").status_code == 200
    purge(v2, procedure_id)
    assert keys_in(kept) == before


def test_the_report_of_several_runs_goes_with_the_last_of_them(admin, v2, kept: Blobs, new_serial):
    before, serials = keys_in(kept), [new_serial(), new_serial()]
    upload_id = uploaded(admin, junit_of(serials), "two.xml")
    answer = v2.post("/imports/structured", json={"items": [{"upload_id": upload_id, "importer": "JUNIT"}]})
    assert answer.json()["results"][0]["success"], answer.text
    runs = [runs_of(admin, one)[0]["id"] for one in serials]
    assert admin.delete(f"/runs/{runs[0]}").status_code == 200
    assert len(keys_in(kept)) == len(before) + 1
    assert admin.delete(f"/runs/{runs[1]}").status_code == 200
    purge(v2, *runs)
    assert keys_in(kept) == before


def test_a_file_that_something_else_needs_stays(admin, v2, serial, kept: Blobs):
    run_id = create_run(admin, run_of(serial, unit={"part_number": "PCB-PICTURED", "part_revision": "A"}))
    upload_id = uploaded(admin, b"\x89PNG\r\n\x1a\n", "board.png")
    assert sync(admin, upload_id, run_id).status_code == 200
    answer = v2.patch("/parts/PCB-PICTURED/revisions/A", json={"image_id": upload_id})
    assert answer.status_code == 200, answer.text
    before = keys_in(kept)
    assert admin.delete(f"/runs/{run_id}").status_code == 200
    assert keys_in(kept) == before


def test_killed_between_the_commit_and_the_bytes(doomed: Server):
    """The next server removes them. Where the bytes cannot be removed at once stands for a server that is too slow."""
    doomed.start()
    kept = Blobs.open(None, None, doomed.data_dir / "attachments")
    with doomed.client(doomed.world.acme.admin.api_key) as admin:
        run_id = attached(admin, "KILLED")
        (key,) = keys_in(kept)
        path = doomed.data_dir / "attachments" / key
        path.rename(path.with_suffix(".kept"))
        path.mkdir()
        assert admin.delete(f"/runs/{run_id}").status_code == 200
        purge(admin, run_id)
    doomed.kill()
    path.rmdir()
    path.with_suffix(".kept").rename(path)
    assert doomed.runcard("doctor")["findings"] == []
    assert removals(doomed) == 1
    doomed.start()
    look_until(lambda: not removals(doomed))
    assert keys_in(kept) == []
    doomed.kill()
    assert doomed.runcard("doctor")["findings"] == []


def removals(server: Server) -> int:
    with server.database() as database, database.read() as connection:
        return len(connection.execute(select(t.file_removals)).all())
