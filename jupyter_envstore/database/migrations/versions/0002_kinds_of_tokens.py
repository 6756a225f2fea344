"""Kinds of tokens"""

import sqlalchemy as sa
from alembic import op

from jupyter_envstore.database.column_types import short

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("token", schema=None) as batch_op:
        batch_op.add_column(sa.Column("kind", short(16), nullable=False, server_default="user"))
        batch_op.add_column(sa.Column("groups", sa.JSON(), nullable=False, server_default="[]"))


def downgrade() -> None:
    with op.batch_alter_table("token", schema=None) as batch_op:
        batch_op.drop_column("groups")
        batch_op.drop_column("kind")
