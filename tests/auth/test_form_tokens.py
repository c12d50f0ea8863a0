"""Tokens in forms."""

import pytest

from runcard.auth.form_tokens import FormTokens
from runcard.domain.errors import FormExpired

TOKENS = FormTokens(["a key of a test"])


def test_a_token_is_good_for_its_holder_alone():
    token = TOKENS.token("holder")
    TOKENS.check("holder", token)
    for holder in ("another", "", None):
        with pytest.raises(FormExpired):
            TOKENS.check(holder, token)


def test_no_two_tokens_are_the_same():
    """Compressed pages would let a repeated one be guessed."""
    tokens = {TOKENS.token("holder") for _ in range(10)}
    assert len(tokens) == 10
    assert len({token[-8:] for token in tokens}) == 10
    for token in tokens:
        TOKENS.check("holder", token)


@pytest.mark.parametrize("forged", ["", ".", "forged", "a.b", "é.ü", "a.b.c"])
def test_what_nobody_signed_is_refused(forged: str):
    with pytest.raises(FormExpired):
        TOKENS.check("holder", forged)


def test_a_salt_cannot_be_exchanged():
    first, second = (TOKENS.token("holder").partition(".") for _ in range(2))
    with pytest.raises(FormExpired):
        TOKENS.check("holder", f"{first[0]}.{second[2]}")
