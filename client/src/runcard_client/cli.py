"""`runcard-client`: show the runs that wait on this station, and send them."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory

from runcard_client.amendment import body_of, in_editor, read_edited, shown, with_set
from runcard_client.client import Client, Flushed
from runcard_client.errors import InvalidReport, InvalidSettings, RuncardClientError
from runcard_client.settings import editor, spool_path
from runcard_client.spool import Spool, SpooledRun
from runcard_client.version import __version__

# Exit status: runs still wait or are parked.
_LEFT = 1
# Exit status: the command could not be executed.
_FAILED = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit status. arguments: None: those of this process."""
    options = _parser().parse_args(arguments)
    try:
        status: int = options.run(options)
    except RuncardClientError as error:
        print(f"runcard-client: {error}", file=sys.stderr)
        return _FAILED
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "runcard-client", description="Runs that wait on this station to be sent to Runcard."
    )
    parser.add_argument("--version", action="version", version=f"runcard-client {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--spool", metavar="FILE", help="the file that runs wait in (RUNCARD_SPOOL)")
    shared.add_argument("--json", action="store_true", help="print JSON")

    status = commands.add_parser("status", parents=[shared], help="show what waits and what is parked")
    status.set_defaults(run=_status)

    flush = commands.add_parser("flush", parents=[shared], help="send what waits")
    flush.add_argument("--url", help="the server's address (RUNCARD_URL)")
    flush.add_argument("--api-key", metavar="KEY", help="the station's key; better given as RUNCARD_API_KEY")
    flush.add_argument(
        "--timeout",
        type=float,
        default=0.0,
        metavar="SECONDS",
        help="go on trying for so long; once unless given",
    )
    flush.set_defaults(run=_flush)

    retry = commands.add_parser("retry", parents=[shared], help="let parked runs wait again")
    retry.add_argument("ref", nargs="?", help="the client_run_ref of one; all unless given")
    retry.set_defaults(run=_retry)

    edit = commands.add_parser("edit", parents=[shared], help="put a parked run right, and let it wait again")
    edit.add_argument("ref", nargs="?", help="its client_run_ref; with --set: all parked runs unless given")
    how = edit.add_mutually_exclusive_group()
    how.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="FIELD=VALUE",
        help="set a field, such as part_number; repeat it for others; the run is opened in $EDITOR unless given",
    )
    how.add_argument("--file", type=Path, metavar="FILE", help="take the run from this JSON file")
    how.add_argument("--undo", action="store_true", help="take it back as it was first")
    edit.set_defaults(run=_edit)

    discard = commands.add_parser("discard", parents=[shared], help="forget a parked run for good")
    discard.add_argument("ref", help="its client_run_ref")
    discard.set_defaults(run=_discard)
    return parser


def _status(options: argparse.Namespace) -> int:
    spool = _existing_spool(options)
    if spool is None:
        path = spool_path(options.spool)
        _print(options, {"spool": str(path), "waiting": 0, "next": None, "parked": []}, ["No run waits."])
        return 0
    with spool:
        counts, first, parked = spool.counts(), spool.first_waiting(), spool.parked()
    values = {
        "spool": str(spool.path),
        "waiting": counts.waiting,
        "next": None if first is None else asdict(first),
        "parked": [asdict(run) for run in parked],
    }
    lines = [f"{counts.waiting} wait, {counts.parked} are parked in {spool.path}"]
    if first is not None:
        lines.append(f"next: {_line(first)}")
    lines += [f"parked: {_line(run)}" for run in parked]
    _print(options, values, lines)
    return _LEFT if counts.waiting or counts.parked else 0


def _flush(options: argparse.Namespace) -> int:
    with Client(options.url, options.api_key, spool=options.spool, sends=False) as client:
        flushed = client.flush(options.timeout)
    _print(options, asdict(flushed), [_flushed_line(flushed)])
    return 0 if flushed.is_empty else _LEFT


def _retry(options: argparse.Namespace) -> int:
    with _needed_spool(options) as spool:
        count = spool.retry(options.ref)
    return _changed(options, count, "wait again")


def _edit(options: argparse.Namespace) -> int:
    if options.ref is None and not options.set:
        raise InvalidSettings("no run is named; give its client_run_ref, as runcard-client status shows it")
    with _needed_spool(options) as spool:
        runs = [run for run in spool.parked() if options.ref in (None, run.client_run_ref)]
        # All are checked before the first is changed.
        amended = [(run, _edited(options, spool, run)) for run in runs]
        count = sum(spool.amend(run.client_run_ref, *changed) for run, changed in amended)
    return _changed(options, count, "wait again as they are now")


def _edited(options: argparse.Namespace, spool: Spool, run: SpooledRun) -> tuple[str, str, bytes]:
    """The new procedure, serial number and body of a parked run."""
    if run.run_id is not None:
        raise InvalidReport(
            f"run {run.client_run_ref!r:.80} is recorded as {run.run_id}, and only its files are left to send; "
            "change the run on the server"
        )
    if options.undo:
        return spool.original(run.seq) or (run.procedure, run.serial_number, spool.body(run.seq))
    edited = shown(run, spool.body(run.seq))
    if options.set:
        return body_of(run, with_set(edited, options.set))
    if options.file is not None:
        return body_of(run, read_edited(_text_of(options.file)))
    with TemporaryDirectory() as folder:
        file = Path(folder, "run.json")
        try:
            return body_of(run, in_editor(editor(), file, edited))
        except InvalidReport as error:
            kept = spool.path.with_name("edited-run.json")
            shutil.copyfile(file, kept)
            raise InvalidReport(
                f"{error}. Your text is in {kept}: correct it and pass it with --file"
            ) from error


def _text_of(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidSettings(f"{file} cannot be read: {error}; give a text file in UTF-8") from error


def _discard(options: argparse.Namespace) -> int:
    with _needed_spool(options) as spool:
        count = spool.discard(options.ref)
    return _changed(options, count, "forgotten")


def _changed(options: argparse.Namespace, count: int, done: str) -> int:
    if options.ref is not None and not count:
        raise InvalidSettings(
            f"no parked run has the client_run_ref {options.ref!r}; see runcard-client status"
        )
    _print(options, {"runs": count}, [f"{count} {done}"])
    return 0


def _existing_spool(options: argparse.Namespace) -> Spool | None:
    """The spool; None where there is none, so that a query does not create one."""
    path = spool_path(options.spool)
    return Spool(path) if path.exists() else None


def _needed_spool(options: argparse.Namespace) -> Spool:
    spool = _existing_spool(options)
    if spool is None:
        raise InvalidSettings(
            f"{spool_path(options.spool)} does not exist; name the spool of this station with --spool"
        )
    return spool


def _flushed_line(flushed: Flushed) -> str:
    line = f"{flushed.sent} sent, {flushed.waiting} wait, {flushed.parked} are parked"
    reasons = [*flushed.refused, *([] if flushed.error is None else [flushed.error])]
    return ": ".join([line, *reasons])


def _line(run: SpooledRun) -> str:
    line = f"{run.client_run_ref}  {run.serial_number}  {run.procedure}  {run.added_at}"
    return line if run.error is None else f"{line}  {run.error}"


def _print(options: argparse.Namespace, values: object, lines: Sequence[str]) -> None:
    print(json.dumps(values) if options.json else "\n".join(lines))


if __name__ == "__main__":
    sys.exit(main())
