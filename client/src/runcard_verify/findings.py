"""What was found, in words: what was checked, what that proves, and what it does not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from runcard_verify.consistency import Consistency
from runcard_verify.errors import shown
from runcard_verify.head import Head
from runcard_verify.receipt import Receipt, Run


@dataclass(frozen=True)
class Findings:
    """facts: the same for programs. The sentences are for people."""

    checked: list[str]
    proves: list[str]
    does_not_prove: list[str]
    facts: dict[str, object] = field(default_factory=dict)


def findings_of_receipt(receipt: Receipt, *, is_trusted: bool) -> Findings:
    """What a receipt that fits tells."""
    head = receipt.head
    checked = [
        f"The entry stands at {receipt.index}, counted from 0, of {_record_words(head)}.",
        f"The entry reads: {shown(receipt.leaf.decode(), 600)}",
        _signature_words(head, is_trusted=is_trusted),
    ]
    proves = [f"The entry was in the record at {head.signed_at}, letter for letter, at this place."]
    facts: dict[str, object] = {
        "entry": receipt.entry,
        "index": receipt.index,
        "head": _head_facts(head),
        "run": None,
    }
    if receipt.run is not None:
        checked.append(_run_words(receipt.run))
        proves.append("The header and the document of the run are those that were recorded, byte for byte.")
        facts["run"] = _run_facts(receipt.run)
    return Findings(
        checked,
        [*proves, *_signer_words(head, is_trusted=is_trusted)],
        [
            "That what the station or the person reported was true.",
            "That nothing was corrected or voided later: ask for the history of the thing, with a newer head.",
            "That the server's clock was right: signed_at is the time that the server said.",
            "That others were shown the same record: compare heads that were kept outside (`runcard-verify heads`).",
        ],
        facts,
    )


def findings_of_heads(old: Head, new: Head, proof: Consistency, *, is_trusted: bool) -> Findings:
    """What two heads tell of which the later one only added to the earlier one."""
    added = new.tree_size - old.tree_size
    checked = [
        f"The older head is of {_record_words(old)}.",
        f"The newer head is of {_record_words(new)}.",
        f"The {len(proof.path)} hashes of the proof lead to both roots.",
        _signature_words(old, is_trusted=is_trusted),
    ]
    if new.key_id != old.key_id:
        checked.append(_signature_words(new, is_trusted=is_trusted))
    if new.signed_at < old.signed_at:
        checked.append(
            "The newer head says an earlier time than the older one: ask why the server's clock went back."
        )
    return Findings(
        checked,
        [
            f"The first {old.tree_size} entries are the same in both, in the same order; {added} were added behind.",
            *_signer_words(new, is_trusted=is_trusted),
        ],
        [
            "What the entries say: check receipts for that.",
            "That entries were true, or were made at the time that they say.",
        ],
        {"old": _head_facts(old), "new": _head_facts(new), "added": added},
    )


def _record_words(head: Head) -> str:
    entries = "1 entry" if head.tree_size == 1 else f"{head.tree_size} entries"
    return f"the record of organization {head.organization_id}, which had {entries} at {head.signed_at}"


def _signature_words(head: Head, *, is_trusted: bool) -> str:
    if is_trusted:
        return f"The head is signed by key {head.key_id}, which you trust."
    return (
        f"The head is signed by key {head.key_id}, which stands in the file itself. Anybody can make a file that is "
        "signed by a key of their own: give the server's public key with --key to know whose it is."
    )


def _signer_words(head: Head, *, is_trusted: bool) -> list[str]:
    if is_trusted:
        return [f"Who holds key {head.key_id} signed for this, and cannot deny it."]
    return []


def _run_words(run: Run) -> str:
    told = [f"The run {shown(run.header.get('id'))}"]
    serial, started_at = _serial_number(run.header), run.header.get("started_at")
    if serial is not None:
        told.append(f"serial number {shown(serial)}")
    if started_at is not None:
        told.append(f"started at {shown(started_at)}")
    parts = f"its header and its document of {len(run.document)} bytes"
    return f"{', '.join(told)}: {parts} are those that the entry names."


def _run_facts(run: Run) -> dict[str, object]:
    return {
        "id": run.header.get("id"),
        "serial_number": _serial_number(run.header),
        "started_at": run.header.get("started_at"),
        "document_bytes": len(run.document),
    }


def _serial_number(header: Mapping[str, object]) -> object:
    return header.get("serial_number", header.get("serial"))


def _head_facts(head: Head) -> dict[str, object]:
    return {
        "organization_id": head.organization_id,
        "tree_size": head.tree_size,
        "root": head.root.hex(),
        "signed_at": head.signed_at,
        "key_id": head.key_id,
    }
