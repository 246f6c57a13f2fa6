"""Who paid, by a mark, and how often an account was refunded at once; the SQL is in the file of that name."""  # noqa: INP001  Alembic loads it by path

from kabao.postgres.script import run_script_beside

revision = "0028_payers"
down_revision = "0027_claims_not_sent"


def upgrade() -> None:
    """Run the SQL file."""
    run_script_beside(__file__)
