"""The units that were merged into a unit, on its page."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from runcard.auth.permissions import may_manage
from runcard.store.bin.merged import MergedUnit, list_merged_into
from runcard.store.engine.scope import Scope
from runcard.store.lists.names import names_of
from runcard.web.frame.formats import Moment, moment_of
from runcard.web.frame.urls import merge_unit_url, split_unit_url
from runcard.web.frame.visit import Visit


class MergedLine(NamedTuple):
    """split_url: empty if the reader may not split it, or another unit was merged later."""

    serial_number: str
    at: Moment
    by: str
    why: str
    split_url: str


class Merging(NamedTuple):
    """url: of the page that merges a unit into another; empty if the reader may not. merged: what was merged into it,
    the last merged first.
    """

    url: str
    merged: Sequence[MergedLine]


def merging_of(scope: Scope, visit: Visit, unit_id: UUID) -> Merging:
    """What was merged into a unit, and where the reader may merge it."""
    may_merge = may_manage(visit.actor)
    lines = [
        merged_line(scope, visit, one, is_last=place == 0 and may_merge)
        for place, one in enumerate(list_merged_into(scope, unit_id))
    ]
    return Merging(merge_unit_url(unit_id) if may_merge else "", lines)


def merged_line(scope: Scope, visit: Visit, merged: MergedUnit, *, is_last: bool) -> MergedLine:
    by_id = merged.merged_by_id
    by = {} if by_id is None else names_of(scope, "operator", [by_id])
    return MergedLine(
        merged.serial_number,
        moment_of(merged.merged_at, visit.zone),
        next(iter(by.values()), "Runcard"),
        merged.why or "",
        split_unit_url(merged.id) if is_last else "",
    )
