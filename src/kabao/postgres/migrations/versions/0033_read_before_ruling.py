"""Which points of the parties had been read as somebody ruled; the SQL is in the file of that name."""  # noqa: INP001  Alembic loads it by path

from kabao.postgres.script import run_script_beside

revision = "0033_read_before_ruling"
down_revision = "0032_not_beyond_demand"


def upgrade() -> None:
    """Run the SQL file."""
    run_script_beside(__file__)
