"""`.ci/architecture.py` draws what stands in the tree, and tells where its picture does not."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DRAW = ROOT / ".ci" / "architecture.py"
PICTURE = Path("docs", "images", "architecture.svg")

LAYERS = """
[[tool.importlinter.contracts]]
id = "layers"
type = "layers"
layers = ["(gone)", "app", "shop | office", "ground"]
"""
MODULES = {
    "app.py": '"""Where all meet."""',
    "shop/__init__.py": '"""Sells things: `buy()` is the way in. Never on Sundays."""',
    "shop/till.py": "",
    "shop/fruit/__init__.py": "",
    "shop/fruit/apple.py": "",
    "shop/fruit/stone/__init__.py": "",
    "shop/fruit/stone/plum.py": "",
    "office/__init__.py": '"""Counts <money> & time."""',
    "office/desk.py": "",
    "office/chair.py": "",
    "ground/__init__.py": "",
}


def run(*arguments: str | Path) -> tuple[int, str]:
    done = subprocess.run([sys.executable, DRAW, *arguments], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A tree whose picture is drawn."""
    (tmp_path / "pyproject.toml").write_text(LAYERS)
    for name, content in MODULES.items():
        module = tmp_path / "src" / "runcard" / name
        module.parent.mkdir(parents=True, exist_ok=True)
        module.write_text(content)
    assert run(tmp_path) == (0, "")
    return tmp_path


def test_the_picture_of_this_tree_fits():
    assert run("--check", ROOT) == (0, "architecture: fits\n")


def test_a_picture_tells_rooms_folders_and_counts(tree: Path):
    told = (tree / PICTURE).read_text("utf-8")
    shown = [
        ">Where all meet<",
        ">Sells things<",
        ">3 modules<",
        ">fruit 2<",
        ">Counts &lt;money&gt; &amp; time<",
    ]
    assert [one for one in shown if one not in told] == []
    assert "gone" not in told
    assert told.index(">app<") < told.index(">shop<") < told.index(">office<") < told.index(">ground<")


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda package: (package / "shop" / "fruit" / "pear.py").write_text(""), "+fruit 3"),
        (lambda package: (package / "office" / "desk.py").unlink(), "-2 modules"),
        (lambda package: (package / "shop" / "fruit").rename(package / "shop" / "food"), "+food 2"),
        (lambda package: (package / "app.py").write_text('"""Nobody."""'), "+Nobody"),
        (lambda package: (package / "../.." / PICTURE).unlink(), "+shop"),
    ],
    ids=["comes", "goes", "moves", "is told otherwise", "no picture"],
)
def test_a_picture_of_another_tree_is_refused(tree: Path, change, complaint: str):
    change(tree / "src" / "runcard")
    code, output = run("--check", tree)
    assert (code, complaint in output.splitlines(), "make architecture" in output) == (1, True, True), output


def test_layers_come_from_the_contract(tree: Path):
    (tree / "pyproject.toml").write_text(LAYERS.replace("shop | office", "office | shop"))
    assert run("--check", tree)[0] == 1
