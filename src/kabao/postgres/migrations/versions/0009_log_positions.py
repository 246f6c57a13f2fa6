"""Where each business row stands in the public log, and what was erased from it; the SQL is in the file beside."""  # noqa: INP001  Alembic loads it by path

from kabao.postgres.script import run_script_beside

revision = "0009_log_positions"
down_revision = "0008_uploads"


def upgrade() -> None:
    """Run the SQL file."""
    run_script_beside(__file__)
