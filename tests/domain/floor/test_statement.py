"""What is stated of files: what can be, and what patterns and templates find."""

import pytest

from runcard.domain.errors import InvalidInput
from runcard.domain.floor.statement import Statement, check_statement, filled_in, or_else, values_found


@pytest.mark.parametrize(
    ("statement", "field", "told"),
    [
        (Statement(serial_number=" "), "serial_number", "' ' is no serial number"),
        (Statement(serial_number="S" * 256), "serial_number", "give 1 to 255 characters"),
        (Statement(serial_number="\udc80"), "serial_number", "is no serial number"),
        (Statement(serial_number_template="{lot"), "serial_number_template", "is no template"),
        (Statement(serial_number_template="{}"), "serial_number_template", "names stand in braces alone"),
        (
            Statement(serial_number_template="{lot!r}"),
            "serial_number_template",
            "names stand in braces alone",
        ),
        (Statement(serial_number_template="{x:>9999999}"), "serial_number_template", "in braces alone"),
        (Statement(name_pattern="(?P<serial>.+)"), "name_pattern", "groups are serial_number, part_number"),
        (Statement(name_pattern="("), "name_pattern", "is not RE2 syntax"),
        (Statement(content_pattern="(?=a)"), "content_pattern", "is not RE2 syntax"),
    ],
    ids=lambda one: None if isinstance(one, Statement) else one[:20],
)
def test_what_cannot_be_stated(statement: Statement, field: str, told: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        check_statement(statement)
    (issue,) = refused.value.issues
    assert (issue.path, told in issue.message) == ((field,), True), issue


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        (r"SN\d+", {"serial_number": "SN42"}),
        (r"_(SN\d+)", {"serial_number": "SN42"}),
        (
            r"(?P<batch_number>[^/]+)/(?P<part_number>[^/_]+)_(?P<serial_number>SN\d+)(?P<operator>-\w+)?",
            {"batch_number": "LOT7", "part_number": "PCB01", "serial_number": "SN42"},
        ),
        (r"(?P<part_number>PCB\d+)", {"part_number": "PCB01"}),
        (r"(?P<serial_number> *)$", {}),
        ("nowhere", {}),
    ],
)
def test_what_a_pattern_finds(pattern: str, found: dict[str, str]) -> None:
    assert values_found(pattern, "reports/LOT7/PCB01_SN42.xml") == found


def test_a_name_that_is_no_text_can_be_looked_at() -> None:
    assert values_found(r"SN\d+", "\udc80SN42") == {"serial_number": "SN42"}


def test_templates() -> None:
    values = {"lot": "A1", "wafer": 7, "x": -3}
    assert filled_in("{lot}-{wafer}-{x}{{}}", values) == "A1-7--3{}"
    with pytest.raises(InvalidInput) as refused:
        filled_in("{lot}-{y}", values)
    assert "takes {y}, which a report does not say; it says lot, wafer, x" in refused.value.issues[0].message


def test_what_is_not_stated_now_is_as_it_was_stated_before() -> None:
    before = Statement(serial_number="A", name_pattern="B", overrides=True)
    assert or_else(Statement(name_pattern="C"), before) == Statement(
        serial_number="A", name_pattern="C", overrides=True
    )
