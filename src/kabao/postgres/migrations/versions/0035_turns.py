"""Since when it is somebody's turn, and what was said in an order's talk; the SQL is in the file of that name."""  # noqa: INP001  Alembic loads it by path

from kabao.postgres.script import run_script_beside

revision = "0035_turns"
down_revision = "0034_withdrawn_precedents"


def upgrade() -> None:
    """Run the SQL file."""
    run_script_beside(__file__)
