"""Tags and causes in lists: beside the name of each thing, and as columns of files."""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from runcard.exports.spreadsheets import Cell, SheetColumn
from runcard.store.engine.scope import Scope
from runcard.store.notes.causes import causes_of
from runcard.store.notes.tags import tags_of
from runcard.store.notes.things import NotedKind
from runcard.web.notes.section import TagChip, tag_chips

NOTE_SHEET = [SheetColumn("Tags"), SheetColumn("Cause")]


class NotedCell(NamedTuple):
    """cause: its name; empty if it has none."""

    tags: Sequence[TagChip] = ()
    cause: str = ""

    @property
    def cells(self) -> Sequence[Cell]:
        """The cells below `NOTE_SHEET`."""
        return [", ".join(tag.name for tag in self.tags), self.cause]


NOTHING_NOTED = NotedCell()


def noted_cells(scope: Scope, kind: NotedKind, thing_ids: Collection[UUID]) -> Mapping[UUID, NotedCell]:
    """The tags and the cause of each of these things; no entry for a thing with neither."""
    tags, causes = tags_of(scope, thing_ids), causes_of(scope, thing_ids)
    return {
        thing_id: NotedCell(
            tag_chips(tags.get(thing_id, ()), kind), causes[thing_id].name if thing_id in causes else ""
        )
        for thing_id in {*tags, *causes}
    }
