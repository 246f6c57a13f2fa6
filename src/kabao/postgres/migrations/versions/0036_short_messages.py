"""Short messages by SMS and WeChat; the SQL is in the file of that name."""  # noqa: INP001  Alembic loads it by path

from kabao.postgres.script import run_script_beside

revision = "0036_short_messages"
down_revision = "0035_turns"


def upgrade() -> None:
    """Run the SQL file."""
    run_script_beside(__file__)
