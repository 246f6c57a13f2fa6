"""What a ruling rests on, questions withdrawn, one lane a case; the SQL is in the file of that name."""  # noqa: INP001  Alembic loads it by path

from kabao.postgres.script import run_script_beside

revision = "0030_grounds"
down_revision = "0029_order_reading"


def upgrade() -> None:
    """Run the SQL file."""
    run_script_beside(__file__)
