"""Precedents taken out of the public library; the SQL is in the file of that name."""  # noqa: INP001  Alembic loads it by path

from kabao.postgres.script import run_script_beside

revision = "0034_withdrawn_precedents"
down_revision = "0033_read_before_ruling"


def upgrade() -> None:
    """Run the SQL file."""
    run_script_beside(__file__)
