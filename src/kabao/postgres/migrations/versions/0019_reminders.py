"""Reminders, quiet hours and the letter to staff; the SQL is in the file of that name."""  # noqa: INP001  Alembic loads it by path

from kabao.postgres.script import run_script_beside

revision = "0019_reminders"
down_revision = "0018_shop_side"


def upgrade() -> None:
    """Run the SQL file."""
    run_script_beside(__file__)
