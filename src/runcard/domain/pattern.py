"""Regular expressions that users write: matched in linear time, so that no pattern can block the server."""

import re2

from runcard.domain.errors import InvalidInput

_MAX_PATTERN_LENGTH = 1000


def _options() -> re2.Options:
    options = re2.Options()
    options.log_errors = False
    options.max_mem = 1 << 20
    return options


def compile_pattern(text: str) -> "re2._Regexp[str]":
    """The compiled pattern, which matches in linear time.

    Raises InvalidInput for a broken, oversized or unsupported (look-around) pattern.
    """
    if len(text) > _MAX_PATTERN_LENGTH:
        raise InvalidInput.at(
            "pattern", f"Pattern has {len(text)} characters; use at most {_MAX_PATTERN_LENGTH}."
        )
    if "\0" in text:
        raise InvalidInput.at("pattern", f"Pattern {text!r} contains a NUL character; remove it.")
    try:
        return re2.compile(text, options=_options())
    except (re2.error, UnicodeEncodeError) as error:
        raise InvalidInput.at("pattern", f"Pattern {text!r} is not RE2 syntax: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    """RE2's message as text; RE2 gives it in bytes."""
    reason = error.args[0] if error.args else error
    return reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
