"""A file that is finished stays what it is, whoever holds its link, and whenever a server is killed."""

import os
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from runcard.store.files.blobs import Blobs
from runcard.store.files.bytes_to_remove import list_removals
from tests.acceptance.files import attachments_of, downloaded, initialize, put, sync
from tests.acceptance.wire import Json, assert_error, create_run, run_of
from tests.old_runs import keys_in
from tests.servers import DEADLINE_S, Server


class SlowPut:
    """A PUT of which the first bytes have been sent; the rest follows when it is told."""

    def __init__(self, slot: Json) -> None:
        self._goes_on = threading.Event()
        self._has_begun = threading.Event()
        self._thread = ThreadPoolExecutor(1)
        self._answer = self._thread.submit(put, slot, self._pieces())
        assert self._has_begun.wait(DEADLINE_S)

    def _pieces(self) -> Iterator[bytes]:
        yield b"TAMPERED"
        self._has_begun.set()
        assert self._goes_on.wait(DEADLINE_S)
        yield b"-AFTERWARDS"

    def finish(self) -> httpx.Response:
        self._goes_on.set()
        self._thread.shutdown()
        return self._answer.result()


@pytest.fixture(scope="module")
def server(own_server: Server) -> Server:
    """It looks at all files that there are."""
    return own_server


@pytest.fixture
def kept(server: Server) -> Blobs:
    return Blobs.open(None, None, server.data_dir / "attachments")


def test_a_put_that_began_before_a_file_was_finished_does_not_replace_it(admin, serial, kept: Blobs):
    run_id = create_run(admin, run_of(serial))
    slot = initialize(admin)
    slow = SlowPut(slot)
    assert put(slot, b"GENUINE").status_code == 200
    assert sync(admin, slot["id"], run_id).status_code == 200
    before = keys_in(kept)
    assert_error(slow.finish(), 409, "CONFLICT")
    (attachment,) = attachments_of(admin, serial)
    assert attachment["size"] == len(b"GENUINE")
    assert downloaded(attachment) == b"GENUINE"
    assert keys_in(kept) == before


def test_of_two_puts_that_came_in_time_the_last_one_counts(admin, serial, kept: Blobs):
    run_id = create_run(admin, run_of(serial))
    slot = initialize(admin)
    slow = SlowPut(slot)
    assert put(slot, b"first").status_code == 200
    before = keys_in(kept)
    assert slow.finish().status_code == 200
    assert len(keys_in(kept)) == len(before)
    assert sync(admin, slot["id"], run_id).status_code == 200
    assert downloaded(attachments_of(admin, serial)[0]) == b"TAMPERED-AFTERWARDS"


def test_a_put_for_a_file_that_was_deleted_meanwhile_leaves_nothing(server: Server, admin, kept: Blobs):
    slot = initialize(admin)
    before = keys_in(kept)
    slow = SlowPut(slot)
    deleted = httpx.delete(
        f"{server.url}/api/v2/attachments", params={"ids": slot["id"]}, headers=admin.headers
    )
    assert deleted.status_code == 200
    assert_error(slow.finish(), 404, "NOT_FOUND")
    assert keys_in(kept) == before


def test_killed_between_the_bytes_and_the_commit(doomed: Server):
    """The file is what it was, and what was left behind is found."""
    doomed.start()
    kept = Blobs.open(None, None, doomed.data_dir / "attachments")
    with doomed.client(doomed.world.acme.admin.api_key) as admin:
        slot = initialize(admin)
        put(slot, b"first")
        (first,) = keys_in(kept)
        with doomed.database() as database, ThreadPoolExecutor() as threads:
            with database.writing_connection() as connection, connection.begin():
                # The bytes are written, and the transaction that would count them waits.
                if database.is_postgresql:
                    connection.exec_driver_sql("LOCK TABLE attachments IN EXCLUSIVE MODE")
                sent = threads.submit(put, slot, b"second")
                while len(keys_in(kept)) < 2:
                    assert not sent.done()
                doomed.kill()
            with pytest.raises(httpx.HTTPError):
                sent.result()
    doomed.start()
    with doomed.client(doomed.world.acme.admin.api_key) as admin:
        run_id = create_run(admin, run_of("KILLED"))
        assert sync(admin, slot["id"], run_id).status_code == 200
        assert downloaded(attachments_of(admin, "KILLED")[0]) == b"first"
    doomed.stop()
    (orphan,) = {*keys_in(kept)} - {first}
    long_ago = time.time() - 3 * 86_400
    os.utime(doomed.data_dir / "attachments" / orphan, (long_ago, long_ago))
    doomed.runcard("doctor", "--mend")
    assert keys_in(kept) == [first]
    with doomed.database() as database, database.read() as connection:
        assert list_removals(connection) == []
