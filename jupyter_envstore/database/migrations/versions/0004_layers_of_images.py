"""Layers of images, by what they are made of"""

import sqlalchemy as sa
from alembic import op

from jupyter_envstore.database.column_types import short

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "layer",
        sa.Column("key", short(64), nullable=False),
        sa.Column("digest", short(64), nullable=False),
        sa.Column("diff_id", short(64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("created_on", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_layer")),
    )
    with op.batch_alter_table("layer", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_layer_digest"), ["digest"], unique=False)


def downgrade() -> None:
    op.drop_table("layer")
