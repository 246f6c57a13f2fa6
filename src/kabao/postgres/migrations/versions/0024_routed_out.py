"""Cases that an authority has; the SQL is in the file of that name."""  # noqa: INP001  Alembic loads it by path

from kabao.postgres.script import run_script_beside

revision = "0024_routed_out"
down_revision = "0023_merchant_cases"


def upgrade() -> None:
    """Run the SQL file."""
    run_script_beside(__file__)
