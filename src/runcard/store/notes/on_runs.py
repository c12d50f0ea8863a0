"""Runs with their tags and causes."""

from collections.abc import Sequence

from runcard.store.engine.scope import Scope
from runcard.store.lists.refs import TagRef
from runcard.store.notes.causes import causes_of
from runcard.store.notes.tags import tags_of
from runcard.store.runs.records import RunRecord


def with_notes(scope: Scope, runs: Sequence[RunRecord]) -> Sequence[RunRecord]:
    """The same runs, with their tags and causes."""
    ids = [run.id for run in runs]
    tags, causes = tags_of(scope, ids), causes_of(scope, ids)
    return [
        run._replace(
            tags=[TagRef(tag.name, tag.colour) for tag in tags.get(run.id, ())],
            cause=causes[run.id].name if run.id in causes else None,
        )
        for run in runs
    ]
