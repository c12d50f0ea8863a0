"""Conditions on the tags and the cause of a thing."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, select

from runcard.domain.text import lookup_key
from runcard.store.engine.scope import owned_by
from runcard.store.engine.tables import causes, taggings, tags, thing_causes


def has_tag(
    organization_id: UUID, thing_id: ColumnElement[UUID], names: Sequence[str]
) -> ColumnElement[bool]:
    """The condition that the thing with this id has a tag with one of these names. Case does not count."""
    g, tag = taggings.c, tags.c
    keys = [lookup_key(name) for name in names]
    tagged = select(g.thing_id).join_from(taggings, tags, tag.id == g.tag_id)
    return thing_id.in_(tagged.where(owned_by(organization_id, g), tag.name_key.in_(keys)))


def has_cause(
    organization_id: UUID, thing_id: ColumnElement[UUID], codes: Sequence[str]
) -> ColumnElement[bool]:
    """The condition that the cause of the thing with this id has one of these codes, or stands below one that has."""
    c, given = causes.c, thing_causes.c
    keys = [lookup_key(code) for code in codes]
    named = select(c.id).where(owned_by(organization_id, c), c.code_key.in_(keys))
    # Without a name, so that one statement may have several of them. UNION ends even where causes form a ring.
    branch = named.cte(recursive=True)
    below = select(c.id).where(owned_by(organization_id, c), c.parent_id == branch.c.id)
    branch = branch.union(below)
    caused = select(given.thing_id).where(
        owned_by(organization_id, given), given.cause_id.in_(select(branch.c.id))
    )
    return thing_id.in_(caused)
