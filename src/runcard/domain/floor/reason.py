"""The reason that a person gives for what they change."""

from runcard.domain.errors import InvalidInput

MAX_REASON = 500


def check_reason(reason: str) -> str:
    """The reason without blanks around it. Raises InvalidInput for one that is empty, too long or has a null byte."""
    text = reason.strip()
    if not text:
        raise InvalidInput.at("reason", "Reason is empty; say why in a few words")
    if len(text) > MAX_REASON or "\0" in text:
        raise InvalidInput.at(
            "reason", f"Reason has {len(text)} characters; use at most {MAX_REASON}, and no null byte"
        )
    return text
