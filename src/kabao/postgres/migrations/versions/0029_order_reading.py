"""What the terms checker read in an order's listing; the SQL is in the file of that name."""  # noqa: INP001  Alembic loads it by path

from kabao.postgres.script import run_script_beside

revision = "0029_order_reading"
down_revision = "0028_payers"


def upgrade() -> None:
    """Run the SQL file."""
    run_script_beside(__file__)
