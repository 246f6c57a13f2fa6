"""What the rulebook said beside a ruling, the version beside every step; the SQL is in the file of that name."""  # noqa: INP001  Alembic loads it by path

from kabao.postgres.script import run_script_beside

revision = "0005_case_decision"
down_revision = "0004_rulebook"


def upgrade() -> None:
    """Run the SQL file."""
    run_script_beside(__file__)
