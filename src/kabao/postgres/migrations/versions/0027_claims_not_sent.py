"""Claims after a release whose price the payer's bank took; the SQL is in the file of that name."""  # noqa: INP001  Alembic loads it by path

from kabao.postgres.script import run_script_beside

revision = "0027_claims_not_sent"
down_revision = "0026_keys_of_stopped_releases"


def upgrade() -> None:
    """Run the SQL file."""
    run_script_beside(__file__)
