"""The versions of the rulebook, kept for ever; the SQL is in the file of the same name."""  # noqa: INP001  Alembic loads it by path

from kabao.postgres.script import run_script_beside

revision = "0004_rulebook"
down_revision = "0003_grants"


def upgrade() -> None:
    """Run the SQL file."""
    run_script_beside(__file__)
