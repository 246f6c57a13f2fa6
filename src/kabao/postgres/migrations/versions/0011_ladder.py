"""The ladder above support: panel, ruling with a window, review; the SQL is in the file of that name."""  # noqa: INP001  Alembic loads it by path

from kabao.postgres.script import run_script_beside

revision = "0011_ladder"
down_revision = "0010_mail"


def upgrade() -> None:
    """Run the SQL file."""
    run_script_beside(__file__)
