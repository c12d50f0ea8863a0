"""Part numbers out of serial numbers, with patterns that nobody can turn against the server."""

import pytest

from runcard.domain.errors import InvalidInput
from runcard.domain.floor.serial import part_number_of
from runcard.domain.pattern import compile_pattern


@pytest.mark.parametrize(
    ("serial_number", "pattern", "part_number"),
    [
        ("PCB101T5A123", "^([A-Z0-9]{8})", "PCB101T5"),
        (" PCB101T5A123 ", "^([A-Z0-9]{8})", "PCB101T5"),
        ("SN-PCB7-0001", r"SN-(?P<part_number>\w+)-(\d+)", "PCB7"),
        ("SN-PCB7-0001", r"(\d+)$", "0001"),
        ("PCB7/0001", "^PCB[0-9]", "PCB7"),
        ("short", "^([A-Z0-9]{8})", None),
        ("ABC", "^(X?)", None),
        ("ABC", "(X)?ABC", None),
    ],
)
def test_part_numbers_are_found(serial_number: str, pattern: str, part_number: str | None) -> None:
    assert part_number_of(serial_number, pattern) == part_number


def test_a_pattern_that_explodes_elsewhere_is_answered() -> None:
    assert part_number_of("a" * 255 + "b", "(a+)+$") is None
    assert part_number_of("a" * 255 + "b", "(a|a)*c") is None


@pytest.mark.parametrize("pattern", ["(", r"(?=a)b", r"(a)\1", "[z-a]", "a" * 1001, "\ud800", "a{1001}"])
def test_what_cannot_be_used_is_refused_with_the_reason(pattern: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        compile_pattern(pattern)
    assert refused.value.issues[0].path == ("pattern",)
    assert "attern" in refused.value.issues[0].message
