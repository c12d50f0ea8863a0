"""What a reader of the audit trail may see."""

from collections.abc import Sequence

from runcard.auth.permissions import check_may_administer
from runcard.domain.actor import UserActor
from runcard.store.commit.changes import ChangeKind
from runcard.store.trail.entries import OF_ACCESS


def check_may_see_kinds(reader: UserActor, kinds: Sequence[ChangeKind] | None) -> None:
    """Check that a manager asks for no kind that only admins see. None: no kind was named. Raises PermissionDenied."""
    hidden = [kind for kind in kinds or () if kind in OF_ACCESS]
    if hidden:
        check_may_administer(reader, f"see entries of the kind {hidden[0]}")
