"""Every error that the domain can raise has its status and the one body."""

import json

import pytest

from runcard.domain import errors
from runcard.domain.errors import InvalidInput, Issue, RuncardError
from runcard.edge.answers.errors import answer_error


def leaf_errors() -> list[type[RuncardError]]:
    found = [
        value
        for value in vars(errors).values()
        if isinstance(value, type) and issubclass(value, RuncardError)
    ]
    return [kind for kind in found if kind is not RuncardError]


@pytest.mark.parametrize("kind", leaf_errors(), ids=lambda kind: kind.__name__)
def test_none_of_our_own_errors_is_a_500(kind: type[RuncardError]) -> None:
    error = kind.__new__(kind)  # past each one's own arguments
    if isinstance(error, InvalidInput):
        InvalidInput.__init__(error, [])
    assert answer_error(error).status in (
        400,
        401,
        403,
        404,
        408,
        409,
        413,
        415,
        421,
        422,
        429,
        502,
        503,
        507,
    )


@pytest.mark.parametrize(
    ("error", "status", "retry_after"),
    [
        (errors.DatabaseUnavailable(), 503, "5"),
        (errors.StorageReadOnly(), 503, "60"),
        (errors.StorageFull(), 507, "60"),
        (errors.TooManyAttempts(), 429, "300"),
        (errors.Conflict("x"), 409, None),
    ],
)
def test_what_passes_by_itself_is_told_when_to_come_back(
    error: RuncardError, status: int, retry_after: str | None
) -> None:
    answer = answer_error(error)
    assert (answer.status, answer.headers.get("Retry-After")) == (status, retry_after)


def test_the_body_serves_every_client() -> None:
    answer = answer_error(InvalidInput([Issue(("phases", 0, "name"), "required"), Issue(("x",), "wrong")]))
    assert list(json.loads(answer.body)) == ["code", "message", "issues", "error"]
    assert json.loads(answer.body) == {
        "code": "BAD_REQUEST",
        "message": "Input validation failed",
        "issues": [
            {"path": ["phases", 0, "name"], "message": "Name (phases.0.name): required", "code": "invalid"},
            {"path": ["x"], "message": "X (x): wrong", "code": "invalid"},
        ],
        "error": {"message": "Input validation failed: phases.0.name: required; x: wrong"},
    }


def test_what_is_not_ours_tells_nothing_of_itself() -> None:
    answer = answer_error(KeyError("secret"))
    assert answer.status == 500
    assert json.loads(answer.body) == {
        "code": "INTERNAL_SERVER_ERROR",
        "message": "Internal server error",
        "issues": [],
        "error": {"message": "Internal server error"},
    }
