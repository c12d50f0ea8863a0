"""Two signed heads of one record, and the proof that the later one only added to the earlier one."""

from __future__ import annotations

from dataclasses import dataclass

from runcard_verify.errors import DoesNotFit, Unreadable, shown
from runcard_verify.fields import Fields
from runcard_verify.head import FORMAT as HEAD_FORMAT
from runcard_verify.head import MEMBERS, Head, check_signature, head_of
from runcard_verify.receipt import FORMAT as RECEIPT_FORMAT
from runcard_verify.receipt import receipt_of
from runcard_verify.tree import is_consistent

FORMAT = "runcard-consistency/1"


@dataclass(frozen=True)
class Consistency:
    """first, second: the earlier and the later head. path: hashes that lead to both roots."""

    first: Head
    second: Head
    path: list[bytes]


def kept_head(value: object, where: str) -> Head:
    """The head of a file that somebody kept: a head itself, or a receipt. Raises Unreadable."""
    found = value.get("format") if isinstance(value, dict) else None
    if found == HEAD_FORMAT:
        return head_of(Fields(value, where, ("format", *MEMBERS)))
    if found == RECEIPT_FORMAT:
        return receipt_of(value).head
    raise Unreadable(f"{where} has the format {shown(found)!r} instead of {HEAD_FORMAT} or {RECEIPT_FORMAT}")


def consistency_of(value: object) -> Consistency:
    """The proof that a file holds. Raises Unreadable."""
    fields = Fields(value, "the consistency file", ("format", "first", "second", "path"))
    if fields.text("format") != FORMAT:
        raise Unreadable(f"the proof has the format {shown(fields.text('format'))!r} instead of {FORMAT}")
    first, second = (head_of(Fields(fields.value(name), name, MEMBERS)) for name in ("first", "second"))
    return Consistency(first, second, fields.hashes("path"))


def check_heads(old: Head, new: Head, proof: Consistency) -> None:
    """Raise DoesNotFit if a signature is wrong, or if the record of the new head is not the old one and more."""
    for head in (old, new, proof.first, proof.second):
        check_signature(head)
    if old.organization_id != new.organization_id:
        raise DoesNotFit(
            f"the heads are of two organizations, {old.organization_id} and {new.organization_id}; compare heads of one"
        )
    if new.tree_size < old.tree_size:
        raise DoesNotFit(
            f"the record had {old.tree_size} entries and then {new.tree_size}: it was cut, or an older backup was "
            "restored, or the two files are given in the wrong order"
        )
    if new.tree_size == old.tree_size and new.root != old.root:
        raise DoesNotFit(
            f"two signed heads of {old.tree_size} entries have different roots: the record was changed and signed "
            "again. Keep both files; they are the evidence"
        )
    if not proof.first.is_of_same_tree(old) or not proof.second.is_of_same_tree(new):
        raise DoesNotFit("the consistency file is about other heads than the two that were given")
    if not is_consistent(old.tree_size, old.root, new.tree_size, new.root, proof.path):
        raise DoesNotFit(
            f"the record of {new.tree_size} entries did not grow from the one of {old.tree_size}: entries were "
            "changed, taken out or put in another order, or the path is not the server's"
        )
