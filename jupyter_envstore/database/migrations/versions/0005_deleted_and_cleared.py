"""Deleted environments are cleared later: until then, they can be brought back"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("environment", sa.Column("cleared_on", sa.DateTime(), nullable=True))
    environment = sa.table("environment", sa.column("cleared_on"), sa.column("deleted_on"))
    op.execute(environment.update().values(cleared_on=environment.c.deleted_on))


def downgrade() -> None:
    with op.batch_alter_table("environment", schema=None) as batch_op:
        batch_op.drop_column("cleared_on")
