"""Webhooks of shops; the SQL is in the file of that name."""  # noqa: INP001  Alembic loads it by path

from kabao.postgres.script import run_script_beside

revision = "0021_webhooks"
down_revision = "0020_remedies"


def upgrade() -> None:
    """Run the SQL file."""
    run_script_beside(__file__)
