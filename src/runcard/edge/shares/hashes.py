"""Hashes of passwords take turns: each takes 64 MiB for a moment, and any stranger can cause one (ADR 35)."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, Request

from runcard.domain.errors import TooManyLogIns
from runcard.edge.fair_share import FairShare, ShareLimits, ShareQueue
from runcard.edge.requests.services import WithServices

# A whole floor may reach the server through one address.
_QUEUE = ShareQueue(most=200, wait_s=30.0, refusal=TooManyLogIns)


def share_of_hashes(at_once: int) -> FairShare:
    return FairShare(ShareLimits(at_once, at_once), _QUEUE)


async def _turn(request: Request, services: WithServices) -> AsyncIterator[None]:
    async with services.shares.hashing.taken(request.client.host if request.client else ""):
        yield


# For endpoints that hash a password. A request that waits takes no thread, so reads do not wait for it. It must be the
# last dependency of an endpoint, so that a form that arrives slowly keeps nobody waiting.
WithHashingTurn = Annotated[None, Depends(_turn)]
