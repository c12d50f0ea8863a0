"""The guide's examples, as they stand there."""

import re
from pathlib import Path
from typing import get_type_hints

import pandas as pd
import pytest

from runcard.analytics.questions.values.capability import CapabilityAnswer
from runcard.analytics.questions.yields.first_pass_yield import YieldAnswer
from runcard.notebook import Notebook

GUIDE = Path(__file__).parents[2] / "docs" / "guide" / "notebook.md"


def test_the_examples_do_what_they_say(
    demo_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    (tmp_path / "demo-data").symlink_to(demo_dir)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    found: dict[str, object] = {}
    examples = re.findall(r"^```python\n(.*?)^```$", GUIDE.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    for number, example in enumerate(examples):
        exec(compile(example, f"example {number}", "exec"), found)  # noqa: S102  # the project's own page
    answer, gain, by_week = found["answer"], found["gain"], found["by_week"]
    assert isinstance(answer, YieldAnswer)
    assert isinstance(gain, CapabilityAnswer)
    assert isinstance(by_week, pd.DataFrame)
    assert (len(answer.rows) > 0, len(gain.rows) > 1, len(by_week) > 1) == (True, True, True)
    assert f"of {answer.n} units passed at first" in capsys.readouterr().out
    assert [path.suffix for path in sorted((tmp_path / "cache" / "runcard").iterdir())] == [
        ".duckdb",
        ".lock",
    ]


def test_it_lists_every_question_with_its_table():
    rows = re.findall(r"^\| `(\w+)` \| .*\| `(\w+)` \|$", GUIDE.read_text("utf-8"), re.MULTILINE)
    questions = {
        name: get_type_hints(ask) for name, ask in vars(Notebook).items() if not name.startswith("_")
    }
    del questions["close"]
    assert dict(rows) == {name: hints["return"].table for name, hints in questions.items()}
