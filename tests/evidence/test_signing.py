"""The key that signs heads: where it is from, which are refused, and what it signs."""

import base64
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from threading import Barrier
from uuid import UUID

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from hypothesis import given
from hypothesis import strategies as st

from runcard.domain.proof.head import Head, SignedHead
from runcard.evidence.signing import (
    KEY_FILE,
    SigningKey,
    SigningKeyUnusable,
    canonical,
    is_open_to_others,
    is_signed,
    key_id,
    open_signing_key,
    read_signing_key,
)
from runcard.store.files.secret_files import make_secret

ORGANIZATION = UUID("01980000-0000-7000-8000-000000000001")
HEAD = Head(ORGANIZATION, 3, bytes(range(32)), datetime(2026, 11, 27, tzinfo=UTC))
PKCS8, NO_PASSWORD = PrivateFormat.PKCS8, NoEncryption()
KEY = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(32))
PEM = KEY.private_bytes(Encoding.PEM, PKCS8, NO_PASSWORD).decode()


def test_the_first_start_makes_a_key_that_the_next_one_finds(tmp_path: Path):
    folder = tmp_path / "data"
    assert read_signing_key(None, folder) is None
    made = open_signing_key(None, folder)
    again, read = open_signing_key(None, folder), read_signing_key(None, folder)
    assert read is not None
    assert made.public_key == again.public_key == read.public_key
    assert [path.name for path in folder.iterdir()] == [KEY_FILE]
    assert (folder / KEY_FILE).stat().st_mode & 0o777 == 0o600
    assert (folder / KEY_FILE).read_text().startswith("-----BEGIN PRIVATE KEY-----\n")


def test_all_who_start_at_once_have_one_key(tmp_path: Path):
    ready = Barrier(8)

    def start(_: int) -> str:
        ready.wait()
        return open_signing_key(None, tmp_path).key_id

    with ThreadPoolExecutor(8) as starts:
        names = set(starts.map(start, range(8)))
    assert names == {open_signing_key(None, tmp_path).key_id}
    assert [path.name for path in tmp_path.iterdir()] == [KEY_FILE]


def test_a_key_that_another_process_made_first_stays(tmp_path: Path):
    """As in a process that saw no file, just before another one made it."""
    first = open_signing_key(None, tmp_path)
    make_secret(tmp_path / KEY_FILE, PEM.encode())
    assert open_signing_key(None, tmp_path).key_id == first.key_id
    assert [path.name for path in tmp_path.iterdir()] == [KEY_FILE]


def test_a_setting_gives_the_key_or_its_path(tmp_path: Path):
    file = tmp_path / "given.pem"
    file.write_text(PEM)
    keys = [open_signing_key(given, tmp_path / "data") for given in (PEM, f"\n{PEM}", str(file))]
    assert {key.public_key for key in keys} == {KEY.public_key().public_bytes_raw()}
    assert not (tmp_path / "data").exists()


def encoded(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PKCS8, NO_PASSWORD).decode()


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ("", "is empty"),
        (" \n", "is empty"),
        (encoded(ec.generate_private_key(ec.SECP256R1())), "of another kind"),
        (encoded(rsa.generate_private_key(65537, 2048)), "of another kind"),
        (KEY.private_bytes(Encoding.PEM, PKCS8, BestAvailableEncryption(b"secret")).decode(), "password"),
        (PEM[:60], "something other than"),
        (PEM.replace("M", "!"), "something other than"),
        (
            KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode(),
            "something",
        ),
    ],
)
def test_a_key_that_cannot_sign_is_refused(content: str, fault: str, tmp_path: Path):
    with pytest.raises(SigningKeyUnusable, match=f"signing_key .*{fault}.* Ed25519"):
        open_signing_key(content, tmp_path)
    (tmp_path / KEY_FILE).write_text(content)
    with pytest.raises(SigningKeyUnusable, match=f"{KEY_FILE} .*{fault}.*Restore the file") as refused:
        open_signing_key(None, tmp_path)
    assert content.strip() == "" or content not in str(refused.value)


@pytest.mark.parametrize("content", [b"\xff" * 64, b"\x00" * 100_000, b"-----BEGIN PRIVATE KEY-----\n"])
def test_a_file_of_something_else_is_refused(content: bytes, tmp_path: Path):
    (tmp_path / KEY_FILE).write_bytes(content)
    with pytest.raises(SigningKeyUnusable, match="something other than"):
        read_signing_key(None, tmp_path)


@pytest.mark.parametrize("given", ["missing.pem", ".", "\0", "x" * 5000])
def test_a_path_that_cannot_be_read_is_refused(given: str, tmp_path: Path):
    with pytest.raises(SigningKeyUnusable, match="cannot be read"):
        open_signing_key(given if given.startswith("\0") else str(tmp_path / given), tmp_path)


def test_a_file_that_others_may_read_is_noticed(tmp_path: Path):
    open_signing_key(None, tmp_path)
    assert not is_open_to_others(tmp_path / KEY_FILE)
    (tmp_path / KEY_FILE).chmod(0o644)
    assert is_open_to_others(tmp_path / KEY_FILE)
    assert not is_open_to_others(tmp_path / "missing")
    assert open_signing_key(None, tmp_path).key_id


def test_what_is_signed_is_canonical():
    assert canonical(HEAD) == (
        b'{"format":"runcard-head/1","organization_id":"01980000-0000-7000-8000-000000000001",'
        b'"root":"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",'
        b'"signed_at":"2026-11-27T00:00:00.000000Z","tree_size":3}'
    )
    elsewhere = msgspec.structs.replace(
        HEAD, signed_at=HEAD.signed_at.astimezone(timezone(timedelta(hours=9)))
    )
    assert canonical(elsewhere) == canonical(HEAD)


def test_a_signature_is_the_same_for_everybody():
    """Ed25519 has no random part: the key of 32 zeros has the public key of RFC 8032's own arithmetic."""
    signed = SigningKey(KEY).sign(HEAD)
    assert signed == SigningKey(KEY).sign(HEAD)
    assert base64.b64encode(signed.public_key) == b"O2onvM62pC1io6jQKm8Nc2UyFXcd4kOmOsBIoYtZ2ik="
    assert signed.key_id == key_id(signed.public_key)
    assert len(signed.key_id) == 16
    assert is_signed(signed)


@pytest.mark.parametrize(
    ("head", "fault"),
    [
        (msgspec.structs.replace(HEAD, tree_size=-1), "tree_size -1"),
        (msgspec.structs.replace(HEAD, tree_size=2**53), "tree_size 9007199254740992"),
        (msgspec.structs.replace(HEAD, root=b"short"), "root has 5 bytes"),
        (msgspec.structs.replace(HEAD, signed_at=datetime(2026, 11, 27)), "no time zone"),  # noqa: DTZ001
    ],
)
def test_a_head_of_no_tree_is_not_signed(head: Head, fault: str):
    signed = SigningKey(KEY).sign(HEAD)
    with pytest.raises(ValueError, match=fault):
        SigningKey(KEY).sign(head)
    assert not is_signed(msgspec.structs.replace(signed, head=head))


@given(st.sampled_from(["root", "public_key", "signature"]), st.integers(0, 255), st.integers(1, 255))
def test_a_changed_byte_is_not_signed(field: str, at: int, change: int):
    signed = SigningKey(KEY).sign(HEAD)
    place = signed.head if field == "root" else signed
    content = bytearray(getattr(place, field))
    content[at % len(content)] ^= change
    if field == "root":
        changed = msgspec.structs.replace(signed, head=msgspec.structs.replace(HEAD, root=bytes(content)))
    else:
        changed = msgspec.structs.replace(signed, **{field: bytes(content)})
        if field == "public_key":
            assert not is_signed(msgspec.structs.replace(changed, key_id=key_id(changed.public_key)))
    assert not is_signed(changed)


def test_another_head_is_not_signed():
    signed = SigningKey(KEY).sign(HEAD)
    others = [
        msgspec.structs.replace(HEAD, tree_size=4),
        msgspec.structs.replace(HEAD, organization_id=UUID(int=1)),
        msgspec.structs.replace(HEAD, signed_at=HEAD.signed_at + timedelta(microseconds=1)),
    ]
    assert not any(is_signed(msgspec.structs.replace(signed, head=head)) for head in others)
    assert not is_signed(SignedHead(HEAD, signed.key_id, b"short", signed.signature))
    assert not is_signed(msgspec.structs.replace(signed, key_id="0" * 16))
