"""Builds are found by their record"""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_build_record_digest", "build", ["record_digest"], unique=False)
