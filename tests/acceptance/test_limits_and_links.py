"""A server behind a proxy, which takes less than usual, and lists runs as some programs want them."""

from collections.abc import Callable, Iterator

import httpx
import pytest

from tests.acceptance.conftest import Unchanged
from tests.acceptance.files import attachments_of, initialize, put, sync
from tests.acceptance.wire import Json, assert_error, create_run, run_of
from tests.conftest import DatabaseKind
from tests.servers import DEADLINE_S, Server

PUBLIC_URL = "https://runcard.example/line-1"
MAX_BODY = 4_000
MAX_UPLOAD = 1_000
JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def server(own_server: Server) -> Server:
    """It has settings of its own."""
    return own_server


@pytest.fixture(scope="module")
def database_kind() -> DatabaseKind:
    """All that is asked of the store here, other tests ask of both kinds."""
    return "sqlite"


@pytest.fixture(scope="module")
def server_settings() -> dict[str, str]:
    return {
        "RUNCARD_PUBLIC_URL": f"{PUBLIC_URL}/",
        "RUNCARD_MAX_BODY_BYTES": str(MAX_BODY),
        "RUNCARD_MAX_UPLOAD_BYTES": str(MAX_UPLOAD),
        "RUNCARD_RUNS_ENVELOPE": "array",
    }


@pytest.fixture
def through_proxy(server: Server) -> Callable[[str], str]:
    """What the proxy in front of `server` makes of a link."""

    def reached(link: str) -> str:
        assert link.startswith(f"{PUBLIC_URL}/files/")
        return link.replace(PUBLIC_URL, server.url, 1)

    return reached


def body_of(size: int, serial: str) -> bytes:
    """A run that is so many bytes long."""
    body = httpx.Request("POST", "http://x", json=run_of(serial)).content
    return body + b" " * (size - len(body))


def in_pieces(content: bytes) -> Iterator[bytes]:
    """Sent in chunks, so that nothing tells its length before its end."""
    for start in range(0, len(content), 100):
        yield content[start : start + 100]


def test_links_begin_with_the_public_url_however_the_request_came(admin, serial, through_proxy):
    elsewhere = {"Host": "elsewhere.example", "X-Forwarded-Proto": "http"}
    run_id = create_run(admin, run_of(serial))
    slot: Json = admin.post("/uploads/initialize", json={"name": "a.txt"}, headers=elsewhere).json()
    assert put({"uploadUrl": through_proxy(slot["uploadUrl"])}, b"content").status_code == 200
    assert sync(admin, slot["id"], run_id).status_code == 200
    (attachment,) = attachments_of(admin, serial)
    assert httpx.get(through_proxy(attachment["url"]), timeout=DEADLINE_S).content == b"content"


def test_a_body_may_be_as_long_as_is_allowed_and_no_longer(admin, new_serial, unchanged: Unchanged):
    assert admin.post("/runs", content=body_of(MAX_BODY, new_serial()), headers=JSON).status_code == 200
    too_long = body_of(MAX_BODY + 1, new_serial())
    message = f"Body is larger than {MAX_BODY} bytes; send less, or raise max_body_bytes."
    with unchanged():
        for path in ("/runs", "/uploads/initialize", "/uploads/sync", "/import"):
            for content in (too_long, in_pieces(too_long)):
                answer = admin.post(path, content=content, headers=JSON)
                assert_error(answer, 413, "PAYLOAD_TOO_LARGE", message)
        answer = admin.patch("/units", content=too_long, headers=JSON)
        assert_error(answer, 413, "PAYLOAD_TOO_LARGE", message)


def test_runs_are_listed_as_the_settings_say(admin, serial):
    run_id = create_run(admin, run_of(serial))
    asked = {"serial_number": serial}
    assert [run["id"] for run in admin.get("/runs", params=asked).json()] == [run_id]
    wrapped = admin.get("/runs", params={**asked, "envelope": "object"}).json()
    assert [run["id"] for run in wrapped["result"]] == [run_id]


def test_a_room_is_where_the_proxy_is(admin):
    assert admin.get("/rooms").json() == {"url": f"{PUBLIC_URL.replace('https', 'wss')}/api/v1/rooms/nobody"}


def test_a_file_may_be_as_long_as_is_allowed_and_no_longer(admin, serial, through_proxy):
    run_id = create_run(admin, run_of(serial))
    allowed, too_long = b"x" * MAX_UPLOAD, b"x" * (MAX_UPLOAD + 1)
    slot = initialize(admin, sizeBytes=MAX_UPLOAD)
    link = {"uploadUrl": through_proxy(slot["uploadUrl"])}
    for content in (too_long, in_pieces(too_long)):
        assert_error(put(link, content), 413, "PAYLOAD_TOO_LARGE")
    assert_error(sync(admin, slot["id"], run_id), 409, "CONFLICT")
    assert put(link, allowed).status_code == 200
    assert sync(admin, slot["id"], run_id).status_code == 200
    (attachment,) = attachments_of(admin, serial)
    assert attachment["size"] == MAX_UPLOAD


def test_a_file_that_is_announced_as_too_long_is_refused(admin, unchanged: Unchanged):
    with unchanged():
        members = {"name": "a.bin", "sizeBytes": MAX_UPLOAD + 1}
        answer = admin.post("/uploads/initialize", json=members)
        assert_error(answer, 413, "PAYLOAD_TOO_LARGE")
        assert "max_upload_bytes" in answer.json()["message"]
