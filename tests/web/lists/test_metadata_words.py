"""What is asked of metadata in one text."""

import pytest

from runcard.domain.errors import InvalidInput
from runcard.store.metadata import ANY_KEY, MetadataTest
from runcard.web.lists.metadata_words import metadata_words_for, parse_metadata_words


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        (None, []),
        ("", []),
        (" ; ", []),
        ("fixture", [MetadataTest("fixture")]),
        ("fixture=FX-2", [MetadataTest("fixture", says="FX-2")]),
        ("fixture = Fach 2 = links ", [MetadataTest("fixture", says="Fach 2 = links")]),
        ("note~ash", [MetadataTest("note", contains="ash")]),
        (
            "humidity>40;humidity<=45.5",
            [MetadataTest("humidity", above=40), MetadataTest("humidity", at_most=45.5)],
        ),
        ("a>=-1e3; b<0", [MetadataTest("a", at_least=-1000), MetadataTest("b", below=0)]),
        ("*=FX-2", [MetadataTest(ANY_KEY, says="FX-2")]),
        ("line:1.shift_A+b=früh", [MetadataTest("line:1.shift_A+b", says="früh")]),
    ],
)
def test_texts_are_understood(text, asked):
    assert list(parse_metadata_words(text)) == asked


@pytest.mark.parametrize("text", ["=1", "a b", "a=", "fixture=1;=2", "x>much", "é=1", ";".join(["a"] * 11)])
def test_others_are_refused_by_name(text):
    with pytest.raises(InvalidInput) as refused:
        parse_metadata_words(text)
    assert refused.value.issues[0].path == ("metadata",)


@pytest.mark.parametrize("value", ["FX-2", "a=b", "~x", "früh"])
def test_what_is_said_is_asked_for_again(value):
    text = metadata_words_for("key", value)
    assert text is not None
    assert list(parse_metadata_words(text)) == [MetadataTest("key", says=value)]


@pytest.mark.parametrize("value", ["a;b", " a", ""])
def test_what_no_text_can_ask_for_is_not_said(value):
    assert metadata_words_for("key", value) is None
