"""The money steps as functions; the SQL is in the file of the same name."""  # noqa: INP001  Alembic loads it by path

from kabao.postgres.script import run_script_beside

revision = "0002_money_steps"
down_revision = "0001_initial"


def upgrade() -> None:
    """Run the SQL file."""
    run_script_beside(__file__)
