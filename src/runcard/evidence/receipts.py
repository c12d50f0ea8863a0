"""Receipts and proofs between heads as JSON, in the formats that `runcard-verify` reads."""

from base64 import b64encode
from typing import Literal

from msgspec import UNSET, Struct, UnsetType

from runcard.evidence.head_files import HeadBody, head_body
from runcard.evidence.prover import Growth, Inclusion


class ReceiptRun(Struct):
    """header: canonical JSON, whose SHA-256 is the state in the leaf. document: in base64."""

    header: str
    document: str


class ReceiptBody(Struct):
    """leaf: canonical JSON, as it is hashed. index: of the leaf, from 0. path: from the leaf to the root of the head.

    run: missing if the run is deleted.
    """

    leaf: str
    index: int
    path: list[str]
    head: HeadBody
    run: ReceiptRun | UnsetType = UNSET
    format: Literal["runcard-receipt/1"] = "runcard-receipt/1"


class ConsistencyBody(Struct):
    """path: the hashes that prove that the second head only added to the first."""

    first: HeadBody
    second: HeadBody
    path: list[str]
    format: Literal["runcard-consistency/1"] = "runcard-consistency/1"


def receipt_of(proof: Inclusion) -> ReceiptBody:
    """The receipt that says this proof."""
    run: ReceiptRun | UnsetType = UNSET
    if proof.run is not None:
        run = ReceiptRun(proof.run.header.decode(), b64encode(proof.run.document).decode())
    path = [one.hex() for one in proof.path]
    return ReceiptBody(proof.leaf.text.decode(), proof.leaf_index, path, head_body(proof.head), run)


def consistency_of(growth: Growth) -> ConsistencyBody:
    """What says that one head follows another."""
    path = [one.hex() for one in growth.path]
    return ConsistencyBody(head_body(growth.first), head_body(growth.second), path)
