"""`runcard-verify`, as an auditor calls it: what fits, what does not, and what nobody should be asked to read."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from runcard_verify.cli import main
from runcard_verify.errors import Unreadable, VerifyError
from runcard_verify.keys import check_trust
from runcard_verify.receipt import check_receipt, receipt_of
from runcard_verify.strict_json import parse
from tests.client.receipts import (
    HEADER,
    SERVER,
    STRANGER,
    consistency,
    entries,
    entry,
    kept,
    public_key,
    receipt,
    run_receipt,
    signed,
)

RECORD = entries(8)
RECEIPT = run_receipt(RECORD)
TRUST = ("--key", public_key())
# The same file for all examples: each overwrites it.
ONE_FILE = settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])

Check = Callable[..., tuple[int, dict[str, Any]]]


@pytest.fixture
def check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Check:
    """Calls a command on files with these contents, and returns its status and what it says as JSON."""

    def run(command: str, *contents: object, options: tuple[str, ...] = TRUST) -> tuple[int, dict[str, Any]]:
        paths = []
        for number, content in enumerate(contents):
            path = tmp_path / f"{number}.json"
            path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
            paths.append(str(path))
        status = main([command, *paths, *options, "--json"])
        told = json.loads(capsys.readouterr().out)
        assert told["exit_status"] == status
        assert (told["fault"] is None) == (status in {0, 3})
        return status, told

    return run


def changed(value: dict[str, Any], *place: str | int, to: object) -> dict[str, Any]:
    """A copy with another value at a place."""
    copy: dict[str, Any] = json.loads(json.dumps(value))
    target: Any = copy
    for step in place[:-1]:
        target = target[step]
    target[place[-1]] = to
    return copy


def test_a_good_receipt_fits_and_says_what_was_checked(check: Check):
    status, told = check("receipt", RECEIPT)
    assert (status, told["result"]) == (0, "fits")
    assert told["run"] == {
        "id": "01980000-0000-7000-8000-0000000000aa",
        "serial_number": "PCB01-0001",
        "started_at": "2026-11-26T09:00:00.000000Z",
        "document_bytes": 64,
    }
    assert told["head"]["tree_size"] == 8
    assert "PCB01-0001" in " ".join(told["checked"])
    assert "which you trust" in " ".join(told["checked"])


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 9, 255, 256, 257, 600])
def test_every_entry_of_records_of_any_size_fits(size: int, check: Check):
    record = entries(size)
    for index in {0, size // 2, size - 1}:
        assert check("receipt", receipt(record, index))[0] == 0


def test_without_a_key_the_signer_is_not_known(check: Check):
    status, told = check("receipt", RECEIPT, options=())
    assert (status, told["result"]) == (3, "fits, but the key is not known to be the server's")
    assert "stands in the file itself" in " ".join(told["checked"])
    assert check("receipt", run_receipt(RECORD, STRANGER), options=())[0] == 3


def test_a_receipt_of_a_stranger_does_not_fit(check: Check):
    status, told = check("receipt", run_receipt(RECORD, STRANGER))
    assert status == 1
    assert "none of those given with --key" in told["fault"]
    both = (*TRUST, "--key", public_key(STRANGER))
    assert check("receipt", run_receipt(RECORD, STRANGER), options=both)[0] == 0


@pytest.mark.parametrize(
    ("forged", "fault"),
    [
        (changed(RECEIPT, "leaf", to=entry(5, outcome="PASS")), "does not stand at 5"),
        (changed(RECEIPT, "index", to=4), "does not stand at 4"),
        (changed(RECEIPT, "index", to=8), "cannot stand in a record of 8"),
        (changed(RECEIPT, "path", to=RECEIPT["path"][:-1]), "does not stand"),
        (changed(RECEIPT, "path", to=[*RECEIPT["path"], "00" * 32]), "does not stand"),
        (changed(RECEIPT, "path", to=RECEIPT["path"][::-1]), "does not stand"),
        (changed(RECEIPT, "path", to=[]), "does not stand"),
        (changed(RECEIPT, "head", "tree_size", to=16), "does not stand"),
        (changed(RECEIPT, "head", "tree_size", to=0), "cannot stand in a record of 0"),
        (changed(RECEIPT, "head", "root", to="00" * 32), "does not stand"),
        (
            changed(RECEIPT, "head", "signed_at", to="2025-01-01T00:00:00.000000Z"),
            "the signature is not that",
        ),
        (
            changed(RECEIPT, "head", "organization_id", to="0" * 8 + "-0000" * 3 + "-" + "0" * 12),
            "the signature",
        ),
        (changed(RECEIPT, "head", "public_key", to=public_key(STRANGER)), "not that of its public_key"),
        (changed(RECEIPT, "head", "key_id", to="0" * 16), "not that of its public_key"),
        (
            changed(RECEIPT, "head", "signature", to=signed(entries(9))["signature"]),
            "the signature is not that",
        ),
        (changed(RECEIPT, "run", "header", to=HEADER.replace("0001", "0002")), "the header of the run"),
        (changed(RECEIPT, "run", "document", to="AAAA"), "the document of the run"),
        ({**receipt(RECORD, 4), "run": RECEIPT["run"]}, "the header of the run"),
        (run_receipt([*RECORD[:5], entry(5, thing_id="other")]), "about another thing"),
    ],
)
def test_a_forged_receipt_does_not_fit(forged: dict[str, Any], fault: str, check: Check):
    status, told = check("receipt", forged)
    assert (status, told["result"]) == (1, "does not fit")
    assert fault in told["fault"]


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", "not JSON"),
        (b"\xff\xfe{}", "not text in UTF-8"),
        (b"\xef\xbb\xbf{}", "BOM"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"a":' * 100_000, "nested too deeply"),
        (b"[" + b"0," * 200_001 + b"0]", "more than 200000 values"),
        (b"[" * 10_000_000 + b"]" * 10_000_000, "more than 200000 values"),
        (b'{"format":"a","format":"b"}', "member 'format' twice"),
        (b'{"index":NaN}', "NaN is no number"),
        (b'{"index":-Infinity}', "-Infinity is no number"),
        (b'{"index":' + b"9" * 1_000_000 + b"}", "larger than 9007199254740991"),
        (b'{"index":9007199254740992}', "larger than 9007199254740991"),
        (b'{"index":1e999}', "too large"),
        (b'{"index":0.' + b"1" * 1_000_000 + b"}", "more than 40 letters"),
        (b'{"\\ud800":1}', "not text in UTF-8"),
        (b'{"a":["\\udfff"]}', "not text in UTF-8"),
        (b"{" + b",".join(b'"%d":0' % one for one in [*range(100_000), 0]) + b"}", "member '0' twice"),
        (b"null", "not a JSON object"),
        (b"[]", "not a JSON object"),
        (b"{}", "has no member format"),
        (changed(RECEIPT, "format", to="runcard-receipt/2"), "instead of runcard-receipt/1"),
        (changed(RECEIPT, "format", to=1), "format is not a text"),
        (changed(RECEIPT, "more", to=1), "member 'more'"),
        (changed(RECEIPT, "head", "more\x1b[2J", to=1), "\\x1b[2J"),
        (changed(RECEIPT, "head", to="x"), "head is not a JSON object"),
        (changed(RECEIPT, "run", to=None), "run is not a JSON object"),
        (changed(RECEIPT, "index", to=5.0), "index is not a whole number"),
        (changed(RECEIPT, "index", to=True), "index is not a whole number"),
        (changed(RECEIPT, "index", to=-1), "index is not a whole number"),
        (changed(RECEIPT, "path", to=["00" * 32] * 101), "at most 100 hashes"),
        (changed(RECEIPT, "path", 1, to="0" * 63), "path[1] is not a hash"),
        (changed(RECEIPT, "path", 1, to=RECEIPT["path"][1].upper()), "path[1] is not a hash"),
        (changed(RECEIPT, "head", "root", to="\u0660" * 64), "root is not a hash"),
        (changed(RECEIPT, "head", "signed_at", to="2026-11-27T00:00:08Z"), "signed_at"),
        (changed(RECEIPT, "head", "signature", to="AAAA"), "Base64 of 64 bytes"),
        (changed(RECEIPT, "head", "public_key", to=public_key()[:-1]), "Base64 of 32 bytes"),
        (changed(RECEIPT, "run", "document", to="AB=="), "document is not the Base64"),
        (changed(RECEIPT, "leaf", to="5"), "leaf is not a JSON object"),
        (changed(RECEIPT, "leaf", to='{"a":1,"a":2}'), "leaf is not JSON"),
        (changed(RECEIPT, "leaf", to="[" * 100_000), "leaf is nested too deeply"),
        (changed(RECEIPT, "leaf", to='{"a":' + "[" * 66 + "]" * 66 + "}"), "leaf is nested too deeply"),
        (changed(RECEIPT, "leaf", to=None), "leaf is not a text"),
        (changed(RECEIPT, "run", "header", to="{"), "run.header is not JSON"),
    ],
)
def test_what_is_no_receipt_is_refused_in_words(content: object, fault: str, check: Check):
    status, told = check("receipt", content)
    assert (status, told["result"]) == (2, "cannot be read")
    assert fault in told["fault"]


def test_a_huge_file_is_refused_before_it_is_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    path = tmp_path / "huge.json"
    with path.open("wb") as file:
        file.truncate(1024**3)  # a hole, which takes no space on the disk
    assert main(["receipt", str(path)]) == 2
    assert "larger than 131072 KiB" in capsys.readouterr().err


@pytest.mark.parametrize("path", ["", "missing.json", ".", "\0", "\ud800"])
def test_a_path_of_no_file_is_refused(path: str, capsys: pytest.CaptureFixture[str]):
    assert main(["receipt", path]) == 2
    assert "cannot be read" in capsys.readouterr().err


SPACES = b" \n\r\t"
TEXT = json.dumps(RECEIPT, indent=1).encode()


@ONE_FILE
@given(st.integers(0, len(TEXT) - 1), st.integers(1, 255))
def test_a_changed_byte_never_fits(check: Check, at: int, change: int):
    """Unless the byte is a space between members that became another: JSON means the same with both."""
    forged = bytearray(TEXT)
    forged[at] ^= change
    status = check("receipt", bytes(forged))[0]
    try:
        means_the_same = parse(bytes(forged), "forged") == RECEIPT
    except Unreadable:
        means_the_same = False
    assert (status == 0) == means_the_same
    assert not means_the_same or (TEXT[at] in SPACES and forged[at] in SPACES)


def fits(content: bytes) -> bool:
    try:
        found = receipt_of(parse(content, "receipt"))
        check_receipt(found)
        check_trust(found.head, frozenset([SERVER.public_key]))
    except VerifyError:
        return False
    return True


def test_no_byte_can_be_flipped():
    """Each byte once, in the bit that mostly leaves a letter a letter, and a digit a digit."""
    compact = json.dumps(RECEIPT, separators=(",", ":")).encode()
    assert fits(compact)
    flipped = (
        (at, compact[:at] + bytes([compact[at] ^ 1]) + compact[at + 1 :]) for at in range(len(compact))
    )
    assert [at for at, forged in flipped if fits(forged)] == []


@ONE_FILE
@given(st.binary(max_size=300))
def test_anything_is_answered_in_words(check: Check, content: bytes):
    assert check("receipt", content)[0] == 2


@ONE_FILE
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
        lambda inside: (
            st.lists(inside, max_size=3) | st.dictionaries(st.text(max_size=8), inside, max_size=3)
        ),
        max_leaves=8,
    ),
    st.sampled_from(
        [("leaf",), ("index",), ("path",), ("path", 0), ("head",), ("run",), ("run", "document"), ("format",)]
        + [("head", name) for name in RECEIPT["head"]]
    ),
)
def test_any_value_in_a_place_is_answered_in_words(check: Check, value: object, place: tuple[str | int, ...]):
    forged = changed(RECEIPT, *place, to=value)
    assume(forged != RECEIPT)
    assert check("receipt", forged)[0] in {1, 2}


@ONE_FILE
@given(st.data())
def test_heads_of_a_record_that_only_grew_fit(check: Check, data: st.DataObject):
    record = entries(data.draw(st.integers(0, 40) | st.sampled_from([255, 256, 257, 300])))
    first = record[: data.draw(st.integers(0, len(record)))]
    status, told = check("heads", kept(signed(first)), kept(signed(record)), consistency(first, record))
    assert (status, told["added"]) == (0, len(record) - len(first))


@ONE_FILE
@given(st.data())
def test_a_record_that_was_rebuilt_is_convicted(check: Check, data: st.DataObject):
    """Whoever has the server's key and code signs another record: a head that was kept outside does not fit it."""
    record = entries(data.draw(st.integers(2, 40)))
    first = record[: data.draw(st.integers(1, len(record)))]
    at = data.draw(st.integers(0, len(first) - 1))
    how = data.draw(st.sampled_from(["edit", "drop", "insert", "swap"]))
    rebuilt = list(record)
    if how == "edit":
        rebuilt[at] = entry(at, forged=True)
    elif how == "drop":
        del rebuilt[at]
    elif how == "insert":
        rebuilt.insert(at, entry(at, forged=True))
    else:
        other = (at + 1) % len(record)
        rebuilt[at], rebuilt[other] = rebuilt[other], rebuilt[at]
    if rebuilt[: len(first)] == first:
        rebuilt = rebuilt[: len(first) - 1]
    best = consistency(first if len(first) <= len(rebuilt) else rebuilt, rebuilt)
    proof = {**best, "first": signed(first)}
    status, told = check("heads", kept(signed(first)), kept(signed(rebuilt)), proof)
    assert status == 1
    assert any(word in told["fault"] for word in ("was cut", "different roots", "did not grow"))


def test_heads_that_cannot_be_compared_do_not_fit(check: Check):
    old, new = kept(signed(RECORD[:5])), kept(signed(RECORD))
    proof = consistency(RECORD[:5], RECORD)
    assert check("heads", old, new, proof)[0] == 0
    assert check("heads", receipt(RECORD[:5], 3), RECEIPT, proof)[0] == 0
    assert "was cut" in check("heads", new, old, proof)[1]["fault"]
    assert "other heads" in check("heads", old, new, consistency(RECORD[:4], RECORD))[1]["fault"]
    assert "did not grow" in check("heads", old, new, {**proof, "path": proof["path"][:-1]})[1]["fault"]
    forged = changed(new, "tree_size", to=9)
    assert "the signature" in check("heads", old, forged, proof)[1]["fault"]
    assert "other heads" in check("heads", old, new, consistency(RECORD[:5], RECORD[:7]))[1]["fault"]
    other = signed(RECORD, organization_id=UUID(int=1))
    assert "of two organizations" in check("heads", old, kept(other), {**proof, "second": other})[1]["fault"]
    stranger = signed(RECORD, STRANGER)
    fault = check("heads", old, kept(stranger), {**proof, "second": stranger})[1]["fault"]
    assert "none of those given" in fault
    assert check("heads", old, new, proof, options=())[0] == 3


@pytest.mark.parametrize("forged", range(4))
def test_every_head_must_be_signed(forged: int, check: Check):
    """Also in what is not compared: when it was signed."""
    heads = [signed(RECORD[:5]), signed(RECORD)] * 2
    heads[forged] = {**heads[forged], "signed_at": "2026-01-01T00:00:00.000000Z"}
    proof = {**consistency(RECORD[:5], RECORD), "first": heads[2], "second": heads[3]}
    status, told = check("heads", kept(heads[0]), kept(heads[1]), proof)
    assert status == 1
    assert "the signature is not that of key" in told["fault"]


def test_what_is_no_head_is_refused(check: Check):
    new, proof = kept(signed(RECORD)), consistency(RECORD, RECORD)
    assert check("heads", new, new, proof)[0] == 0
    assert check("heads", proof, new, proof)[0] == 2
    others: list[object] = [{}, [], {"format": {}}, signed(RECORD), {**new, "more": 1}]
    for other in others:
        assert check("heads", other, new, proof)[0] == 2
        assert check("heads", new, new, other)[0] == 2


def test_a_key_is_given_in_base64_or_as_a_file(check: Check, tmp_path: Path):
    text, pem = tmp_path / "keys.txt", tmp_path / "key.pem"
    text.write_text(f"{public_key(STRANGER)}\n{public_key()}\n")
    key = Ed25519PublicKey.from_public_bytes(SERVER.public_key)
    pem.write_bytes(key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    assert check("receipt", RECEIPT, options=("--key", str(text)))[0] == 0
    assert check("receipt", RECEIPT, options=("--key", str(pem)))[0] == 0


OTHER_KIND = generate_private_key(SECP256R1())


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", "something other than Ed25519 keys"),
        (b"AAAA", "something other than Ed25519 keys"),
        (b"A " * 1_000_000, "larger than 64 KiB"),
        (public_key().encode() + b" \xff", "something other than Ed25519 keys"),
        (b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", "no public key that can be read"),
        (
            OTHER_KIND.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
            "of another kind",
        ),
        (OTHER_KIND.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), "a private key"),
    ],
)
def test_a_file_of_something_else_is_no_key(content: bytes, fault: str, check: Check, tmp_path: Path):
    (tmp_path / "key").write_bytes(content)
    status, told = check("receipt", RECEIPT, options=("--key", str(tmp_path / "key")))
    assert status == 2
    assert fault in told["fault"]


@pytest.mark.parametrize("key", ["", "missing", "AAAA", "\0", "."])
def test_what_is_neither_a_key_nor_a_file_is_refused(key: str, check: Check):
    status, told = check("receipt", RECEIPT, options=("--key", key))
    assert status == 2
    assert "--key" in told["fault"] or "cannot be read" in told["fault"]


def test_people_are_told_in_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    path = tmp_path / "receipt.json"
    path.write_text(json.dumps(RECEIPT))
    assert main(["receipt", str(path), *TRUST]) == 0
    told = capsys.readouterr().out
    assert told.startswith(
        f"{path} fits.\n\nWhat was checked:\n  - The entry stands at 5, counted from 0, of "
    )
    assert "What this proves:\n" in told
    assert "What this does not prove:\n" in told
    assert main(["receipt", str(path)]) == 3
    assert "What this would prove if the key is the server's:\n" in capsys.readouterr().out
    path.write_text(json.dumps(changed(RECEIPT, "index", to=4)))
    assert main(["receipt", str(path), *TRUST]) == 1
    out, fault = capsys.readouterr()
    assert out == ""
    assert fault.startswith(
        f"runcard-verify: {path} does not fit: the entry does not stand at 4 of the record"
    )


def test_the_text_of_a_stranger_does_nothing_to_a_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    record = [entry(0, note="\x1b[2J\u202egnp.exe\nWhat this proves:")]
    path = tmp_path / "receipt.json"
    # JSON may spell a character that Python's dumps would escape.
    record[0] = record[0].replace("\\u202e", "\u202e")
    path.write_text(json.dumps(receipt(record, 0)))
    assert main(["receipt", str(path), *TRUST]) == 0
    told = capsys.readouterr().out
    assert "\x1b" not in told
    assert "\u202e" not in told
    assert "\\u202egnp.exe" in told


@pytest.mark.parametrize("arguments", [[], ["receipt"], ["heads", "a", "b"], ["receipt", "a", "--no-such"]])
def test_bad_usage_is_status_2(arguments: list[str], capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "usage: runcard-verify" in capsys.readouterr().err


def test_stations_run_it_in_their_python(station_python: Path, tmp_path: Path):
    path = tmp_path / "receipt.json"
    path.write_text(json.dumps(RECEIPT))
    done = subprocess.run(
        [station_python, "-m", "runcard_verify", "receipt", path, *TRUST],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    deep = tmp_path / "deep.json"
    deep.write_bytes(b"[" * 100_000)
    done = subprocess.run(
        [station_python, "-m", "runcard_verify", "receipt", deep], capture_output=True, text=True, check=False
    )
    assert (done.returncode, "nested too deeply" in done.stderr) == (2, True)


def test_a_missing_package_is_named(tmp_path: Path):
    """Where cryptography is not installed: here, where another module of that name cannot be imported."""
    (tmp_path / "cryptography.py").write_text("raise ModuleNotFoundError('gone', name='cryptography')")
    program = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r}); "
        "from runcard_verify.__main__ import main; sys.exit(main())"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "pip install 'runcard-client[verify]'" in done.stderr
