"""Documents of old runs outside of the database"""

import sqlalchemy as sa
from alembic import op

from runcard.store.engine.tables import Id, Instant

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "document_packs",
        sa.Column("id", Id(), nullable=False),
        sa.Column("organization_id", Id(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("has_gaps", sa.Boolean(), nullable=False),
        sa.Column("emptied_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("fk_document_packs_organization_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_document_packs")),
    )
    op.create_index(op.f("ix_document_packs_organization_id"), "document_packs", ["organization_id"])
    op.create_table(
        "moved_documents",
        sa.Column("run_id", Id(), nullable=False),
        sa.Column("organization_id", Id(), nullable=False),
        sa.Column("pack_id", Id(), nullable=False),
        sa.Column("start", sa.BigInteger(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("fk_moved_documents_organization_id")
        ),
        sa.ForeignKeyConstraint(["pack_id"], ["document_packs.id"], name=op.f("fk_moved_documents_pack_id")),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_moved_documents")),
    )
    op.create_index(op.f("ix_moved_documents_pack_id"), "moved_documents", ["pack_id"])
