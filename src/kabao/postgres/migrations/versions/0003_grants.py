"""What the application's and the auditor's roles may do; the SQL is in the file of the same name."""  # noqa: INP001  Alembic loads it by path

from kabao.postgres.script import run_script_beside

revision = "0003_grants"
down_revision = "0002_money_steps"


def upgrade() -> None:
    """Run the SQL file."""
    run_script_beside(__file__)
