"""`runcard-verify`: check a receipt, or that a record only grew, without a server."""

from __future__ import annotations

import argparse
import io
import json
import sys
from collections.abc import Sequence

from runcard_verify.consistency import check_heads, consistency_of, kept_head
from runcard_verify.errors import DoesNotFit, Unreadable, shown
from runcard_verify.findings import Findings, findings_of_heads, findings_of_receipt
from runcard_verify.keys import check_trust, trusted_keys
from runcard_verify.receipt import check_receipt, receipt_of
from runcard_verify.strict_json import read_json

FITS, DOES_NOT_FIT, UNREADABLE, NOT_TRUSTED = range(4)
_WORDS = {
    FITS: "fits",
    DOES_NOT_FIT: "does not fit",
    UNREADABLE: "cannot be read",
    NOT_TRUSTED: "fits, but the key is not known to be the server's",
}
_STATUS_HELP = (
    "Exit status: 0 it fits; 1 it does not fit; 2 it cannot be read, or the command is wrong; 3 it fits, and the key "
    "was taken from the file itself, since none was given with --key."
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit status. arguments: None: those of this process."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal without the letters of a serial number shows their numbers.
            stream.reconfigure(errors="backslashreplace")
    options = _parser().parse_args(arguments)
    try:
        findings: Findings = options.run(options)
    except DoesNotFit as error:
        return _tell_fault(options, DOES_NOT_FIT, str(error))
    except Unreadable as error:
        return _tell_fault(options, UNREADABLE, str(error))
    status = FITS if options.key else NOT_TRUSTED
    if options.json:
        _print_json(status, options, None, findings)
    else:
        _print_words(status, options, findings)
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "runcard-verify",
        description="Check offline what a Runcard server has signed.",
        epilog=_STATUS_HELP,
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument(
        "--key",
        action="append",
        default=[],
        metavar="KEY",
        help="the server's public key, in Base64 or as a file (Base64 or PEM); repeat it for several",
    )
    shared.add_argument("--json", action="store_true", help="print JSON")

    receipt = commands.add_parser(
        "receipt", parents=[shared], help="check a receipt of an entry or of a run", epilog=_STATUS_HELP
    )
    receipt.add_argument("file", metavar="FILE", help="the receipt")
    receipt.set_defaults(run=_receipt)

    heads = commands.add_parser(
        "heads", parents=[shared], help="check that a record only grew between two heads", epilog=_STATUS_HELP
    )
    heads.add_argument("old", metavar="OLD", help="the head that you kept, or a receipt with it")
    heads.add_argument("new", metavar="NEW", help="a later head, or a receipt with it")
    heads.add_argument(
        "file", metavar="PROOF", help="the consistency file of the two, as the server gives it"
    )
    heads.set_defaults(run=_heads)
    return parser


def _receipt(options: argparse.Namespace) -> Findings:
    trusted = trusted_keys(options.key)
    receipt = receipt_of(read_json(options.file))
    check_receipt(receipt)
    check_trust(receipt.head, trusted)
    return findings_of_receipt(receipt, is_trusted=bool(trusted))


def _heads(options: argparse.Namespace) -> Findings:
    trusted = trusted_keys(options.key)
    old, new = (kept_head(read_json(path), shown(path)) for path in (options.old, options.new))
    proof = consistency_of(read_json(options.file))
    check_heads(old, new, proof)
    for head in (old, new, proof.first, proof.second):
        check_trust(head, trusted)
    return findings_of_heads(old, new, proof, is_trusted=bool(trusted))


def _tell_fault(options: argparse.Namespace, status: int, fault: str) -> int:
    if options.json:
        _print_json(status, options, fault, Findings([], [], []))
    else:
        told = fault if status == UNREADABLE else f"{shown(options.file)} {_WORDS[status]}: {fault}"
        sys.stderr.write(f"runcard-verify: {told}\n")
    return status


def _print_words(status: int, options: argparse.Namespace, findings: Findings) -> None:
    lines = [f"{shown(options.file)} {_WORDS[status]}."]
    for title, sentences in (
        ("What was checked:", findings.checked),
        ("What this proves:", findings.proves if status == FITS else []),
        ("What this would prove if the key is the server's:", findings.proves if status != FITS else []),
        ("What this does not prove:", findings.does_not_prove),
    ):
        if sentences:
            lines += ["", title, *(f"  - {sentence}" for sentence in sentences)]
    print("\n".join(lines))


def _print_json(status: int, options: argparse.Namespace, fault: str | None, findings: Findings) -> None:
    told = {
        "file": options.file,
        "result": _WORDS[status],
        "exit_status": status,
        "fault": fault,
        "checked": findings.checked,
        "proves": findings.proves,
        "does_not_prove": findings.does_not_prove,
        **findings.facts,
    }
    print(json.dumps(told))
