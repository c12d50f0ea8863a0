"""The colours of groups: a group has the same colour in all charts of a page."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from runcard.analytics.groups import Group
from runcard.web.charts.chart import SERIES_COLOURS
from runcard.web.frame.formats import count_text

_OWN = SERIES_COLOURS[:-1]
OTHERS_COLOUR = SERIES_COLOURS[-1]


class GroupColours(NamedTuple):
    """by_key: the colours of the groups that have one of their own. others: how many groups share the last colour."""

    by_key: Mapping[str | None, str]
    others: int

    def has_own(self, group: Group) -> bool:
        return group.key in self.by_key

    @property
    def others_name(self) -> str:
        return f"others ({count_text(self.others)})"


def group_colours(counted: Iterable[tuple[Group, int]]) -> GroupColours:
    """The colours of groups. counted: the groups, each with its number of values.

    The groups with the most values get a colour of their own, in the order in which they come.
    """
    groups = list(counted)
    most = sorted(groups, key=lambda one: one[1], reverse=True)[: len(_OWN)]
    chosen = {group.key for group, _ in most}
    shown = [group.key for group, _ in groups if group.key in chosen]
    return GroupColours(dict(zip(shown, _OWN, strict=False)), len(groups) - len(shown))
