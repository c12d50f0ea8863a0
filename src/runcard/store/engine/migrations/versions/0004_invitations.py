"""Invitations, and the browser of a session"""

import sqlalchemy as sa
from alembic import op

from runcard.store.engine import tables

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "invitations",
        sa.Column("id", tables.Id(length=16), nullable=False),
        sa.Column("organization_id", tables.Id(length=16), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("email_key", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("created_at", tables.Instant(), nullable=False),
        sa.Column("created_by_user_id", tables.Id(length=16), nullable=False),
        sa.Column("expires_at", tables.Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["created_by_user_id"], ["users.id"], name=op.f("fk_invitations_created_by_user_id")
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("fk_invitations_organization_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invitations")),
        sa.UniqueConstraint("digest", name=op.f("uq_invitations_digest")),
        sa.UniqueConstraint(
            "organization_id", "email_key", name=op.f("uq_invitations_organization_id_email_key")
        ),
    )
    op.add_column("sessions", sa.Column("user_agent", sa.Text(), nullable=True))
