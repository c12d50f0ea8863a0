"""`.ci/gates.py` refuses what it is there to refuse."""

import subprocess
import sys
from pathlib import Path

import pytest

SELECT = "def find(connection, ids):\n    return connection.execute(select(r.id).where(r.id.in_(ids)))\n"
GATES = Path(__file__).parents[1] / ".ci" / "gates.py"
LONG_FUNCTION = "def f():\n" + "    x = 1\n" * 60


def told(root: Path) -> tuple[int, str]:
    done = subprocess.run([sys.executable, GATES, root], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout


def lay(root: Path, where: str, content: str) -> None:
    path = root / where
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, "utf-8")


@pytest.mark.parametrize(
    ("where", "content", "complaint"),
    [
        ("src/runcard/store/runs/rows.py", "x = 1\n" * 601, "601 lines, at most 600"),
        ("src/runcard/store/runs/rows.py", LONG_FUNCTION, "f has 61 lines, at most 60"),
        ("tests/test_runs.py", f"async {LONG_FUNCTION}", "f has 61 lines, at most 60"),
        ("src/runcard/store/utils.py", "", "a module named utils says nothing"),
        ("src/runcard/core/runs.py", "", "a module named core says nothing"),
        ("src/runcard/web/charts.py", "A = 1\nB = A\nA = 1\n", ":3: A is defined already in line 1"),
        ("tests/test_runs.py", "def f(): ...\n\n\nclass f: ...\n", ":4: f is defined already in line 1"),
        ("src/runcard/web/charts.py", "from a import b\nb: int = 1\n", ":2: b is defined already in line 1"),
        ("src/runcard/web/charts.py", "a, (b, c) = d\nc = d\n", ":2: c is defined already in line 1"),
        (
            "src/runcard/auth/members.py",
            'def f():\n    """Raises NotFound."""\n',
            "f says first what it raises",
        ),
        ("src/runcard/domain/runs/run.py", "import numpy\n", "the domain may not import numpy"),
        (
            "src/runcard/domain/runs/run.py",
            "def f():\n    from sqlalchemy import text\n",
            "may not import sqlalchemy",
        ),
        ("src/runcard/domain/runs/run.py", "from . import unit\n", "the domain may not import ."),
        ("src/runcard/store/runs/rows.py", SELECT, "find finds rows of any organization"),
        ("src/runcard/store/runs/rows.py", SELECT.replace("select", "delete"), "find finds rows of any"),
        (
            "src/runcard/store/runs/rows.py",
            f"import re\n\nx = 1\n# Unscoped: of x.\n\n\n{SELECT}",
            "finds rows of any",
        ),
        (
            "src/runcard/store/runs/rows.py",
            "def of(organization_id, r):\n    return r.organization_id == organization_id\n",
            "let `scope.owns` or `owned_by` say",
        ),
        ("src/runcard/store/runs/rows.py", "found = r.organization_id != home.id\n", "let `scope.owns`"),
        ("ARCHITECTURE.md", "As in `store/runs/rows.py`.\n", "there is no store/runs/rows.py"),
        ("docs/adr/0001-first.md", "`client/src/a.py` does.\n", "there is no client/src/a.py"),
        ("requirements.lock", "--index-url https://mirror.example/simple\n", "ties installing to one place"),
        ("requirements.lock", "--find-links /opt/wheels\n", "ties installing to one place"),
        ("requirements.lock", "a @ file:///home/me/a-1.0.whl\n", "ties installing to one place"),
        ("requirements-test.lock", "./a-1.0.whl\n", "ties installing to one place"),
        (
            "pyproject.toml",
            '[[tool.uv.index]]\nurl = "https://mirror.example"\n',
            "ties installing to one place",
        ),
        ("pyproject.toml", 'x = "https://mirror.example/simple"\n', "ties installing to one place"),
        ("package-lock.json", '"resolved": "https://mirror.example/a.tgz"\n', "ties installing to one place"),
        ("Makefile", "\tpip install --extra-index-url x y\n", "ties installing to one place"),
    ],
)
def test_refused(tmp_path: Path, where: str, content: str, complaint: str):
    lay(tmp_path, where, content)
    code, output = told(tmp_path)
    assert (code, f"{where}" in output, complaint in output) == (1, True, True), output


def test_a_folder_of_too_many_modules_is_refused(tmp_path: Path):
    for number in range(18):
        lay(tmp_path, f"src/runcard/store/noun{number}.py", "")
    lay(tmp_path, "src/runcard/store/__init__.py", "")
    assert told(tmp_path) == (0, "gates: kept\n")
    lay(tmp_path, "src/runcard/store/one_more.py", "")
    code, output = told(tmp_path)
    assert (code, "src/runcard/store: 19 modules, at most 18" in output) == (1, True), output


def test_a_class_name_stands_once(tmp_path: Path):
    lay(tmp_path, "src/runcard/store/runs/rows.py", "class Run: ...\n")
    lay(tmp_path, "src/runcard/api/v2/runs/runs.py", "class Run: ...\n")
    lay(tmp_path, "tests/test_runs.py", "class Run: ...\n")
    assert told(tmp_path) == (0, "gates: kept\n")
    lay(tmp_path, "src/runcard/web/runs/run.py", "class Run: ...\n")
    code, output = told(tmp_path)
    refused = "src/runcard/web/runs/run.py:1: Run is the name of a class in src/runcard/store/runs/rows.py"
    assert (code, refused in output) == (1, True), output


def test_a_paper_may_name_files_that_are_there(tmp_path: Path):
    lay(tmp_path, "src/runcard/store/runs/rows.py", "")
    lay(tmp_path, "ARCHITECTURE.md", "`store/runs/rows.py`, `src/runcard/store/runs/rows.py`, `make.py`\n")
    assert told(tmp_path) == (0, "gates: kept\n")


@pytest.mark.parametrize(
    ("where", "content"),
    [
        ("src/runcard/store/runs/rows.py", "print()\n" * 600),
        ("src/runcard/store/runs/rows.py", LONG_FUNCTION.removesuffix("    x = 1\n")),
        ("src/runcard/store/engine/migrations/versions/0001_first.py", LONG_FUNCTION + "    x = 1\n" * 1200),
        ("src/runcard/store/engine/database.py", ""),
        ("src/runcard/store/runs/rows.py", f"# Unscoped: of a run that was found in the scope.\n{SELECT}"),
        ("src/runcard/store/runs/rows.py", f"import re\n\n# Unscoped: all are counted.\n\n\n{SELECT}"),
        ("src/runcard/store/runs/rows.py", SELECT.replace("r.id.in_(ids)", "scope.owns(r)")),
        ("src/runcard/store/runs/rows.py", SELECT.replace("r.id.in_(ids)", "conditions(scope)")),
        ("src/runcard/store/runs/rows.py", "matches = r.organization_id == e.organization_id\n"),
        ("src/runcard/edge/gate.py", SELECT),
        ("src/runcard/domain/runs/run.py", "import re\nimport re2\nfrom msgspec import Struct\n"),
        ("src/runcard/web/charts.py", "A = {}\nA['a'] = 1\nA.b = 1\n\n\ndef f():\n    A = 1\n    A = 2\n"),
        ("src/runcard/web/charts.py", "import a.b\nimport a.c\nif a:\n    d = 1\nelse:\n    d = 2\n"),
        ("src/runcard/web/charts.py", "@overload\ndef f(): ...\n@overload\ndef f(): ...\ndef f(): ...\n"),
        ("src/runcard/web/charts.py", "@f.register\ndef _(): ...\n@f.register\ndef _(): ...\n"),
        (
            "requirements.lock",
            "# made by make lock\na==1.0  # via b\nc[d]==1.0 ; sys_platform == 'win32'  # via b\n",
        ),
        ("pyproject.toml", '[project.urls]\nhomepage = "https://example.com"\n'),
    ],
)
def test_let_through(tmp_path: Path, where: str, content: str):
    lay(tmp_path, where, content)
    assert told(tmp_path) == (0, "gates: kept\n")
