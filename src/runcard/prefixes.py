"""Under which paths the APIs are."""

from runcard.activity.log import Endpoints

# The prefix in the routes, and the shorter one that clients may use too.
V1 = ("/api/v1", "/v1")
V2 = ("/api/v2", "/v2")
QUESTIONS = "/api/analytics"
COMMAND_LINES = "/api/cli"
EXPORTS = "/api/export"
QUARANTINE = "/api/quarantine"
# Of the APIs without a prefix of their own. It comes last, because the other prefixes begin with it.
PROOF = "/api/proof"
OWN = "/api"


def endpoints() -> Endpoints:
    """Which endpoint of the APIs a path belongs to."""
    prefixes = [*V1, *V2, QUESTIONS, COMMAND_LINES, EXPORTS, QUARANTINE, PROOF, OWN]
    return Endpoints(prefixes, plain={f"{prefix}/runs" for prefix in (*V1, *V2)}, old=V1)
