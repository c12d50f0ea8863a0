"""The papers say what the code does."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import typer
from fastapi import APIRouter, FastAPI
from fastapi.openapi.utils import get_openapi

from runcard.api.analytics import router as questions
from runcard.api.bin import router as bin_
from runcard.api.cli import router as command_lines
from runcard.api.corrections import router as corrections
from runcard.api.export import router as exports
from runcard.api.notes import router as notes
from runcard.api.parts import router as parts
from runcard.api.proof import router as proof
from runcard.api.quarantine import router as quarantine
from runcard.api.repairs import router as repairs
from runcard.api.trail import router as trail
from runcard.api.unit_merges import router as unit_merges
from runcard.api.v1 import router as v1
from runcard.api.v2 import router as v2
from runcard.api.voids import router as voids
from runcard.cli.main import app as cli
from runcard.settings import Settings

ROOT = Path(__file__).parents[1]
PAPERS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
DECISIONS = sorted(ROOT.glob("docs/adr/[0-9]*.md"))


def rows(paper: str) -> list[list[str]]:
    """The cells of every row of every table."""
    lines = (ROOT / paper).read_text("utf-8").splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]


def codes(paper: str) -> list[list[str]]:
    """The rows whose first cell is nothing but code, with the code of each cell in place of the cell."""
    return [
        [code[1] if (code := re.fullmatch(r"`([^`]+)`", cell)) else cell for cell in row]
        for row in rows(paper)
        if re.fullmatch(r"`[^`]+`", row[0])
    ]


def test_settings_page_lists_every_key_with_its_variable_and_default():
    defaults = Settings()
    assert [row[:3] for row in codes("docs/settings.md")] == [
        [key, f"RUNCARD_{key.upper()}", "none" if (value := getattr(defaults, key)) is None else str(value)]
        for key in Settings.__struct_fields__
    ]


def test_page_of_commands_lists_every_command():
    group = typer.main.get_command(cli)
    assert isinstance(group, typer.core.TyperGroup)
    assert {row[0] for row in codes("docs/commands.md")} == {f"runcard {name}" for name in group.commands}


@pytest.mark.parametrize(
    ("paper", "router", "unseen"),
    [
        ("docs/api/v1.md", v1.router, v1.DESCRIPTIONS),
        ("docs/api/v2.md", v2.router, v2.DESCRIPTIONS),
        ("docs/api/cli.md", command_lines.router, {}),
        ("docs/api/analytics.md", questions.router, {}),
        ("docs/api/export.md", exports.router, {}),
        ("docs/api/quarantine.md", quarantine.router, {}),
        ("docs/api/proof.md", proof.router, {}),
        ("docs/api/repairs.md", repairs.router, {}),
        ("docs/api/trail.md", trail.router, {}),
        ("docs/api/notes.md", notes.router, {}),
        ("docs/api/voids.md", voids.router, {}),
        ("docs/api/corrections.md", corrections.router, {}),
        ("docs/api/parts.md", parts.router, {}),
        ("docs/api/bin.md", bin_.router, {}),
        ("docs/api/unit-merges.md", unit_merges.router, {}),
    ],
    ids=[
        *("v1", "v2", "cli", "analytics", "export", "quarantine", "proof", "repairs", "trail"),
        *("notes", "voids", "corrections", "parts", "bin", "unit merges"),
    ],
)
def test_page_of_an_api_lists_every_endpoint(
    paper: str, router: APIRouter, unseen: Mapping[str, Mapping[str, Any]]
):
    app = FastAPI()
    app.include_router(router)
    served = {**get_openapi(title="", version="", routes=app.routes)["paths"]}
    for path, operations in unseen.items():
        served[path] = {**served.get(path, {}), **operations}
    told = {row[0] for row in codes(paper) if " /" in row[0]}
    assert told == {
        f"{method.upper()} {path.replace(':path}', '}')}"
        for path, operations in served.items()
        for method in operations
    }


@pytest.mark.parametrize("paper", PAPERS, ids=lambda paper: str(paper.relative_to(ROOT)))
def test_links_lead_somewhere(paper: Path):
    targets = re.findall(r"\]\(([^)#\s]+)[^)]*\)", paper.read_text("utf-8"))
    missing = [one for one in targets if "://" not in one and not (paper.parent / one).exists()]
    assert missing == []


def anchors(paper: Path) -> set[str]:
    """What a forge calls the headings of a paper in links."""
    headings = re.findall(r"^#+ (.+)$", paper.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("paper", PAPERS, ids=lambda paper: str(paper.relative_to(ROOT)))
def test_links_lead_to_headings_that_are_there(paper: Path):
    targets = re.findall(r"\]\(([^)#\s:]*)#([^)\s]+)\)", paper.read_text("utf-8"))
    pages = [(paper.parent / file if file else paper, anchor) for file, anchor in targets]
    assert [f"{page.name}#{anchor}" for page, anchor in pages if anchor not in anchors(page)] == []


@pytest.mark.parametrize("paper", sorted(ROOT.glob("docs/analytics/*.md")), ids=lambda paper: str(paper.stem))
def test_page_of_a_question_has_a_light_picture(paper: Path):
    assert f"](pictures/{paper.stem}.svg)" in paper.read_text("utf-8")
    assert (paper.parent / "pictures" / f"{paper.stem}.svg").stat().st_size < 60_000


def test_decisions_are_numbered_without_a_gap():
    numbers = [int(page.name[:4]) for page in DECISIONS]
    assert numbers == list(range(1, len(numbers) + 1))


def test_every_decision_is_listed_once():
    page = (ROOT / "docs/adr/README.md").read_text("utf-8")
    listed = re.findall(r"^- \[(\d+)\]\((\S+)\): \S", page, re.MULTILINE)
    assert sorted((int(number), name) for number, name in listed) == [
        (int(page.name[:4]), page.name) for page in DECISIONS
    ]
