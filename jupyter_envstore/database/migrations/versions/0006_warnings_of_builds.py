"""Warnings of builds; the active build of an environment is one that there is"""

import sqlalchemy as sa
from alembic import op

from jupyter_envstore.database.column_types import short

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

DEFAULTS = {"build": ["warning_count"], "token": ["kind", "groups"]}
ACTIVE = "fk_environment_current_build_id_build"


def upgrade() -> None:
    environment = sa.table("environment", sa.column("current_build_id"))
    build = sa.table("build", sa.column("id"))
    gone = environment.c.current_build_id.not_in(sa.select(build.c.id))
    op.execute(environment.update().where(gone).values(current_build_id=None))
    if ACTIVE not in {key["name"] for key in sa.inspect(op.get_bind()).get_foreign_keys("environment")}:
        with op.batch_alter_table("environment", schema=None) as batch_op:  # SQLite's tables were made without it
            batch_op.create_foreign_key(ACTIVE, "build", ["current_build_id"], ["id"])
    with op.batch_alter_table("build", schema=None) as batch_op:
        batch_op.add_column(sa.Column("warning_count", sa.Integer(), nullable=False, server_default="0"))
    for table, columns in DEFAULTS.items():  # what rows had to get when a column came is the program's business
        with op.batch_alter_table(table, schema=None) as batch_op:
            for column in columns:
                batch_op.alter_column(column, server_default=None)
    op.create_table(
        "build_warning",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("build_id", sa.Integer(), nullable=False),
        sa.Column("kind", short(32), nullable=False),
        sa.Column("package", short(255), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("created_on", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["build_id"], ["build.id"], name=op.f("fk_build_warning_build_id_build")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_build_warning")),
    )
    with op.batch_alter_table("build_warning", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_build_warning_build_id"), ["build_id"], unique=False)


def downgrade() -> None:
    op.drop_table("build_warning")
    with op.batch_alter_table("build", schema=None) as batch_op:
        batch_op.drop_column("warning_count")
    with op.batch_alter_table("environment", schema=None) as batch_op:
        batch_op.drop_constraint(ACTIVE, type_="foreignkey")
