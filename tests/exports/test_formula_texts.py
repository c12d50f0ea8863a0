"""No cell of a CSV file begins a formula."""

import pytest

from runcard.exports.formula_texts import without_formula


@pytest.mark.parametrize("sign", [*"=+-@\t\r\n", "\ufeff", "＝", "＋", "－", "＠"], ids=ascii)  # noqa: RUF001 (what is tested)
def test_a_text_that_begins_a_formula_is_marked_as_text(sign: str):
    assert without_formula(f"{sign}1+1") == f"'{sign}1+1"


@pytest.mark.parametrize("text", ["", "a=1", "1-2", "'=1", "ＳＮ", "　=1"])  # noqa: RUF001 (what is tested)
def test_every_other_text_stays_as_it_is(text: str):
    assert without_formula(text) == text
