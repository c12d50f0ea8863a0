"""How fast report files become runs, and with how much memory; for STDF, compared with pystdf.

    python bench/importers.py --json

See README.md in this folder for the cases and for how to read the numbers.
"""

import gzip
import json
import os
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from string import ascii_uppercase, digits
from tempfile import TemporaryDirectory, TemporaryFile
from typing import Annotated, NamedTuple, TypeVar

import msgspec
import typer
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parents[1]))  # so that this file can be run by its path

from bench.failure import BenchFailed
from bench.import_case import Measured
from bench.pystdf_case import Compared
from runcard.importers.formats import FORMATS, FormatName

_ROOT = Path(__file__).parents[1]
_CASES = _ROOT / "tests" / "importers" / "cases"
_RUNCARD = Path(sys.executable).with_name("runcard")
# A sample file of each format that has one.
SAMPLES: dict[FormatName, Path] = {
    "OPENHTF": _CASES / "openhtf" / "pass.json",
    "STDF": _CASES / "stdf" / "lot2.stdf.gz",
}
_LOT = SAMPLES["STDF"]

_BIG_BYTES = 1 << 30
MAX_BIG_PEAK_BYTES = 300 * 10**6
_BEGIN_WAFER, _END_WAFER, _END_PART = b"\x02\x0a", b"\x02\x14", b"\x05\x14"
# The id of the sample's wafer. Its last two characters count the wafers of the big file.
_WAFER = b"GAL-LOT-02"
_DIGITS = (digits + ascii_uppercase).encode()
MOST_WAFERS = len(_DIGITS) ** 2

T = TypeVar("T")


class Line(msgspec.Struct):
    """ratio_to_pystdf: how many times as long pystdf takes. peak_mb: of the case's own process; None if shared."""

    case: str
    format: str
    file: str
    runs: int
    seconds: float
    runs_per_s: float
    mb_per_s: float
    ratio_to_pystdf: float | None = None
    pystdf_s: float | None = None
    peak_mb: float | None = None


def parsed_beside_pystdf(repeats: int) -> Line:
    found = _case(Compared, "bench.pystdf_case", str(_LOT), "--repeats", str(repeats))
    size = len(gzip.decompress(_LOT.read_bytes()))
    line = _line("parse", "STDF", _LOT, size, _Took(found.runs, found.seconds))
    line.ratio_to_pystdf, line.pystdf_s = round(found.ratio, 2), round(found.pystdf_s, 3)
    return line


def stored(importer: FormatName, least_runs: int) -> Line:
    path = SAMPLES[importer]
    found = _case(Measured, "bench.import_case", "store", importer, str(path), "--runs", str(least_runs))
    content = path.read_bytes()
    size = len(gzip.decompress(content) if path.suffix == ".gz" else content)
    files = -(-found.runs // _runs_in(importer, path))
    return _line("store", importer, path, size * files, _Took(found.runs, found.seconds, found.peak_bytes))


def parsed_big(directory: Path, size_bytes: int) -> Line:
    """The time to parse a big file. Raises BenchFailed if that takes more memory than MAX_BIG_PEAK_BYTES."""
    path = directory / "big.stdf"
    parts = write_big(path, size_bytes)
    found = _case(Measured, "bench.import_case", "parse", "STDF", str(path))
    if found.runs != parts:
        raise BenchFailed(f"The big file has {parts} parts, but the parser found {found.runs} runs")
    if found.peak_bytes > MAX_BIG_PEAK_BYTES:
        raise BenchFailed(f"The big file took {found.peak_bytes} bytes of memory, above {MAX_BIG_PEAK_BYTES}")
    return _line(
        "parse_big", "STDF", path, path.stat().st_size, _Took(found.runs, found.seconds, found.peak_bytes)
    )


def imported_big(directory: Path, size_bytes: int) -> Line:
    """The time to `runcard import` the same file into a fresh SQLite database. Raises BenchFailed as `parsed_big`."""
    path, data_dir = directory / "big.stdf", directory / "data"
    parts = write_big(path, size_bytes)
    at = ["--data-dir", str(data_dir), "--json"]
    _runcard("init", "--organization", "Bench", "--email", "bench@runcard.test", *at)
    started = time.perf_counter()
    printed, peak_bytes = _runcard("import", str(path), *at)
    seconds = time.perf_counter() - started
    runs = json.loads(printed)["runs"]
    if runs != parts:
        raise BenchFailed(f"The big file has {parts} parts, but {runs} runs were recorded")
    if peak_bytes > MAX_BIG_PEAK_BYTES:
        raise BenchFailed(
            f"Importing the big file took {peak_bytes} bytes of memory, above {MAX_BIG_PEAK_BYTES}"
        )
    return _line("import_big", "STDF", path, path.stat().st_size, _Took(runs, seconds, peak_bytes))


def _runcard(*arguments: str) -> tuple[str, int]:
    """What a command prints, and its peak of memory in bytes. Raises BenchFailed if it fails."""
    with TemporaryFile("w+") as printed, TemporaryFile("w+") as errors:
        process = subprocess.Popen([_RUNCARD, *arguments], stdout=printed, stderr=errors)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        for file in (printed, errors):
            file.seek(0)
        if process.returncode:
            raise BenchFailed(
                f"runcard {' '.join(arguments)} ended with {process.returncode}\n{errors.read()[-4000:]}"
            )
        return printed.read(), usage.ru_maxrss * 1024


def write_big(path: Path, size_bytes: int) -> int:
    """Write a lot of at least this many bytes, and return its number of parts.

    It repeats the wafer of the sample, each time with another id, and so with other units.
    """
    content = gzip.decompress(_LOT.read_bytes())
    kinds = list(_kinds(content))
    start = next(at for at, kind in kinds if kind == _BEGIN_WAFER)
    last = next(at for at, kind in kinds if kind == _END_WAFER)
    end = next(at for at, _ in kinds if at > last)
    wafer, parts = content[start:end], sum(kind == _END_PART for _, kind in kinds)
    times = -(-size_bytes // len(wafer))
    if times > MOST_WAFERS:
        raise BenchFailed(f"The big file would have {times} wafers, more than {MOST_WAFERS}")
    with path.open("wb") as file:
        file.write(content[:start])
        for number in range(times):
            high, low = divmod(number, len(_DIGITS))
            file.write(wafer.replace(_WAFER, _WAFER[:-2] + bytes((_DIGITS[high], _DIGITS[low]))))
        file.write(content[end:])
    return parts * times


def _kinds(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Where each record of a big-endian file begins, and its kind."""
    at = 0
    while at < len(content):
        yield at, content[at + 2 : at + 4]
        at += 4 + struct.unpack_from(">H", content, at)[0]


def _runs_in(importer: FormatName, path: Path) -> int:
    parse = next(known.parse for known in FORMATS if known.name == importer)
    with path.open("rb") as file:
        return sum(1 for _ in parse(file))


def _case(kind: type[T], *arguments: str) -> T:
    """Run a case in its own process, and return what it measured."""
    done = subprocess.run(
        [sys.executable, "-m", *arguments], cwd=_ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise BenchFailed(f"{' '.join(arguments)} ended with {done.returncode}\n{done.stderr[-4000:]}")
    return msgspec.json.decode(done.stdout, type=kind)


class _Took(NamedTuple):
    """runs: how many were read. peak_bytes: None if memory was not measured."""

    runs: int
    seconds: float
    peak_bytes: int | None = None


def _line(case: str, importer: str, path: Path, size_bytes: int, took: _Took) -> Line:
    runs, seconds, peak = took
    return Line(
        case=case,
        format=importer,
        file=path.name,
        runs=runs,
        seconds=round(seconds, 3),
        runs_per_s=round(runs / seconds, 1),
        mb_per_s=round(size_bytes / seconds / 1e6, 2),
        peak_mb=None if peak is None else round(peak / 1e6, 1),
    )


def _table(lines: list[Line]) -> Table:
    table = Table(title="Report files")
    for heading in ("case", "format", "file"):
        table.add_column(heading)
    for heading in ("runs", "s", "runs/s", "MB/s", "to pystdf", "peak MB"):
        table.add_column(heading, justify="right")
    for line in lines:
        table.add_row(
            line.case,
            line.format,
            line.file,
            f"{line.runs:,}",
            f"{line.seconds:.2f}",
            f"{line.runs_per_s:,.0f}",
            f"{line.mb_per_s:.1f}",
            "" if line.ratio_to_pystdf is None else f"{line.ratio_to_pystdf:.1f}",
            "" if line.peak_mb is None else f"{line.peak_mb:.0f}",
        )
    return table


def _formats(text: str) -> list[FormatName]:
    names = [name.strip() for name in text.split(",")] if text else list(SAMPLES)
    known: dict[str, FormatName] = {name: name for name in SAMPLES}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise typer.BadParameter(f"{', '.join(unknown)}: no sample; use one of {', '.join(SAMPLES)}")
    return [known[name] for name in names]


def main(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON line for each case.")] = False,
    repeat: Annotated[int, typer.Option(min=1, help="Times around beside pystdf; medians are printed.")] = 5,
    runs: Annotated[int, typer.Option(min=1, help="At least so many runs of each format are stored.")] = 500,
    formats: Annotated[str, typer.Option(help=f"Of {', '.join(SAMPLES)}, by comma; all of them.")] = "",
    big: Annotated[
        bool, typer.Option("--big", help="Parse and import an STDF file of 1 GB as well.")
    ] = False,
    big_bytes: Annotated[int, typer.Option(min=1, help="How large the big file is.")] = _BIG_BYTES,
) -> None:
    """Measure how report files become runs. Every part must be a run."""
    chosen = _formats(formats)
    work: list[Callable[[], Line]] = [lambda: parsed_beside_pystdf(repeat)] if "STDF" in chosen else []
    work += [partial(stored, importer, runs) for importer in chosen]
    try:
        with TemporaryDirectory(prefix="runcard-bench-") as directory:
            if big:
                work.append(lambda: parsed_big(Path(directory), big_bytes))
                work.append(lambda: imported_big(Path(directory), big_bytes))
            lines = []
            for measure in work:
                lines.append(measure())
                if as_json:
                    print(msgspec.json.encode(lines[-1]).decode(), flush=True)
    except BenchFailed as error:
        print(f"Failed. {error}", file=sys.stderr)
        raise typer.Exit(1) from error
    if not as_json:
        Console().print(_table(lines))


if __name__ == "__main__":
    typer.run(main)
