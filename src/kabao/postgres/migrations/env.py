"""Alembic's entry: run the chosen revisions on the connection that `kabao.postgres.migrate` passes in."""  # noqa: INP001  loaded by path

from alembic import context

context.configure(connection=context.config.attributes["connection"], target_metadata=None)
context.run_migrations()
