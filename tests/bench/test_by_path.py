"""Each bench is started by its path, wherever somebody is."""

import runpy
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BENCHES = sorted(path for path in (ROOT / "bench").glob("*.py") if "typer.run(main)" in path.read_text())


def test_there_are_benches():
    assert {"ingest.py", "importers.py", "analytics.py"} <= {path.name for path in BENCHES}


@pytest.mark.parametrize("path", BENCHES, ids=lambda path: path.stem)
def test_it_says_how_it_is_used(
    path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
):
    # As Python starts a program: with the folder that it lies in on the path, and nothing of it loaded.
    monkeypatch.chdir(tmp_path)
    elsewhere = [one for one in sys.path if one and Path(one).resolve() != ROOT]
    monkeypatch.setattr(sys, "path", [str(path.parent), *elsewhere])
    for name in [one for one in sys.modules if one.partition(".")[0] in {"bench", "tests"}]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "argv", [str(path), "--help"])

    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(path), run_name="__main__")

    assert ended.value.code == 0
    assert "--json" in capsys.readouterr().out
