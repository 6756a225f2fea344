"""Run migrations on the connection that the caller holds open."""

from alembic import context

from jupyter_envstore.database.models import Base

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=Base.metadata, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
