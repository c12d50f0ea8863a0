"""A receipt: an entry of the record, its way to a signed head, and perhaps the run that the entry tells of."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from runcard_verify.errors import DoesNotFit, Unreadable, shown
from runcard_verify.fields import Fields
from runcard_verify.head import MEMBERS, Head, check_signature, head_of
from runcard_verify.strict_json import parse
from runcard_verify.tree import is_included, leaf_hash

FORMAT = "runcard-receipt/1"


@dataclass(frozen=True)
class Run:
    """header: its members. text: as it was hashed."""

    text: bytes
    header: dict[str, object]
    document: bytes


@dataclass(frozen=True)
class Receipt:
    """leaf: the entry, as it was hashed. entry: its members. index: from 0. run: None if the receipt has none."""

    leaf: bytes
    entry: dict[str, object]
    index: int
    path: list[bytes]
    head: Head
    run: Run | None


def receipt_of(value: object) -> Receipt:
    """The receipt that a file holds. Raises Unreadable."""
    fields = Fields(value, "the receipt", ("format", "leaf", "index", "path", "head"), ("run",))
    if fields.text("format") != FORMAT:
        raise Unreadable(f"the receipt has the format {shown(fields.text('format'))!r} instead of {FORMAT}")
    leaf = fields.text("leaf").encode()
    return Receipt(
        leaf,
        _members(leaf, "leaf"),
        fields.whole_number("index"),
        fields.hashes("path"),
        head_of(Fields(fields.value("head"), "head", MEMBERS)),
        _run_of(Fields(fields.value("run"), "run", ("header", "document"))) if "run" in fields else None,
    )


def check_receipt(receipt: Receipt) -> None:
    """Raise DoesNotFit for the first thing that the receipt says and that is not so."""
    head = receipt.head
    if receipt.index >= head.tree_size:
        raise DoesNotFit(
            f"entry {receipt.index} cannot stand in a record of {head.tree_size}; they count from 0"
        )
    if not is_included(leaf_hash(receipt.leaf), receipt.index, head.tree_size, receipt.path, head.root):
        raise DoesNotFit(
            f"the entry does not stand at {receipt.index} of the record that was signed: "
            "the entry, its index, the path, or the head is another one"
        )
    check_signature(head)
    if receipt.run is not None:
        _check_run(receipt.run, receipt.entry)


def _check_run(run: Run, entry: dict[str, object]) -> None:
    if hashlib.sha256(run.text).hexdigest() != entry.get("state"):
        raise DoesNotFit("the header of the run is not the one that the entry names by its hash (state)")
    if hashlib.sha256(run.document).hexdigest() != run.header.get("document"):
        raise DoesNotFit(
            "the document of the run is not the one that its header names by its hash (document)"
        )
    if not isinstance(run.header.get("id"), str) or run.header["id"] != entry.get("thing_id"):
        raise DoesNotFit("the entry is about another thing (thing_id) than the run of the header (id)")


def _run_of(fields: Fields) -> Run:
    text = fields.text("header").encode()
    return Run(text, _members(text, "run.header"), fields.bytes_of("document"))


def _members(text: bytes, where: str) -> dict[str, object]:
    value = parse(text, where)
    if not isinstance(value, dict):
        raise Unreadable(f"{where} is not a JSON object")
    return value
