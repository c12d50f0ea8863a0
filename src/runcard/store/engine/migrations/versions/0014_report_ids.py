"""The ids of reports in the files that runs were imported from"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("imported_runs", sa.Column("report_id", sa.Text(), nullable=True))
    # Importers kept the ids as metadata until now. Each run is looked up by the primary key of the metadata.
    op.execute(
        """
        UPDATE imported_runs SET report_id = (
            SELECT lower(e.text) FROM metadata_entries e, file_imports f
            WHERE f.id = imported_runs.file_import_id AND e.entity_id = imported_runs.run_id
            AND e.key = CASE f.importer WHEN 'ATML' THEN 'uuid' ELSE 'report_id' END
            AND f.importer IN ('ATML', 'WATS', 'WSXF')
        )
        """
    )
    op.create_index(
        "ix_imported_runs_organization_id_imported_runs_report_id",
        "imported_runs",
        ["organization_id", "report_id"],
        sqlite_where=sa.text("report_id IS NOT NULL"),
        postgresql_where=sa.text("report_id IS NOT NULL"),
    )
