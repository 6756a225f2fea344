"""Jobs know their namespace, so that the oldest of each is found by an index; environments are listed by one, too"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

NOT_DELETED: dict[str, Any] = {f"{kind}_where": sa.text("deleted_on IS NULL") for kind in ("sqlite", "postgresql")}


def upgrade() -> None:
    with op.batch_alter_table("job", schema=None) as batch_op:
        batch_op.add_column(sa.Column("namespace_id", sa.Integer(), nullable=True))
        batch_op.drop_index("ix_job_state")
    job = sa.table("job", sa.column("build_id"), sa.column("namespace_id"))
    build = sa.table("build", sa.column("id"), sa.column("environment_id"))
    environment = sa.table("environment", sa.column("id"), sa.column("namespace_id"))
    found = (
        sa.select(environment.c.namespace_id)
        .join(build, build.c.environment_id == environment.c.id)
        .where(build.c.id == job.c.build_id)
    )
    op.execute(job.update().values(namespace_id=found.scalar_subquery()))
    with op.batch_alter_table("job", schema=None) as batch_op:
        batch_op.alter_column("namespace_id", existing_type=sa.Integer(), nullable=False)
        batch_op.create_foreign_key(batch_op.f("fk_job_namespace_id_namespace"), "namespace", ["namespace_id"], ["id"])
        batch_op.create_index("ix_job_queue", ["state", "namespace_id", "kind", "id"], unique=False)
    with op.batch_alter_table("environment", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_environment_namespace_id"))
    op.create_index("ix_environment_listed", "environment", ["namespace_id", "name_key", "id"], **NOT_DELETED)
