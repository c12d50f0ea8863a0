"""Entries in plain English: a sentence for each kind, and fields and values as people say them."""

from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from runcard.domain.evidence.entry import By
from runcard.store.commit.changes import ChangeKind
from runcard.web.evidence.kinds import GROUPS, KINDS, group_of, kinds_in
from runcard.web.evidence.words import (
    SENTENCES,
    FieldChange,
    KnownThing,
    Piece,
    changes_of,
    field_words,
    in_sentence,
    sentence_of,
)

BERLIN = ZoneInfo("Europe/Berlin")
ADA = By("user", "ada@acme.test", UUID(int=1))
THING = KnownThing(str(UUID(int=2)), "SN-0042", "/units/SN-0042")


def told(kind: ChangeKind, by: By | None = ADA, thing: KnownThing = THING) -> str:
    return "".join(piece.text for piece in sentence_of(kind, by, thing))


def test_every_kind_has_a_sentence_and_one_group():
    assert set(SENTENCES) == set(KINDS)
    grouped = [kind for group in GROUPS for kind in kinds_in(group)]
    assert sorted(grouped) == sorted(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_every_sentence_says_who_or_what_and_leaves_no_gap(kind: ChangeKind):
    for thing in (THING, KnownThing(THING.id, "")):
        sentence = told(kind, thing=thing)
        assert not set("{}") & set(sentence)
        assert "  " not in sentence
        assert sentence == sentence.strip()
        assert ADA.name in sentence or kind.startswith(("user_log", "record_adopted"))


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        ("unit_changed", "ada@acme.test changed unit SN-0042"),
        ("run_recorded", "ada@acme.test recorded a run of unit SN-0042"),
        ("user_logged_in", "SN-0042 logged in"),
        ("user_log_in_failed", "Somebody failed to log in as SN-0042"),
        ("invitation_created", "ada@acme.test invited SN-0042"),
        ("key_created", "ada@acme.test created API key SN-0042"),
        ("organization_changed", "ada@acme.test changed the settings of organization SN-0042"),
    ],
)
def test_sentences(kind: ChangeKind, sentence: str):
    assert told(kind) == sentence


def test_who_made_it_is_a_member_a_station_a_task_or_a_report():
    assert told("run_recorded", By("station", "ICT-1", UUID(int=3))).startswith("Station ICT-1 recorded")
    assert told("run_deleted", By("system", "retention")).startswith("retention deleted a run")
    assert told("unit_moved", None) == "A report moved unit SN-0042"


def test_a_thing_without_a_name_is_told_by_its_id_or_its_kind():
    assert told("run_deleted", thing=KnownThing("0199", "")) == "ada@acme.test deleted run 0199"
    assert told("file_released", thing=KnownThing("0199", "")).endswith("let a file out of quarantine")


def test_a_kind_that_is_not_known_is_told_all_the_same():
    assert told("unit_vanished") == "ada@acme.test did something to unit SN-0042"  # type: ignore[arg-type]


def test_only_what_exists_is_linked_and_names_are_marked():
    assert sentence_of("unit_changed", ADA, THING) == [
        Piece("ada@acme.test", is_name=True),
        Piece(" changed "),
        Piece("unit "),
        Piece("SN-0042", is_name=True, url="/units/SN-0042"),
    ]
    gone = sentence_of("unit_deleted", ADA, KnownThing("0199", "SN-0042"))
    assert [piece.url for piece in gone] == [""] * len(gone)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "none"),
        (True, "yes"),
        (False, "no"),
        (3.0, "3"),
        (2**60, str(2**60)),
        ("text", "text"),
        ("", "none"),
        ("2026-01-31T12:00:00Z", "2026-01-31T12:00:00Z"),
        ({"id": "0199", "name": "Board"}, "Board"),
        ({"id": "0199"}, "0199"),
        ([{"id": "0199", "name": "A"}, {"id": "0200", "name": "B"}], "A, B"),
        ({"odd": 1}, "{'odd': 1}"),
    ],
)
def test_values(value: Any, words: str):
    assert changes_of("unit_changed", {"x": (value, value)}, BERLIN) == [FieldChange("x", words, words)]


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("archived_at", "2026-01-31T12:00:00Z", "2026-01-31 13:00:00"),
        ("archived_at", "9999-12-31T23:59:59Z", "9999-12-31 23:59:59"),
        ("archived_at", "2026-13-31T12:00:00Z", "2026-13-31T12:00:00Z"),
        ("archived_at", None, "none"),
        ("metadata.tested_at", "2026-01-31T12:00:00Z", "2026-01-31T12:00:00Z"),
    ],
)
def test_moments_are_on_the_clock_of_the_reader(field: str, value: Any, words: str):
    [change] = changes_of("unit_changed", {field: (value, value)}, BERLIN)
    assert (change.old, change.new) == (words, words)


def test_a_new_thing_has_no_old_values():
    assert changes_of("unit_created", {"sample": (None, "golden")}, BERLIN) == [
        FieldChange("class", "", "golden")
    ]


def test_long_values_are_cut_in_a_sentence_and_in_details():
    [change] = changes_of("unit_changed", {"metadata.note": ("a" * 1000, "b" * 100)}, BERLIN)
    assert (change.field, len(change.old), len(change.new)) == ("metadata note", 500, 100)
    assert max(map(len, in_sentence(change))) == 80


def test_words_of_fields():
    assert field_words("part_id") == "part"
    assert field_words("serial_number") == "serial number"
    assert field_words("metadata.site_id") == "metadata site_id"


def test_groups_follow_the_nouns():
    assert group_of("import_template_created") == "files"
    assert group_of("procedure_merged") == "procedures"
    assert "user_logged_in" in kinds_in("people")
