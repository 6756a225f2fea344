"""Which folders have which prefixes; jobs know in which folder a prefix is wanted"""

import uuid
from datetime import datetime, timezone

import sqlalchemy as sa
from alembic import op

from jupyter_envstore.database.column_types import short

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

PREFIX_JOBS = ("build", "restore", "finish", "check")


def upgrade() -> None:
    op.create_table(
        "place",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("mark", short(64), nullable=False),
        sa.Column("root_dir", sa.Text(), nullable=False),
        sa.Column("host", short(255), nullable=False),
        sa.Column("platform", short(32), nullable=False),
        sa.Column("seen_on", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_place")),
        sa.UniqueConstraint("mark", name=op.f("uq_place_mark")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "placement",
        sa.Column("build_id", sa.Integer(), nullable=False),
        sa.Column("place_id", sa.Integer(), nullable=False),
        sa.Column("since", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["build_id"], ["build.id"], name=op.f("fk_placement_build_id_build")),
        sa.ForeignKeyConstraint(["place_id"], ["place.id"], name=op.f("fk_placement_place_id_place")),
        sa.PrimaryKeyConstraint("build_id", "place_id", name=op.f("pk_placement")),
    )
    op.create_index("ix_placement_place_id", "placement", ["place_id"])
    with op.batch_alter_table("build", schema=None) as batch_op:
        batch_op.add_column(sa.Column("is_made", sa.Boolean(), nullable=False, server_default=sa.false()))
    with op.batch_alter_table("job", schema=None) as batch_op:
        batch_op.add_column(sa.Column("place_id", sa.Integer(), nullable=False, server_default="0"))
        batch_op.add_column(sa.Column("runner_id", sa.Integer(), nullable=False, server_default="0"))
        batch_op.drop_index("ix_job_queue")
    _name_the_place()
    with op.batch_alter_table("build", schema=None) as batch_op:
        batch_op.alter_column("is_made", existing_type=sa.Boolean(), server_default=None)
        batch_op.drop_column("prefix_state")
    with op.batch_alter_table("job", schema=None) as batch_op:
        batch_op.alter_column("place_id", existing_type=sa.Integer(), server_default=None)
        batch_op.alter_column("runner_id", existing_type=sa.Integer(), server_default=None)
        batch_op.create_index("ix_job_queue", ["state", "place_id", "namespace_id", "kind", "id"], unique=False)


def _name_the_place() -> None:
    """Note that all prefixes are in one place; the folder that has them takes its mark up when it is opened."""
    build = sa.table("build", sa.column("id"), sa.column("prefix_state"), sa.column("is_made"))
    job = sa.table("job", sa.column("kind"), sa.column("state"), sa.column("place_id"), sa.column("runner_id"))
    place = sa.table("place", *(sa.column(name) for name in ("id", "mark", "root_dir", "host", "platform", "seen_on")))
    placement = sa.table("placement", *(sa.column(name) for name in ("build_id", "place_id", "since")))
    op.execute(build.update().where(build.c.prefix_state != "none").values(is_made=True))
    here = sa.select(build.c.id).where(build.c.prefix_state == "present")
    moment = sa.literal(datetime.now(timezone.utc).replace(tzinfo=None), sa.DateTime())
    if op.get_bind().execute(here.limit(1)).first() is None:
        return
    values = {"mark": uuid.uuid4().hex, "root_dir": "", "host": "", "platform": "", "seen_on": moment}
    op.execute(place.insert().values(**values))
    found = sa.select(sa.func.min(place.c.id)).scalar_subquery()
    present = sa.select(build.c.id, found, moment).where(build.c.prefix_state == "present")
    op.execute(placement.insert().from_select(["build_id", "place_id", "since"], present))
    op.execute(job.update().where(job.c.kind.in_(PREFIX_JOBS)).values(place_id=found))
    op.execute(job.update().where(job.c.state.in_(("running", "settling"))).values(runner_id=found))
