"""Attachments and imports over the files of the data directory (section 4 of the v1 contract)."""

import json
import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import httpx
import pytest
from itsdangerous import TimestampSigner, URLSafeTimedSerializer

from tests.acceptance.conftest import Unchanged
from tests.acceptance.files import (
    attachments_of,
    downloaded,
    import_report,
    initialize,
    openhtf_report,
    put,
    sync,
    uploaded,
)
from tests.acceptance.wire import (
    MISSING_PART_NUMBER,
    NOT_AUTHORIZED,
    NOT_LINKED,
    assert_error,
    create_run,
    run_of,
    runs_of,
)
from tests.conftest import DatabaseKind
from tests.servers import Server

NOBODYS_ID = "550e8400-e29b-41d4-a716-446655440000"
MIB = 1024 * 1024
NOT_LINKABLE = "Failed to sync upload with run"


@pytest.fixture(scope="module")
def server(own_server: Server) -> Server:
    """It has settings of its own, and looks at all files that there are."""
    return own_server


@pytest.fixture(scope="module")
def database_kind() -> DatabaseKind:
    """All that is asked of the store here, other tests ask of both kinds."""
    return "sqlite"


@pytest.fixture(scope="module")
def server_settings() -> dict[str, str]:
    """The tests stand where a proxy would."""
    return {
        "RUNCARD_TRUSTED_PROXIES": "127.0.0.1",
        "RUNCARD_ALLOWED_HOSTS": ".runcard.example, other.example",
    }


CONTENTS = [
    b"hello",
    b"\r\n\0\xff",
    os.urandom(3 * MIB + 17),
    b"x" * (10 * MIB),
]


@pytest.mark.parametrize("content", CONTENTS, ids=["text", "odd bytes", "3 MiB", "10 MiB"])
def test_bytes_come_back_as_they_went(admin, serial, content):
    run_id = create_run(admin, run_of(serial))
    upload_id = uploaded(admin, content, "dump.bin", mimeType="application/x-dump", sizeBytes=len(content))
    answer = sync(admin, upload_id, run_id)
    assert (answer.status_code, answer.json()) == (200, {})
    (attachment,) = attachments_of(admin, serial)
    assert downloaded(attachment) == content
    del attachment["url"]
    assert attachment == {
        "id": upload_id,
        "name": "dump.bin",
        "filename": "dump.bin",
        "content_type": "application/x-dump",
        "size": len(content),
    }


def test_chunked_put(ict, admin, serial):
    run_id = create_run(ict, run_of(serial))
    slot = initialize(ict)
    answer = put(slot, iter([b"one ", b"", b"two ", b"x" * MIB]))
    assert answer.request.headers["transfer-encoding"] == "chunked"
    assert answer.status_code == 200
    assert sync(ict, slot["id"], run_id).status_code == 200
    assert downloaded(attachments_of(admin, serial)[0]) == b"one two " + b"x" * MIB


@pytest.mark.parametrize("content", [b"", iter(())], ids=["no bytes", "no chunks"])
def test_empty_file(admin, serial, content):
    run_id = create_run(admin, run_of(serial))
    slot = initialize(admin)
    assert put(slot, content).status_code == 200
    assert sync(admin, slot["id"], run_id).status_code == 200
    (attachment,) = attachments_of(admin, serial)
    assert attachment["size"] == 0
    assert downloaded(attachment) == b""


def test_second_put_replaces_the_first(admin, serial):
    run_id = create_run(admin, run_of(serial))
    slot = initialize(admin)
    assert put(slot, b"first, and longer").status_code == 200
    assert put(slot, b"second", "text/csv").status_code == 200
    assert sync(admin, slot["id"], run_id).status_code == 200
    (attachment,) = attachments_of(admin, serial)
    assert (attachment["size"], attachment["content_type"]) == (6, "text/csv")
    assert downloaded(attachment) == b"second"
    assert_error(put(slot, b"third"), 409, "CONFLICT")
    assert downloaded(attachment) == b"second"


def test_sync_again_is_no_second_attachment(admin, serial, unchanged: Unchanged):
    run_id = create_run(admin, run_of(serial))
    upload_id = uploaded(admin, b"x")
    assert sync(admin, upload_id, run_id).status_code == 200
    with unchanged():
        assert sync(admin, upload_id, run_id).status_code == 200
    assert len(attachments_of(admin, serial)) == 1


def test_upload_of_one_run_is_not_that_of_another(admin, new_serial, unchanged: Unchanged):
    first, second = (create_run(admin, run_of(new_serial())) for _ in range(2))
    upload_id = uploaded(admin, b"x")
    assert sync(admin, upload_id, first).status_code == 200
    with unchanged():
        assert_error(sync(admin, upload_id, second), 409, "CONFLICT", NOT_LINKABLE)


def test_sync_before_any_bytes(admin, serial, unchanged: Unchanged):
    run_id = create_run(admin, run_of(serial))
    slot = initialize(admin)
    with unchanged():
        assert_error(sync(admin, slot["id"], run_id), 409, "CONFLICT", NOT_LINKABLE)
    assert attachments_of(admin, serial) == []


def test_sync_of_what_is_not_there(admin, globex, new_serial, unchanged: Unchanged):
    mine = create_run(admin, run_of(new_serial()))
    theirs = create_run(globex, run_of(new_serial()))
    upload, their_upload = uploaded(admin, b"mine"), uploaded(globex, b"theirs")
    with unchanged():
        for upload_id, run_id in [
            (NOBODYS_ID, mine),
            (upload, NOBODYS_ID),
            (their_upload, mine),
            (upload, theirs),
            (their_upload, theirs),
        ]:
            assert_error(sync(admin, upload_id, run_id), 404, "NOT_FOUND")


def test_station_attaches_only_to_runs_of_its_procedures(admin, ict, lonely, serial, unchanged: Unchanged):
    final, upload_id = create_run(admin, run_of(serial, procedure_id="FVT2")), uploaded(ict, b"x")
    with unchanged():
        assert_error(sync(ict, upload_id, final), 403, "FORBIDDEN", NOT_AUTHORIZED)
        assert_error(sync(lonely, upload_id, final), 403, "FORBIDDEN", NOT_LINKED)
        answer = lonely.post("/uploads/initialize", json={"name": "a.txt"})
        assert_error(answer, 403, "FORBIDDEN", NOT_LINKED)


@pytest.mark.parametrize(
    ("announced", "sent", "shown"),
    [
        ("application/x-a", "application/x-b", "application/x-b"),
        ("application/x-a", None, "application/x-a"),
        (None, None, "text/plain"),
        (None, "text/csv; charset=utf-8", "text/csv; charset=utf-8"),
        (None, "no type at all", "text/plain"),
    ],
)
def test_content_type(admin, serial, announced, sent, shown):
    run_id = create_run(admin, run_of(serial))
    slot = initialize(admin, "notes.txt", mimeType=announced)
    assert put(slot, b"x", sent).status_code == 200
    sync(admin, slot["id"], run_id)
    assert attachments_of(admin, serial)[0]["content_type"] == shown


def test_unknown_extension_has_the_general_content_type(admin, serial):
    run_id = create_run(admin, run_of(serial))
    sync(admin, uploaded(admin, b"x", "noextension"), run_id)
    assert attachments_of(admin, serial)[0]["content_type"] == "application/octet-stream"


@pytest.mark.parametrize(
    ("content_type", "served_as"),
    [
        ("text/html", "application/octet-stream"),
        ("image/svg+xml", "application/octet-stream"),
        ("application/javascript", "application/octet-stream"),
        ("image/png", "image/png"),
    ],
)
def test_downloads_run_nothing_in_a_browser(admin, serial, content_type, served_as):
    run_id = create_run(admin, run_of(serial))
    slot = initialize(admin, "page.html")
    put(slot, b"<script>alert(1)</script>", content_type)
    sync(admin, slot["id"], run_id)
    answer = httpx.get(attachments_of(admin, serial)[0]["url"])
    assert answer.headers["content-type"] == served_as
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in answer.headers["content-security-policy"]
    disposition = answer.headers["content-disposition"]
    assert disposition.startswith("inline" if served_as == "image/png" else "attachment")


NAMES = [
    "../../../etc/passwd",
    "/etc/passwd",
    "..",
    ".",
    "C:\\Windows\\system32\\x.dll",
    "a/b/../c",
    "with spaces.txt",
    "no-extension",
    'quote".txt',
    "new\r\nX-Evil: line.txt",
    "prüf-日本-\U0001f600.txt",
    "%2e%2e%2f",
    "\u202etxt.exe",
    "x" * 1000,
]


@pytest.mark.parametrize("name", NAMES)
def test_file_names_are_for_display_only(server: Server, admin, serial, name):
    run_id = create_run(admin, run_of(serial))
    upload_id = uploaded(admin, b"content", name)
    assert sync(admin, upload_id, run_id).status_code == 200
    (attachment,) = attachments_of(admin, serial)
    assert attachment["name"] == attachment["filename"] == name
    answer = httpx.get(attachment["url"])
    assert answer.content == b"content"
    assert "x-evil" not in answer.headers
    stored = [path for path in (server.data_dir / "attachments").rglob("*") if path.is_file()]
    organizations = {str(server.world.acme.id), str(server.world.globex.id)}
    for path in stored:
        relative = path.relative_to(server.data_dir / "attachments")
        assert relative.parts[0] in organizations
        assert len(relative.parts) == 2
        assert str(UUID(path.name)) == path.name


def test_names_and_sizes_that_are_refused(admin, unchanged: Unchanged):
    with unchanged():
        for body, path in [
            ({}, ["name"]),
            ({"name": ""}, ["name"]),
            ({"name": ["a"]}, ["name"]),
            ({"name": "a", "sizeBytes": 0}, ["sizeBytes"]),
            ({"name": "a", "sizeBytes": -1}, ["sizeBytes"]),
            ({"name": "a", "sizeBytes": "7"}, ["sizeBytes"]),
            ({"name": "a", "sizeBytes": 1.5}, ["sizeBytes"]),
            ({"name": "a", "mimeType": 7}, ["mimeType"]),
            ({"name": "a", "mimeType": "x" * 256}, ["mimeType"]),
        ]:
            assert_error(admin.post("/uploads/initialize", json=body), 400, "BAD_REQUEST", at=path)
        for size in (100 * MIB + 1, 2**63, 2**70):
            answer = admin.post("/uploads/initialize", json={"name": "a", "sizeBytes": size})
            assert answer.status_code in (400, 413), answer.text


@pytest.mark.parametrize("content", [b"", b"123", b"12345"])
def test_size_differs_from_the_one_declared(admin, serial, content):
    run_id = create_run(admin, run_of(serial))
    slot = initialize(admin, sizeBytes=4)
    assert_error(put(slot, content), 400, "BAD_REQUEST", at=["sizeBytes"])
    assert_error(sync(admin, slot["id"], run_id), 409, "CONFLICT", NOT_LINKABLE)
    assert put(slot, b"1234").status_code == 200
    assert sync(admin, slot["id"], run_id).status_code == 200


@pytest.mark.parametrize("chunked", [False, True])
def test_file_beyond_the_limit(admin, chunked):
    slot = initialize(admin)
    piece = b"\0" * MIB
    content = (piece for _ in range(101)) if chunked else piece * 101
    assert_error(put(slot, content), 413, "PAYLOAD_TOO_LARGE")


class _Yesterday(TimestampSigner):
    def get_timestamp(self) -> int:
        return super().get_timestamp() - 86_400 - 60


def _token(
    server: Server, purpose: str, upload_id: str, signer: type[TimestampSigner] = TimestampSigner
) -> str:
    key = (server.data_dir / "secret.key").read_text("ascii").strip()
    token = URLSafeTimedSerializer(key, salt=f"runcard.{purpose}", signer=signer).dumps(
        upload_id.replace("-", "")
    )
    assert isinstance(token, str)
    return token


def test_expired_links(server: Server, admin, serial):
    run_id = create_run(admin, run_of(serial))
    slot = initialize(admin)
    expired = f"{server.url}/files/upload/{_token(server, 'upload', slot['id'], _Yesterday)}"
    assert_error(httpx.put(expired, content=b"late"), 403, "FORBIDDEN")
    assert_error(sync(admin, slot["id"], run_id), 409, "CONFLICT", NOT_LINKABLE)
    assert put(
        {"uploadUrl": f"{server.url}/files/upload/{_token(server, 'upload', slot['id'])}"}, b"x"
    ).is_success
    expired = f"{server.url}/files/download/{_token(server, 'download', slot['id'], _Yesterday)}"
    assert_error(httpx.get(expired), 403, "FORBIDDEN")
    page = httpx.get(expired, headers={"Accept": "text/html,*/*;q=0.8"})
    assert (page.status_code, page.headers["content-type"]) == (403, "text/html; charset=utf-8")
    assert "This download link has expired; ask for a new one." in page.text


def _changed(part: str) -> str:
    """The same with another first character: the last one may hold bits that say nothing."""
    return ("A" if part[0] != "A" else "B") + part[1:]


def _tampered(url: str) -> list[str]:
    head, _, token = url.rpartition("/")
    payload, rest = token.split(".", 1)
    moment, signature = rest.split(".")
    return [
        f"{head}/{_changed(payload)}.{rest}",
        f"{head}/{payload}.{_changed(moment)}.{signature}",
        f"{head}/{payload}.{moment}.{_changed(signature)}",
        f"{head}/{token[:-5]}",
        f"{head}/{payload}",
        f"{head}/{token}.x",
        f"{head}/x",
        f"{head}/%00",
        f"{head}/%ff",
        f"{head}/{NOBODYS_ID}",
    ]


def test_tampered_links(server: Server, admin, serial):
    run_id = create_run(admin, run_of(serial))
    slot = initialize(admin)
    for url in _tampered(slot["uploadUrl"]):
        assert_error(httpx.put(url, content=b"forged"), 403, "FORBIDDEN")
    assert_error(sync(admin, slot["id"], run_id), 409, "CONFLICT", NOT_LINKABLE)
    put(slot, b"real")
    sync(admin, slot["id"], run_id)
    url = attachments_of(admin, serial)[0]["url"]
    for tampered in _tampered(url):
        assert_error(httpx.get(tampered), 403, "FORBIDDEN")
    # A link of one purpose is worth nothing for another, and none leads past its end.
    assert_error(httpx.get(slot["uploadUrl"].replace("/upload/", "/download/")), 403, "FORBIDDEN")
    assert_error(httpx.put(url.replace("/download/", "/upload/"), content=b"x"), 403, "FORBIDDEN")
    for wrong in (f"{url}/..", f"{url}/x", url.replace("/download/", "/other/"), f"{server.url}/files/"):
        assert httpx.get(wrong).status_code == 404
    assert httpx.get(slot["uploadUrl"]).status_code == 404
    assert httpx.post(slot["uploadUrl"], content=b"x").status_code == 404
    assert downloaded(attachments_of(admin, serial)[0]) == b"real"


def test_signed_link_to_nothing(server: Server):
    link = f"{server.url}/files/upload/{_token(server, 'upload', NOBODYS_ID)}"
    assert_error(httpx.put(link, content=b"x"), 404, "NOT_FOUND")
    link = f"{server.url}/files/download/{_token(server, 'download', NOBODYS_ID)}"
    assert_error(httpx.get(link), 404, "NOT_FOUND")


def test_links_lead_to_where_the_client_reached_the_server(admin):
    def root_of(**headers: str) -> str:
        answer = admin.post("/uploads/initialize", json={"name": "a"}, headers=headers)
        parts = urlsplit(answer.json()["uploadUrl"])
        return f"{parts.scheme}://{parts.netloc}"

    assert root_of() == f"http://{admin.base_url.netloc.decode()}"
    assert root_of(Host="runcard.test:8080") == "http://runcard.test:8080"
    headers = {"Host": "runcard.test", "X-Forwarded-Proto": "https"}
    assert root_of(**headers) == "https://runcard.test"
    headers |= {"Host": "backend:8000", "X-Forwarded-Host": "line-1.runcard.example"}
    assert root_of(**headers) == "https://line-1.runcard.example"


def test_no_link_leads_to_a_host_that_nobody_named(admin, serial, unchanged: Unchanged):
    named = {"Host": "evil.example"}
    with unchanged():
        refused = admin.post("/uploads/initialize", json={"name": "a"}, headers=named)
        assert_error(refused, 421, "MISDIRECTED_REQUEST")
        assert "'evil.example' is not allowed" in refused.json()["message"]
    # A run needs no link, so it is recorded whatever the station calls this server.
    assert admin.post("/runs", json=run_of(serial), headers=named).status_code == 200


def test_import(ict, admin, serial):
    report = openhtf_report(serial, "full")
    upload_id = uploaded(ict, report, "SN1.test.json", mimeType="application/json")
    answer = import_report(ict, upload_id, client="Python", client_version="2.26.1")
    assert answer.status_code == 200, answer.text
    assert list(answer.json()) == ["id"]
    (run,) = runs_of(admin, serial)
    assert run["id"] == answer.json()["id"]
    assert run["outcome"] == "FAIL"
    assert run["unit"]["part"]["number"] == "PCB01"
    assert len(run["phases"]) == len(json.loads(report)["phases"])
    assert len(run["logs"]) == len(json.loads(report)["log_records"])
    assert run["attachments"] == []  # attachments inside a report are sent on their own
    upload = {
        "id": upload_id,
        "name": "SN1.test.json",
        "size": len(report),
        "content_type": "application/json",
    }
    assert run["file_import"]["upload"] == upload


def test_import_twice(admin, serial, unchanged: Unchanged):
    report = openhtf_report(serial)
    upload_id = uploaded(admin, report)
    assert import_report(admin, upload_id).status_code == 200
    with unchanged():
        assert_error(import_report(admin, upload_id), 409, "CONFLICT")
    assert len(runs_of(admin, serial)) == 1
    assert import_report(admin, uploaded(admin, report)).status_code == 200
    assert len(runs_of(admin, serial)) == 2


def test_report_cannot_become_an_attachment_nor_an_attachment_a_report(
    admin, new_serial, unchanged: Unchanged
):
    serial = new_serial()
    run_id = create_run(admin, run_of(new_serial()))
    attached, reported = (uploaded(admin, openhtf_report(serial)) for _ in range(2))
    sync(admin, attached, run_id)
    import_report(admin, reported)
    with unchanged():
        assert_error(import_report(admin, attached), 409, "CONFLICT")
        assert_error(sync(admin, reported, run_id), 409, "CONFLICT", NOT_LINKABLE)


NOT_REPORTS = [b"hello", b"[]", b"{}", b"null", b"\xff\xfe", b'{"phases": 7}', b"[" * 100_000, b"\0" * 100]


@pytest.mark.parametrize("content", NOT_REPORTS, ids=range(len(NOT_REPORTS)))
def test_import_of_what_is_no_report(admin, content):
    upload_id = uploaded(admin, content)
    answer = import_report(admin, upload_id)
    assert answer.status_code == 400, answer.text
    assert answer.json()["code"] == "BAD_REQUEST"


def test_import_of_what_is_not_there(admin, globex, serial):
    assert_error(import_report(admin, NOBODYS_ID), 404, "NOT_FOUND")
    assert_error(import_report(admin, initialize(admin)["id"]), 404, "NOT_FOUND")
    assert_error(import_report(admin, uploaded(admin, b"")), 404, "NOT_FOUND")
    assert_error(import_report(globex, uploaded(admin, openhtf_report(serial))), 404, "NOT_FOUND")
    assert runs_of(globex, serial) == runs_of(admin, serial) == []


@pytest.mark.parametrize("importer", ["JUNIT", "openhtf", "", None, 7])
def test_unknown_importer(admin, serial, importer):
    upload_id = uploaded(admin, openhtf_report(serial))
    answer = import_report(admin, upload_id, importer=importer)
    assert_error(answer, 400, "BAD_REQUEST", at=["importer"])


def test_import_is_refused_as_a_run_is(admin, ict, serial):
    def refused(client: httpx.Client, **metadata: Any) -> httpx.Response:
        return import_report(client, uploaded(client, openhtf_report(serial, **metadata)))

    assert_error(refused(ict, procedure_id="FVT2"), 403, "FORBIDDEN", NOT_AUTHORIZED)
    message = "Procedure with ID FVT99 does not exist. Create the procedure first in the app."
    assert_error(refused(admin, procedure_id="FVT99"), 404, "NOT_FOUND", message)
    assert_error(refused(admin, part_number=None), 400, "BAD_REQUEST", MISSING_PART_NUMBER)
    assert_error(refused(admin, sub_units=["NEVER"]), 400, "BAD_REQUEST", "Sub-units not found: NEVER")
    message = "Operator with email x@y does not exist. Create the user first in the app."
    assert_error(refused(admin, operated_by="x@y"), 404, "NOT_FOUND", message)
    assert_error(refused(admin, procedure_id=None), 400, "BAD_REQUEST", at=["metadata", "procedure_id"])
    assert runs_of(admin, serial) == []


def test_viewers_bring_no_files(admin, viewer, serial, unchanged: Unchanged):
    run_id = create_run(admin, run_of(serial))
    upload_id = uploaded(admin, openhtf_report(f"{serial}-R"))
    with unchanged():
        assert_error(viewer.post("/uploads/initialize", json={"name": "log.txt"}), 403, "FORBIDDEN")
        assert_error(sync(viewer, upload_id, run_id), 403, "FORBIDDEN")
        assert_error(import_report(viewer, upload_id), 403, "FORBIDDEN")


def test_refused_import_may_be_tried_again(admin, ict, serial, policy):
    upload_id = uploaded(ict, openhtf_report(serial))
    with policy(station_may_create_units=False):
        assert_error(import_report(ict, upload_id), 403, "FORBIDDEN", "Unit creation failed.")
    assert import_report(ict, upload_id).status_code == 200
    assert len(runs_of(admin, serial)) == 1


def test_deleted_run_takes_its_attachments_out_of_sight(admin, serial):
    run_id = create_run(admin, run_of(serial))
    sync(admin, uploaded(admin, b"x"), run_id)
    assert admin.delete(f"/runs/{run_id}").status_code == 200
    again = create_run(admin, run_of(serial))
    assert attachments_of(admin, serial) == []
    assert again != run_id


def test_nothing_is_left_beside_the_data_directory(server: Server):
    names = {path.name for path in server.data_dir.iterdir()}
    known = {
        "attachments",
        "analytics.duckdb",
        "analytics.duckdb.wal",
        "secret.key",
        "signing.key",
        "heads.jsonl",
        "serve.lock",
        "serve.log",
    }
    databases = ("runcard.sqlite3", "activity.sqlite3")  # with what SQLite keeps beside them
    assert {name for name in names if not name.startswith(databases)} <= known
    assert Path(server.data_dir / "secret.key").stat().st_mode & 0o077 == 0
