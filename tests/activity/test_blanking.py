"""Secrets are taken out of what is kept."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runcard.activity.blanking import BLANK, blanked_form, blanked_json

HIDDEN = "hunter2"
NAMES = [
    "password",
    "Pass-Word",
    "client_secret",
    "secrets",
    "api_key",
    "apiKey",
    "X-Auth-Token",
    "pass\\u0077ord",
]


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
@pytest.mark.parametrize(
    "value",
    [
        '"hunter2"',
        '["hunter2", {"a": "hunter2"}]',
        '{"a": ["hunter2"], "b": "hunter2"}',
        '"a, \\"hunter2"',
        "'hunter2'",
    ],
    ids=["text", "list", "object", "quotes", "single_quotes"],
)
def test_a_secret_member_is_blank(name: str, value: str):
    shown = blanked_json(f'{{"a": 1, "{name}": {value}, "b": [2, {{"{name}" :{value}}}], "c": "end"}}')
    assert HIDDEN not in shown
    assert shown.startswith('{"a": 1, ')
    assert shown.endswith('"c": "end"}')
    assert shown.count(BLANK) == 2
    assert json.loads(shown)["b"][0] == 2


@pytest.mark.parametrize(
    "text",
    [
        "{'password': 'hunter2', 'a': 1}",
        "password: hunter2",
        '{"password": "hunter2',
        '{"password": {"a": ["hunter2',
        '{"password": "\\',
        '{"a": }, "password": hunter2',
    ],
    ids=["python", "bare", "cut", "cut_inside", "cut_escape", "unbalanced"],
)
def test_what_is_no_json_keeps_no_secret_either(text: str):
    assert HIDDEN not in blanked_json(text)
    assert BLANK in blanked_json(text)


def test_own_keys_are_blank_wherever_they_stand():
    assert blanked_json('{"note": "key rc_Abcdefgh12-_ is"}') == '{"note": "key *** is"}'


@pytest.mark.parametrize("text", ["", "nothing", '{"a": "password: no"}', '{"key": "b", "tok": 1}', "]]}}:,"])
def test_the_rest_stays_as_it_is(text: str):
    assert blanked_json(text) == text


_json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text("abc,:{}\"'\\ ", max_size=5), inner, max_size=4)
    ),
)


@given(value=_json_values)
def test_json_without_secrets_is_not_changed(value: Any):
    text = json.dumps(value)
    assert blanked_json(text) == text


@given(value=_json_values, around=_json_values, data=st.data())
def test_no_cut_shows_a_secret(value: Any, around: Any, data: st.DataObject):
    text = json.dumps({"x": around, "inner": [{"token": [value, HIDDEN]}], "y": around})
    cut = data.draw(st.integers(0, len(text)))
    assert HIDDEN not in blanked_json(text[:cut])


@given(text=st.text())
def test_any_text_can_be_looked_at(text: str):
    assert isinstance(blanked_json(text), str)
    assert isinstance(blanked_form(text), str)


def test_forms_and_queries():
    assert blanked_form("a=1&api-key=hunter2&b=") == "a=1&api-key=***&b="
