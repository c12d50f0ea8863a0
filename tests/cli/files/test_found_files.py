"""Which files a command is to read."""

import os
import zipfile
from pathlib import Path

import pytest

from runcard.cli.files.found_files import FoundFile, find_files
from runcard.domain.errors import InvalidInput, PayloadTooLarge, UnreadableReport
from runcard.importers.content.unpacking import FREE_BYTES


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("b.xml", "a.xml", "deep/er/c.json", ".hidden", ".git/d.xml"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(name.encode())
    return tmp_path


def archive(path: Path, **members: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in members.items():
            packed.writestr(name, content)
    return path


def names(folder: Path, *paths: Path | str) -> list[str]:
    return [one.name.removeprefix(f"{folder}{os.sep}") for one in find_files([str(path) for path in paths])]


def content(file: FoundFile) -> bytes:
    with file.open() as opened:
        return opened.read()


def test_files_of_a_folder_in_the_order_of_their_names(folder: Path) -> None:
    assert names(folder, folder) == ["a.xml", "b.xml", "deep/er/c.json"]
    assert [content(one) for one in find_files([str(folder)])] == [b"a.xml", b"b.xml", b"deep/er/c.json"]


def test_patterns_and_hidden_files_that_are_named(folder: Path) -> None:
    assert names(folder, folder / "*.xml") == ["a.xml", "b.xml"]
    assert names(folder, folder / "**/*.json") == ["deep/er/c.json"]
    assert names(folder, folder / ".hidden") == [".hidden"]


def test_only_what_is_named_itself_is_named(folder: Path) -> None:
    found = find_files([str(folder / "a.xml"), str(folder / "*.xml"), str(folder)])
    assert [one.is_named for one in found] == [True, False, False, False, False, False]


def test_a_name_that_looks_like_a_pattern_is_a_name(folder: Path) -> None:
    (folder / "a[1].xml").write_bytes(b"brackets")
    assert names(folder, folder / "a[1].xml") == ["a[1].xml"]


def test_nothing_is_told_where_a_path_leads_nowhere(folder: Path) -> None:
    with pytest.raises(InvalidInput) as raised:
        next(find_files([str(folder / "a.xml"), str(folder / "*.stdf")]))
    assert "*.stdf: there is no such file" in raised.value.summary


def test_what_lies_in_an_archive(folder: Path) -> None:
    packed = archive(
        folder / "reports", **{"x/one.xml": b"one", "two.json": b"two", "__MACOSX/x": b"-", "x/.DS": b"-"}
    )
    found = list(find_files([str(packed)]))
    assert [(one.member, one.short_name, content(one)) for one in found] == [
        ("x/one.xml", "one.xml", b"one"),
        ("two.json", "two.json", b"two"),
    ]


def test_workbooks_and_damaged_archives_are_files(folder: Path) -> None:
    workbook = archive(folder / "book.xlsx", **{"[Content_Types].xml": b"<Types/>"})
    damaged = folder / "damaged.zip"
    damaged.write_bytes(archive(folder / "whole", a=b"a" * 1000).read_bytes()[:50])
    assert [one.member for one in find_files([str(workbook), str(damaged)])] == [None, None]


def test_a_damaged_member_is_refused(folder: Path) -> None:
    packed = archive(folder / "a.zip", a=os.urandom(1000))
    damaged = bytearray(packed.read_bytes())
    damaged[200] ^= 0xFF
    packed.write_bytes(damaged)
    (found,) = find_files([str(packed)])
    with pytest.raises(UnreadableReport, match="damaged or cut short"):
        content(found)


def test_a_member_that_explodes_is_refused(folder: Path) -> None:
    packed = archive(folder / "bomb.zip", a=bytes(FREE_BYTES + (64 << 20)))
    (found,) = find_files([str(packed)])
    with pytest.raises(PayloadTooLarge):
        content(found)


def test_an_archive_of_many_files_that_unpack_to_much_is_refused(folder: Path) -> None:
    """Each of which would be small enough alone."""
    many = archive(folder / "many.zip", **{f"{number}.csv": bytes(FREE_BYTES // 2) for number in range(3)})
    for file in find_files([str(many)]):
        with pytest.raises(PayloadTooLarge, match="The archive unpacks to 100663296 bytes"):
            content(file)
