"""Comments, tags and causes of things"""

from typing import Any

import sqlalchemy as sa
from alembic import op

from runcard.store.engine.tables import Id, Instant

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _create_tags()
    _create_causes()
    _create_comments()


def _create_tags() -> None:
    op.create_table(
        "tags",
        sa.Column("id", Id(), primary_key=True),
        _organization(),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_key", sa.Text(), nullable=False),
        sa.Column("colour", sa.Text(), nullable=False),
        sa.Column("archived_at", Instant(), nullable=True),
        *_created(),
        sa.UniqueConstraint("organization_id", "name_key", name="uq_tags_organization_id_name_key"),
    )
    op.create_table(
        "taggings",
        sa.Column("thing_id", Id(), primary_key=True),
        sa.Column("tag_id", Id(), sa.ForeignKey("tags.id"), primary_key=True),
        _organization(),
    )
    op.create_index("ix_taggings_tag_id", "taggings", ["tag_id"])


def _create_causes() -> None:
    op.create_table(
        "causes",
        sa.Column("id", Id(), primary_key=True),
        _organization(),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("code_key", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("parent_id", Id(), nullable=True),
        sa.Column("archived_at", Instant(), nullable=True),
        *_created(),
        sa.UniqueConstraint("organization_id", "code_key", name="uq_causes_organization_id_code_key"),
    )
    where = sa.text("parent_id IS NOT NULL")
    op.create_index(
        "ix_causes_parent_id", "causes", ["parent_id"], sqlite_where=where, postgresql_where=where
    )
    op.create_table(
        "thing_causes",
        sa.Column("thing_id", Id(), primary_key=True),
        _organization(),
        sa.Column("cause_id", Id(), sa.ForeignKey("causes.id"), nullable=False),
    )
    op.create_index("ix_thing_causes_cause_id", "thing_causes", ["cause_id"])


def _create_comments() -> None:
    op.create_table(
        "comments",
        sa.Column("id", Id(), primary_key=True),
        _organization(),
        sa.Column("thing_id", Id(), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("mentions", sa.Text(), nullable=True),
        *_created(),
        sa.Column("edited_at", Instant(), nullable=True),
        sa.Column("deleted_at", Instant(), nullable=True),
    )
    op.create_index("ix_comments_thing_id", "comments", ["thing_id"])
    op.create_table(
        "comment_files",
        sa.Column("comment_id", Id(), sa.ForeignKey("comments.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("attachment_id", Id(), primary_key=True),
        _organization(),
    )
    op.create_index("ix_comment_files_attachment_id", "comment_files", ["attachment_id"])


def _organization() -> sa.Column[Any]:
    return sa.Column("organization_id", Id(), sa.ForeignKey("organizations.id"), nullable=False)


def _created() -> list[sa.Column[Any]]:
    return [
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("created_by_user_id", Id(), sa.ForeignKey("users.id"), nullable=True),
        sa.Column("created_by_station_id", Id(), sa.ForeignKey("stations.id"), nullable=True),
    ]
