"""Share links belong to an environment, not to its name; tokens know what they were made with"""

import sqlalchemy as sa
from alembic import op

from jupyter_envstore.database.column_types import short

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("token", schema=None) as batch_op:
        batch_op.add_column(sa.Column("environment_id", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("made_with", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("configured_hash", short(64), nullable=True))
        batch_op.create_foreign_key(
            batch_op.f("fk_token_environment_id_environment"), "environment", ["environment_id"], ["id"]
        )
        batch_op.create_foreign_key(
            batch_op.f("fk_token_made_with_token"), "token", ["made_with"], ["id"], ondelete="SET NULL"
        )
        batch_op.create_index(batch_op.f("ix_token_environment_id"), ["environment_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_token_made_with"), ["made_with"], unique=False)
    # Links that were made before do not say which environment of their name was meant: they end.
    token = sa.table("token", sa.column("kind"), sa.column("revoked_on"))
    ended = token.update().where(token.c.kind == "share", token.c.revoked_on.is_(None))
    op.execute(ended.values(revoked_on=sa.func.current_timestamp()))
