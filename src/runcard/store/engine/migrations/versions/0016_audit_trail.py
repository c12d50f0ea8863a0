"""The audit trail: who made a change, what it was, and a digest of the record after it"""

import sqlalchemy as sa
from alembic import op

from runcard.store.engine.tables import Id

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("changes", sa.Column("actor_id", Id(), nullable=True))
    op.add_column("changes", sa.Column("entry", sa.Text(), nullable=True))
    op.add_column("changes", sa.Column("state", sa.LargeBinary(32), nullable=True))
    op.create_index("ix_changes_entity_id", "changes", ["entity_id"])
    for name, columns, given in (
        ("ix_changes_entries", ["organization_id", "seq"], "entry IS NOT NULL"),
        ("ix_changes_actors", ["organization_id", "actor_id", "seq"], "actor_id IS NOT NULL"),
    ):
        where = sa.text(given)
        op.create_index(name, "changes", columns, sqlite_where=where, postgresql_where=where)
