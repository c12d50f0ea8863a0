"""Import templates: mappings of table columns that are kept under a name."""

from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Select, delete, select

from runcard.domain.errors import AlreadyExists, ImportTemplateNotFound
from runcard.domain.ids import new_id
from runcard.domain.text import lookup_key
from runcard.store.commit.transaction import Transaction
from runcard.store.creator import Creator
from runcard.store.engine.scope import Scope, owned_by
from runcard.store.engine.tables import import_templates
from runcard.store.lists.pages import Listed, Page, fetch_page, known_at
from runcard.store.lists.refs import CREATOR_COLUMNS, CreatedBy, created_by, with_creator
from runcard.store.trail.watching import stage_record, watch


class ImportTemplate(NamedTuple):
    """mapping: as JSON."""

    id: UUID
    name: str
    mapping: str
    created_at: datetime
    created_by: CreatedBy


def create_template(tx: Transaction, name: str, mapping: str, creator: Creator) -> UUID:
    """Add a template, and return its id. Raises AlreadyExists if the name is taken, in any case."""
    check_name_is_free(tx.scope, name)
    template_id = new_id()
    row: dict[str, Any] = {
        "id": template_id,
        "organization_id": tx.organization_id,
        "name": name,
        "name_key": lookup_key(name),
    }
    row |= {"mapping": mapping, "created_at": tx.now, **creator.columns}
    stage_record(tx, import_templates, row, creator)
    return template_id


def check_name_is_free(scope: Scope, name: str) -> None:
    """Check that no template has this name, in any case. Raises AlreadyExists."""
    t = import_templates.c
    taken = select(t.id).where(scope.owns(t), t.name_key == lookup_key(name))
    if scope.connection.execute(taken).first():
        raise AlreadyExists("Import template", name)


def get_template(scope: Scope, template_id: UUID) -> ImportTemplate:
    """The template with this id. Raises ImportTemplateNotFound."""
    query = _templates(scope.organization_id).where(import_templates.c.id == template_id)
    row = scope.connection.execute(query).one_or_none()
    if row is None:
        raise ImportTemplateNotFound(template_id)
    return _template(*row)


def list_templates(scope: Scope, page: Page) -> Listed[ImportTemplate]:
    """A page of templates, newest first."""
    t = import_templates.c
    query = _templates(scope.organization_id).where(*known_at(page, "import_template_created", t.id))
    return fetch_page(scope.connection, query.order_by(t.created_at.desc(), t.id.desc()), page, _template)


def delete_template(tx: Transaction, template_id: UUID) -> None:
    """Delete a template. Runs that were imported with it stay. Raises ImportTemplateNotFound."""
    t = import_templates.c
    mine = (tx.owns(t), t.id == template_id)
    watch(tx, import_templates, [template_id])
    if not tx.connection.execute(delete(import_templates).where(*mine)).rowcount:
        raise ImportTemplateNotFound(template_id)


def _templates(organization_id: UUID) -> Select[Any]:
    t = import_templates.c
    return (
        select(t.id, t.name, t.mapping, t.created_at, *CREATOR_COLUMNS)
        .select_from(with_creator(import_templates))
        .where(owned_by(organization_id, t))
    )


def _template(
    template_id: UUID, name: str, mapping: str, created_at: datetime, *creator: Any
) -> ImportTemplate:
    return ImportTemplate(template_id, name, mapping, created_at, created_by(*creator))
