"""How long stations wait for their answers during the import of files that are made to cost much.

    python bench/imports_beside_stations.py --json

See README.md in this folder for the cases and for how to read the numbers.
"""

import gzip
import io
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parents[1]))  # so that this file can be run by its path

from bench.bodies import make_templates
from bench.failure import BenchFailed
from bench.importing import HostileFile, Imported, Importing
from bench.load import Load, drive
from bench.targets import CASES, Target, running

_TEMPLATES = 400
_NAMESPACE = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def attributes(count: int) -> bytes:
    text = " ".join(f'a{number}="1"' for number in range(count))
    return f"<testsuites><testsuite {text}/></testsuites>".encode()


def many_runs(count: int) -> bytes:
    suites = "".join(
        f'<testsuite name="FVT1" timestamp="2026-01-02T03:04:05" time="1"><properties>'
        f'<property name="serial_number" value="LOT-{number}"/><property name="part_number" value="PCB-00"/>'
        f'</properties><testcase name="power on" time="1"/></testsuite>'
        for number in range(count)
    )
    return gzip.compress(f"<testsuites>{suites}</testsuites>".encode(), 1)


def shared_texts(count: int) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("xl/sharedStrings.xml", f'<sst xmlns="{_NAMESPACE}">{"<si/>" * count}</sst>')
    return content.getvalue()


def commas(count: int) -> bytes:
    return b"," * count


FILES = {
    file.name: file
    for file in (
        HostileFile("attributes_80000", "JUNIT", attributes, 80_000),
        HostileFile("attributes_1000000", "JUNIT", attributes, 1_000_000),
        HostileFile("shared_texts", "TABLE", shared_texts, 7_400_000),
        HostileFile("commas", "TABLE", commas, 49 << 20),
        HostileFile("runs_50000", "JUNIT", many_runs, 50_000, is_refused=False),
        HostileFile("runs_400000", "JUNIT", many_runs, 400_000, is_refused=False),
    )
}
_DEFAULT = ",".join(name for name in FILES if name != "runs_400000")


class Line(msgspec.Struct):
    """A file: how long stations wait before its imports and while it is imported again and again.

    ratio: of the two p99_ms. imports: how many were finished. import_s: how long the first one took.
    """

    file: str
    size_bytes: int
    idle_p50_ms: float
    idle_p99_ms: float
    p50_ms: float
    p99_ms: float
    longest_ms: float
    ratio: float
    imports: int
    import_s: float


def measure(target: Target, file: HostileFile, seconds: float, connections: int, per_s: float) -> Line:
    """The line of a file. Raises BenchFailed if a run is refused, or an import does not end as it should."""
    content = file.make(file.size)
    target.serving.wait_until_it_rests()
    idle = drive(target.port, connections, seconds, target.requests, per_s)
    with Importing(target.port, target.records.api_key, file, content) as importing:
        beside = drive(target.port, connections, seconds, target.requests, per_s)
    imported = importing.result()
    _check(target, file, imported, idle, beside)
    return Line(
        file.name,
        len(content),
        round(idle.percentile_ms(0.5), 2),
        round(idle.percentile_ms(0.99), 2),
        round(beside.percentile_ms(0.5), 2),
        round(beside.percentile_ms(0.99), 2),
        round(beside.latencies_ms[-1], 2),
        round(beside.percentile_ms(0.99) / idle.percentile_ms(0.99), 2),
        len(imported.took_s),
        round(imported.took_s[0], 2),
    )


def _check(target: Target, file: HostileFile, imported: Imported, *loads: Load) -> None:
    if imported.failure or not imported.took_s:
        raise BenchFailed(f"{file.name} was not imported: {imported.failure}\n{target.log_tail()}")
    if any(load.refused or not load.answered for load in loads):
        raise BenchFailed(f"{file.name}: not all runs were answered with 200\n{target.log_tail()}")


def _table(lines: Sequence[Line]) -> Table:
    table = Table(title="Stations beside imports")
    for heading in Line.__struct_fields__:
        table.add_column(heading, justify="left" if heading == "file" else "right")
    for line in lines:
        table.add_row(*(f"{getattr(line, name)}" for name in Line.__struct_fields__))
    return table


def main(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON line for each file.")] = False,
    files: Annotated[str, typer.Option(help=f"Of {', '.join(FILES)}, by comma.")] = _DEFAULT,
    seconds: Annotated[
        float, typer.Option(min=0.1, help="How long stations report, idle and beside.")
    ] = 10.0,
    connections: Annotated[int, typer.Option(min=1, help="Stations.")] = 8,
    per_s: Annotated[float, typer.Option(min=1, help="Runs a second, of all stations.")] = 100.0,
    size: Annotated[int, typer.Option(min=0, help="Size of each file in its own measure; 0: its own.")] = 0,
) -> None:
    """Measure how long stations wait while files are imported. Every run must be answered with 200."""
    unknown = set(files.split(",")) - set(FILES)
    if unknown:
        raise typer.BadParameter(f"{', '.join(unknown)}: no such file; use one of {', '.join(FILES)}")
    lines: list[Line] = []
    try:
        with (
            TemporaryDirectory(prefix="runcard-bench-") as directory,
            running([CASES["sqlite"]], make_templates(_TEMPLATES), Path(directory)) as [target],
        ):
            for name in files.split(","):
                file = FILES[name]._replace(size=size or FILES[name].size)
                lines.append(measure(target, file, seconds, connections, per_s))
                if as_json:
                    print(msgspec.json.encode(lines[-1]).decode(), flush=True)
    except BenchFailed as error:
        print(f"Failed. {error}", file=sys.stderr)
        raise typer.Exit(1) from error
    if not as_json:
        Console().print(_table(lines))


if __name__ == "__main__":
    typer.run(main)
