"""Kinds of changes in groups that people know."""

from collections.abc import Mapping, Sequence
from typing import Literal, get_args

from runcard.store.commit.changes import ChangeKind
from runcard.store.trail.things import noun_of

Group = Literal["runs", "units", "parts", "procedures", "stations", "files", "notes", "people", "settings"]

GROUPS: Mapping[Group, str] = {
    "runs": "Runs",
    "units": "Units and repairs",
    "parts": "Parts and batches",
    "procedures": "Procedures",
    "stations": "Stations and teams",
    "files": "Files",
    "notes": "Comments, tags and causes",
    "people": "People and keys",
    "settings": "Settings",
}
_GROUP_OF: Mapping[str, Group] = {
    "run": "runs",
    "tombstone": "runs",
    "unit": "units",
    "repair": "units",
    "part": "parts",
    "revision": "parts",
    "batch": "parts",
    "procedure": "procedures",
    "version": "procedures",
    "deployment": "procedures",
    "station": "stations",
    "team": "stations",
    "attachment": "files",
    "file": "files",
    "import": "files",
    "import_template": "files",
    "comment": "notes",
    "tag": "notes",
    "cause": "notes",
    "thing": "notes",
    "user": "people",
    "key": "people",
    "invitation": "people",
    "organization": "settings",
    "backup": "settings",
    "record": "settings",
}
KINDS: Sequence[ChangeKind] = get_args(ChangeKind)


def group_of(kind: ChangeKind) -> Group:
    """The group that a kind belongs to."""
    return _GROUP_OF[noun_of(kind)]


def kinds_in(group: Group) -> Sequence[ChangeKind]:
    """The kinds of a group."""
    return [kind for kind in KINDS if group_of(kind) == group]
