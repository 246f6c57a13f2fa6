"""Payments that the payer's bank takes back; the SQL is in the file of that name."""  # noqa: INP001  Alembic loads it by path

from kabao.postgres.script import run_script_beside

revision = "0025_chargebacks"
down_revision = "0024_routed_out"


def upgrade() -> None:
    """Run the SQL file."""
    run_script_beside(__file__)
