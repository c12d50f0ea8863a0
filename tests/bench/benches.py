"""Benches run in this process, which has loaded already what they measure; each starts servers of its own."""

import json
from typing import Any

import typer
from typer.testing import CliRunner, Result


def run_bench(bench: Any, *arguments: str) -> Result:
    """What a module of `bench` with a `main` says to these arguments."""
    app = typer.Typer()
    app.command()(bench.main)
    return CliRunner().invoke(app, arguments)


def told_by(bench: Any, *arguments: str) -> list[dict[str, Any]]:
    """The lines of JSON that it prints."""
    done = run_bench(bench, "--json", *arguments)
    assert done.exit_code == 0, f"{done.stderr}\n{done.exception}"
    return [json.loads(line) for line in done.stdout.splitlines()]
