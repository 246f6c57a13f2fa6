"""The instant green channel and its review; the SQL is in the file of that name."""  # noqa: INP001  Alembic loads it by path

from kabao.postgres.script import run_script_beside

revision = "0022_green"
down_revision = "0021_webhooks"


def upgrade() -> None:
    """Run the SQL file."""
    run_script_beside(__file__)
