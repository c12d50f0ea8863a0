"""Documents of runs by month, on PostgreSQL. What is there becomes the first partition as it lies, without a copy."""

from datetime import UTC, datetime
from uuid import UUID

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    connection = op.get_bind()
    if connection.dialect.name != "postgresql":
        return
    newest = connection.execute(
        sa.text("SELECT run_id FROM run_documents ORDER BY run_id DESC LIMIT 1")
    ).scalar_one_or_none()
    moment = datetime.now(UTC)
    if newest is not None:
        # An id begins with the milliseconds of its making, by a clock that may have been ahead.
        moment = max(moment, datetime.fromtimestamp((UUID(str(newest)).int >> 80) / 1000, UTC))
    year, month = divmod(moment.year * 12 + moment.month, 12)
    until = datetime(year, month + 1, 1, tzinfo=UTC)
    bound = UUID(int=int(until.timestamp() * 1000) << 80)
    for statement in (
        "ALTER TABLE run_documents RENAME TO run_documents_first",
        "ALTER INDEX pk_run_documents RENAME TO pk_run_documents_first",
        "CREATE TABLE run_documents (LIKE run_documents_first INCLUDING STORAGE) PARTITION BY RANGE (run_id)",
        """
        ALTER TABLE run_documents
            ADD CONSTRAINT pk_run_documents PRIMARY KEY (run_id),
            ADD CONSTRAINT fk_run_documents_run_id FOREIGN KEY (run_id) REFERENCES runs (id) ON DELETE CASCADE,
            ADD CONSTRAINT fk_run_documents_organization_id FOREIGN KEY (organization_id) REFERENCES organizations (id)
        """,
        f"""
        ALTER TABLE run_documents ATTACH PARTITION run_documents_first
            FOR VALUES FROM (MINVALUE) TO ('{bound}')
        """,
        "CREATE TABLE run_documents_default PARTITION OF run_documents DEFAULT",
    ):
        op.execute(statement)
