"""Nothing beyond the demand where no person decides; the SQL is in the file of that name."""  # noqa: INP001  Alembic loads it by path

from kabao.postgres.script import run_script_beside

revision = "0032_not_beyond_demand"
down_revision = "0031_help_cases"


def upgrade() -> None:
    """Run the SQL file."""
    run_script_beside(__file__)
