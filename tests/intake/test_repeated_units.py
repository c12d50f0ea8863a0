"""Lots whose part ids repeat over files are told, as far as nobody says that they are meant."""

import pytest

from runcard.domain.floor.statement import Statement
from runcard.intake.report_files import Fate
from tests.importers.many_runs import junit_of
from tests.importers.stdf.lots import MIR, START, changed, lot, part, ptr
from tests.importers.stdf.writers import write_stdf
from tests.intake.conftest import BringIn

RETEST = 1


def device(number: int, *, flags: int = 0, **mir: object) -> bytes:
    """The file of a device: its number is only in the file's name and the time of its start."""
    inside = part(ptr(), part_id="1", flags=flags)
    return write_stdf(lot(*inside, mir=changed(MIR, start_t=START + number, lot_id="1", **mir)), "<")


def bring(bring_in: BringIn, number: int, content: bytes, **choice: object) -> Fate:
    fate = bring_in(content, name=f"device{number}.stdf", **choice)
    assert fate.status == "recorded", fate
    return fate


def test_a_file_that_adds_to_the_units_of_another_is_told(bring_in: BringIn) -> None:
    assert bring(bring_in, 1, device(1)).warnings == ()
    rehearsed, recorded = (bring(bring_in, 2, device(2), rehearses=one) for one in (True, False))
    assert rehearsed.warnings == recorded.warnings
    (warning,) = recorded.warnings
    assert warning.startswith("1 run adds to a unit that another file made with the same lot and part id")
    for told in ("such as 1-1 of device1.stdf", "--serial-number-template", "{file}-{part_id}"):
        assert told in warning


def test_files_that_are_tried_together_are_compared_with_each_other(rehearse_all: BringIn) -> None:
    assert [rehearse_all(device(one), name=f"device{one}.stdf").warnings != () for one in (1, 2, 3)] == [
        False,
        True,
        True,
    ]


@pytest.mark.parametrize(
    "content",
    [
        device(2, flags=RETEST),
        device(2, rtst_cod="Y"),
        device(2, job_nam="hot"),
        junit_of(["1-1"], "job"),
    ],
    ids=["part", "lot", "program", "format"],
)
def test_retests_that_say_so_other_programs_and_other_formats_are_not_told(
    bring_in: BringIn, content: bytes
) -> None:
    bring(bring_in, 1, device(1))
    assert bring(bring_in, 2, content).warnings == ()


def test_a_template_tells_devices_apart(bring_in: BringIn) -> None:
    bring(bring_in, 1, device(1))
    statement = {"statement": Statement(serial_number_template="{file}-{part_id}")}
    fate = bring(bring_in, 2, device(2), **statement, rehearses=True)
    assert (fate.warnings, fate.stated) == ((), (("serial_number", 1),))
    assert [one.serial_number for one in fate.rehearsed] == ["device2-1"]
