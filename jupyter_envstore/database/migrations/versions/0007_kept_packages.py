"""Builds that are kept with the files of their packages"""

import sqlalchemy as sa
from alembic import op

from jupyter_envstore.database.column_types import short

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

FILLED = {"keep_state": "", "kept_size": 0, "kept_missing": 0}


def upgrade() -> None:
    with op.batch_alter_table("build", schema=None) as batch_op:
        batch_op.add_column(sa.Column("keep_packages", sa.Boolean(), nullable=True))
        batch_op.add_column(sa.Column("keep_state", short(16), nullable=True))
        batch_op.add_column(sa.Column("kept_size", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("kept_missing", sa.Integer(), nullable=True))
    build = sa.table("build", *(sa.column(name) for name in FILLED))
    op.execute(build.update().values(**FILLED))
    with op.batch_alter_table("build", schema=None) as batch_op:
        batch_op.alter_column("keep_state", existing_type=short(16), nullable=False)
        batch_op.alter_column("kept_size", existing_type=sa.BigInteger(), nullable=False)
        batch_op.alter_column("kept_missing", existing_type=sa.Integer(), nullable=False)
    op.create_table(
        "kept_package",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("build_id", sa.Integer(), nullable=False),
        sa.Column("manager", short(8), nullable=False),
        sa.Column("subdir", short(32), nullable=False),
        sa.Column("name", short(255), nullable=False),
        sa.Column("filename", short(512), nullable=False),
        sa.Column("digest", short(64), nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("record", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["build_id"], ["build.id"], name=op.f("fk_kept_package_build_id_build")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kept_package")),
        sa.UniqueConstraint(
            "build_id",
            "manager",
            "subdir",
            "filename",
            name=op.f("uq_kept_package_build_id_manager_subdir_filename"),
        ),
    )
    with op.batch_alter_table("kept_package", schema=None) as batch_op:
        batch_op.create_index("ix_kept_package_filename", ["filename", "subdir"], unique=False)
        batch_op.create_index(batch_op.f("ix_kept_package_digest"), ["digest"], unique=False)


def downgrade() -> None:
    op.drop_table("kept_package")
    with op.batch_alter_table("build", schema=None) as batch_op:
        for name in ("kept_missing", "kept_size", "keep_state", "keep_packages"):
            batch_op.drop_column(name)
