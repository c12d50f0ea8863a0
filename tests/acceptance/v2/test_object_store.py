"""Files that clients send to an object store itself, so that this server learns of their bytes later."""

import pytest
from tofupilot.v2 import TofuPilot
from tofupilot.v2.errors import ErrorNOTFOUND

from tests.acceptance.test_object_store import bucket, server_settings, store_url
from tests.acceptance.v2.floor import fetched, make_part, put, unit_of
from tests.acceptance.v2.reporting import report
from tests.conftest import DatabaseKind
from tests.servers import Server
from tests.world import World

__all__ = ["bucket", "server_settings", "store_url"]  # fixtures: a server beside an object store


@pytest.fixture(scope="module")
def server(own_server: Server) -> Server:
    """It has settings of its own."""
    return own_server


@pytest.fixture(scope="module")
def database_kind() -> DatabaseKind:
    """All that is asked of the store here, other tests ask of both kinds."""
    return "sqlite"


def test_what_was_sent_is_known_once_it_is_finalized(user: TofuPilot, store_url: str) -> None:
    slot = user.attachments.initialize(name="a.csv")
    assert slot.upload_url.startswith(store_url)
    with pytest.raises(ErrorNOTFOUND):
        user.attachments.finalize(id=slot.id)
    assert put(slot.upload_url, b"1;2", "text/csv").status_code == 200
    for _ in range(2):
        assert fetched(user.attachments.finalize(id=slot.id).url) == b"1;2"


def test_what_was_sent_is_known_once_its_unit_is_read(user: TofuPilot) -> None:
    serial = make_part(user).unit()
    slot = user.units.create_attachment(serial_number=serial, name="a.csv")
    (file,) = unit_of(user, serial)["attachments"]
    assert (file["size"], file["content_type"], file["download_url"]) == (None, None, None)
    put(slot.upload_url, b"1;2", "text/csv")
    for _ in range(2):
        (file,) = unit_of(user, serial)["attachments"]
        assert (file["size"], file["content_type"], fetched(file["download_url"])) == (3, "text/csv", b"1;2")
    user.units.delete_attachment(serial_number=serial, ids=[slot.id])
    assert unit_of(user, serial)["attachments"] == []
    # The bin keeps the bytes, and a link that the store has signed works until it expires.
    assert fetched(file["download_url"]) == b"1;2"


def test_a_file_of_a_run_that_was_finalized_is_shown(user: TofuPilot, world: World) -> None:
    run_id = report(user, world.acme.board.id, "SN-1")
    slot = user.runs.create_attachment(id=run_id, name="a.csv")
    put(slot.upload_url, b"1;2", "text/csv")
    user.attachments.finalize(id=slot.id)
    (file,) = user.runs.get(id=run_id).model_dump()["attachments"]
    assert (file["id"], file["size"], fetched(file["download_url"])) == (slot.id, 3, b"1;2")
