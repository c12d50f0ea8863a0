"""A thread that writes when keys were last used, once a minute, so that no run waits for it."""

from collections import defaultdict
from contextlib import suppress
from functools import partial
from uuid import UUID

from runcard.auth.key_uses import KeyUses
from runcard.domain.actor import SystemActor
from runcard.domain.errors import Outage
from runcard.intake.arrived_files import Stores
from runcard.store.engine.database import DATABASE_ERRORS
from runcard.store.people.key_uses import KeyUse, keep_uses
from runcard.upkeep.repeated_work import RepeatedWork

_EVERY_S = 60.0


class KeyUseWriter(RepeatedWork):
    """Writes the last uses of keys until it is closed, and those that are left then. A killed server loses a minute."""

    def __init__(self, stores: Stores, uses: KeyUses) -> None:
        self._uses = uses
        super().__init__(
            stores,
            name="runcard-key-uses",
            every_s=_EVERY_S,
            failing="writing when keys were last used failed",
        )

    def close(self) -> None:
        super().close()
        with suppress(*DATABASE_ERRORS, Outage):  # nobody needs them so much that the server should not end
            self._work()

    def _work(self) -> None:
        by_organization: dict[UUID, list[KeyUse]] = defaultdict(list)
        for use in self._uses.take():
            by_organization[use.organization_id].append(use)
        while by_organization:
            organization_id, uses = by_organization.popitem()
            try:
                self._stores.writer.write(
                    SystemActor(organization_id, "key uses"), partial(keep_uses, uses=uses)
                )
            except (*DATABASE_ERRORS, Outage):
                for unwritten in (uses, *by_organization.values()):
                    self._uses.put_back(unwritten)
                raise
