"""Mail and the addresses it goes to; the SQL is in the file of the same name."""  # noqa: INP001  Alembic loads it by path

from kabao.postgres.script import run_script_beside

revision = "0010_mail"
down_revision = "0009_log_positions"


def upgrade() -> None:
    """Run the SQL file."""
    run_script_beside(__file__)
