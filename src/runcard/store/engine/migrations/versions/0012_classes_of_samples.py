"""The sample class of the unit at the time of a run; recorded runs get the class of today"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("runs", sa.Column("sample", sa.Text(), nullable=True))
    runs = sa.table("runs", sa.column("unit_id"), sa.column("sample"))
    units = sa.table("units", sa.column("id"), sa.column("sample"))
    of_unit = sa.select(units.c.sample).where(units.c.id == runs.c.unit_id).scalar_subquery()
    samples = sa.select(units.c.id).where(units.c.sample.is_not(None))
    op.execute(sa.update(runs).where(runs.c.unit_id.in_(samples)).values(sample=of_unit))
