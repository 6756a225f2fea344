"""How the worker of a job is called by the executor that started it; attempts that do not count"""

import sqlalchemy as sa
from alembic import op

from jupyter_envstore.database.column_types import short

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    job = sa.table("job", sa.column("pid"), sa.column("process_started"), sa.column("executor"), sa.column("handle"))
    with op.batch_alter_table("job", schema=None) as batch_op:
        batch_op.add_column(sa.Column("executor", short(64), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("handle", short(255), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("given_back", sa.Integer(), nullable=False, server_default="0"))
    name = sa.cast(job.c.pid, sa.String()) + " " + job.c.process_started
    op.execute(job.update().where(job.c.pid != 0).values(executor="local", handle=name))
    with op.batch_alter_table("job", schema=None) as batch_op:
        batch_op.alter_column("executor", existing_type=short(64), server_default=None)
        batch_op.alter_column("handle", existing_type=short(255), server_default=None)
        batch_op.alter_column("given_back", existing_type=sa.Integer(), server_default=None)
