"""How Alembic runs the migrations: on the connection that `store.engine.migrate` holds open."""

from alembic import context

from runcard.store.engine.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    transactional_ddl=False,
)
context.run_migrations()
