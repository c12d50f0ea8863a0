"""The statuses of v2 that differ from those of all APIs."""

from collections import ChainMap

from runcard.domain import errors as e
from runcard.edge.answers.errors import ANSWERS as SHARED
from runcard.edge.answers.errors import Answers, StatusAnswer

ANSWERS: Answers = ChainMap(
    {
        # With this media type, the SDK does not take it for its own error class of 400 (decision D1 of the contract).
        e.EndsBeforeStart: StatusAnswer(400, "BAD_REQUEST", "application/problem+json"),
        e.MalformedBody: StatusAnswer(400, "BAD_REQUEST"),
        e.PartNumberMissing: StatusAnswer(422, "UNPROCESSABLE_CONTENT"),
        e.SubUnitsNotFound: StatusAnswer(404, "NOT_FOUND"),
    },
    dict(SHARED),
)
