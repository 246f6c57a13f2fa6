"""Deposit, reserve, recourse, money after the release, refused refunds; the SQL is in the file of that name."""  # noqa: INP001  Alembic loads it by path

from kabao.postgres.script import run_script_beside

revision = "0012_recourse"
down_revision = "0011_ladder"


def upgrade() -> None:
    """Run the SQL file."""
    run_script_beside(__file__)
