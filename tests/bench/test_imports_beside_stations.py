"""The bench of imports beside stations runs, and its files come to the end that they must; how long anything takes
stays out of the test run.
"""

from contextlib import nullcontext
from io import BytesIO

import pytest

from bench import imports_beside_stations
from bench.importing import HostileFile
from bench.imports_beside_stations import FILES
from runcard.domain.errors import UnreadableReport
from runcard.importers.formats import FORMATS
from tests.bench.benches import told_by


def test_a_file_that_is_refused_and_one_that_is_recorded_are_imported_while_stations_report():
    files = ["attributes_80000", "runs_50000"]
    lines = told_by(imports_beside_stations, "--seconds", "1", "--size", "300", "--files", ",".join(files))

    assert [line["file"] for line in lines] == files
    assert all(line["imports"] > 0 and line["p99_ms"] > 0 and line["idle_p99_ms"] > 0 for line in lines)


@pytest.mark.parametrize("file", FILES.values(), ids=lambda file: file.name)
def test_each_file_comes_to_its_end(file: HostileFile):
    parse = next(one.parse for one in FORMATS if one.name == file.importer)
    with pytest.raises(UnreadableReport) if file.is_refused else nullcontext():
        assert len(list(parse(BytesIO(file.make(300))))) == 300
