"""What people note on things: comments, tags and causes. A thing is named by its id alone, since things of many tables
have notes, and phases and measurements have no table. So no foreign key leads to it.
"""

from sqlalchemy import Column, ForeignKey, Index, Table, Text, UniqueConstraint

from runcard.store.engine.column_types import Id, Instant
from runcard.store.engine.table_parts import (
    created_columns,
    id_column,
    metadata,
    only_where,
    organization_column,
    reference,
    text_columns,
)

tags = Table(
    "tags",
    metadata,
    id_column(),
    organization_column(),
    Column("name", Text, nullable=False),
    Column("name_key", Text, nullable=False),
    Column("colour", Text, nullable=False),
    Column("archived_at", Instant),
    *created_columns(),
    UniqueConstraint("organization_id", "name_key"),
)

taggings = Table(
    "taggings",
    metadata,
    Column("thing_id", Id, primary_key=True),
    Column("tag_id", Id, ForeignKey("tags.id"), primary_key=True),
    organization_column(),
    Index(None, "tag_id"),
)

causes = Table(
    "causes",
    metadata,
    id_column(),
    organization_column(),
    Column("code", Text, nullable=False),
    Column("code_key", Text, nullable=False),
    Column("name", Text, nullable=False),
    # The cause above it; null: it stands at the top. No foreign key, or the table would refer to itself.
    Column("parent_id", Id),
    Column("archived_at", Instant),
    *created_columns(),
    UniqueConstraint("organization_id", "code_key"),
    Index(None, "parent_id", **only_where("parent_id")),
)

thing_causes = Table(
    "thing_causes",
    metadata,
    Column("thing_id", Id, primary_key=True),
    organization_column(),
    reference("cause_id", "causes", required=True),
    Index(None, "cause_id"),
)

comments = Table(
    "comments",
    metadata,
    id_column(),
    organization_column(),
    Column("thing_id", Id, nullable=False),
    # What the thing was called when the comment was written.
    Column("about", Text, nullable=False),
    # Null once the comment is deleted. Its row stays, so that the history of the thing finds its entries.
    *text_columns("text"),
    # Whom the text mentions, as a JSON object: handles as they are written, and the ids of members.
    *text_columns("mentions"),
    *created_columns(),
    Column("edited_at", Instant),
    Column("deleted_at", Instant),
    Index(None, "thing_id"),
)

comment_files = Table(
    "comment_files",
    metadata,
    Column("comment_id", Id, ForeignKey("comments.id", ondelete="CASCADE"), primary_key=True),
    # No foreign key: who deletes a file does not have to know of comments. They say that the file is gone.
    Column("attachment_id", Id, primary_key=True),
    organization_column(),
    Index(None, "attachment_id"),
)
