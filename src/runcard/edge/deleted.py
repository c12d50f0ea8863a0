"""The answer to a request that deletes things, which now wait in the bin."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from runcard.edge.answers.responses import JsonResponse
from runcard.edge.requests.services import Services
from runcard.store.commit.lookups import get_organization

# Until when what was deleted can be restored, as an ISO 8601 moment.
RESTORABLE_UNTIL = "Runcard-Restorable-Until"


def deleted_answer(services: Services, organization_id: UUID, body: Any) -> JsonResponse:
    """The answer with this body, and with the header that says until when the bin keeps what was deleted."""
    with services.database.read_in(organization_id) as scope:
        until = datetime.now(UTC) + get_organization(scope).kept_in_bin
    return JsonResponse(body, headers={RESTORABLE_UNTIL: until.isoformat(timespec="seconds")})
