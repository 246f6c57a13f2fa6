"""What is to be timestamped, and what the authorities answered; the SQL is in the file of the same name."""  # noqa: INP001  Alembic loads it by path

from kabao.postgres.script import run_script_beside

revision = "0007_timestamps"
down_revision = "0006_log"


def upgrade() -> None:
    """Run the SQL file."""
    run_script_beside(__file__)
